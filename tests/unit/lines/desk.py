"""What tests of the book of lines share."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from bot.errors import StoreError
from bot.lines import LineBook
from bot.models import SavedLine
from bot.store import Lines, Store
from tests.unit.store.examples import KEY, file_url

HOUR = timedelta(hours=1)
NEVER = 3600.0
"""Seconds that no test waits."""

SEE = """
CREATE TABLE seen (what TEXT);
CREATE TRIGGER added AFTER INSERT ON lines BEGIN INSERT INTO seen VALUES ('added ' || NEW.sentence); END;
CREATE TRIGGER changed AFTER UPDATE ON lines BEGIN INSERT INTO seen VALUES ('changed ' || NEW.sentence); END;
CREATE TRIGGER gone AFTER DELETE ON lines BEGIN INSERT INTO seen VALUES ('gone ' || OLD.sentence); END;
"""


class NotedLines(Lines):
    """Owns the news of every attempt to write."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines._database, key=lines._key)
        self.written: asyncio.Queue[Literal["done", "refused"]] = asyncio.Queue()

    async def write(self, **what: Any) -> None:
        try:
            await super().write(**what)
        except StoreError:
            self.written.put_nowait("refused")
            raise
        self.written.put_nowait("done")


@asynccontextmanager
async def next_process(folder: Path) -> AsyncIterator[tuple[SavedLine, ...]]:
    async with Store(file_url(folder), key=KEY) as store, LineBook(store.lines) as book:
        yield await book.take_up(HOUR)


async def left_by(folder: Path, *, crashes: bool = False) -> tuple[SavedLine, ...]:
    """Start a process that says nothing, which ends in order unless it `crashes`; give what it took up."""
    taken: tuple[SavedLine, ...] = ()
    with suppress(RecursionError):
        async with next_process(folder) as taken:
            if crashes:
                raise RecursionError
    return taken


@contextmanager
def busy(folder: Path) -> Iterator[None]:
    """Let the database refuse every change."""
    with closing(sqlite3.connect(folder / "mynah.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """Note in the list, at the end, what was done to the table of lines, in order."""
    done: list[str] = []
    with closing(sqlite3.connect(folder / "mynah.db")) as connection, connection:
        connection.executescript(SEE)
    yield done
    with closing(sqlite3.connect(folder / "mynah.db")) as connection:
        done += [what for (what,) in connection.execute("SELECT what FROM seen ORDER BY rowid")]
