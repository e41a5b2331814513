"""The book of lines: written by one task, soon and in order; a database that refuses spoils nothing."""

import asyncio
import logging
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from bot.errors import StoreError
from bot.lines import LineBook
from bot.models import SavedLine
from bot.store import Lines, Store
from tests.unit.store.examples import KEY, file_url, make_line

ROOT = Path(__file__).parents[2]
HOUR = timedelta(hours=1)
NEVER = 3600.0
"""Seconds that no test waits."""

KEEP_AND_LIVE_ON = """
import asyncio, sys
from bot.lines import LineBook
from bot.store import Store
from tests.unit.store.examples import KEY, make_line
async def main():
    async with Store(sys.argv[1], key=KEY) as store, LineBook(store.lines) as book:
        for place in range(3):
            book.keep(make_line(id=str(place) * 32, position=place))
        book.reach("0" * 32, 2)
        await book.flush()
        print("kept", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


SEE = """
CREATE TABLE seen (what TEXT);
CREATE TRIGGER added AFTER INSERT ON lines BEGIN INSERT INTO seen VALUES ('added ' || NEW.sentence); END;
CREATE TRIGGER changed AFTER UPDATE ON lines BEGIN INSERT INTO seen VALUES ('changed ' || NEW.sentence); END;
CREATE TRIGGER gone AFTER DELETE ON lines BEGIN INSERT INTO seen VALUES ('gone ' || OLD.sentence); END;
"""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Give a store that does not wait for a lock."""
    async with Store(f"{file_url(tmp_path)}?timeout=0.01", key=KEY) as opened:
        yield opened


@pytest.fixture
async def book(store: Store) -> AsyncIterator[LineBook]:
    """Give a book that writes when it is asked to, and not before."""
    async with LineBook(store.lines, gather=NEVER, retry=NEVER) as opened:
        yield opened


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


class HeldLines(Lines):
    """Owns a taking up that gets to the database when a test says so."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines._database, key=lines._key)
        self.asked = asyncio.Event()
        self.held = asyncio.Event()

    async def take_up(self, **what: Any) -> tuple[SavedLine, ...]:
        self.asked.set()
        await self.held.wait()
        return await super().take_up(**what)


class RefusingLines(Lines):
    """Owns one refusal, during which something happens."""

    def __init__(self, lines: Lines, meanwhile: Callable[[], None]) -> None:
        super().__init__(lines._database, key=lines._key)
        self._meanwhile: Callable[[], None] | None = meanwhile

    async def write(self, **what: Any) -> None:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()
            raise StoreError("The fake refuses: try again.")
        await super().write(**what)


@asynccontextmanager
async def _next_process(folder: Path) -> AsyncIterator[tuple[SavedLine, ...]]:
    async with Store(file_url(folder), key=KEY) as store, LineBook(store.lines) as book:
        yield await book.take_up(HOUR)


async def _left(folder: Path, *, crashes: bool = False) -> tuple[SavedLine, ...]:
    """Start a process that says nothing, which ends in order unless it `crashes`; give what it took up."""
    taken: tuple[SavedLine, ...] = ()
    with suppress(RecursionError):
        async with _next_process(folder) as taken:
            if crashes:
                raise RecursionError
    return taken


@contextmanager
def _busy(folder: Path) -> Iterator[None]:
    """Let the database refuse every change."""
    with closing(sqlite3.connect(folder / "mynah.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def _watched(folder: Path) -> Iterator[list[str]]:
    """Note in the list, at the end, what was done to the table of lines, in order."""
    done: list[str] = []
    with closing(sqlite3.connect(folder / "mynah.db")) as connection, connection:
        connection.executescript(SEE)
    yield done
    with closing(sqlite3.connect(folder / "mynah.db")) as connection:
        done += [what for (what,) in connection.execute("SELECT what FROM seen ORDER BY rowid")]


async def test_a_kept_line_is_there_for_the_next_process_with_the_sentence_it_reached(
    book: LineBook, tmp_path: Path
) -> None:
    line = make_line()
    book.keep(line)
    book.reach(line.id, 1)
    await book.flush()
    book.reach(line.id, 2)
    await book.flush()

    assert await _left(tmp_path) == (replace(line, sentence=2, restored=1),)


async def test_a_line_that_was_said_is_not_there_for_the_next_process(book: LineBook, tmp_path: Path) -> None:
    said, waits = make_line(), make_line()
    book.keep(said)
    book.keep(waits)
    await book.flush()

    book.drop(said.id)
    await book.flush()

    assert [line.id for line in await _left(tmp_path)] == [waits.id]


async def test_changes_are_written_without_anybody_asking(store: Store, tmp_path: Path) -> None:
    said, waits = make_line(), make_line()
    lines = NotedLines(store.lines)
    async with LineBook(lines, gather=0.001) as book:
        book.keep(said)
        book.keep(waits)
        await lines.written.get()
        book.drop(said.id)
        await lines.written.get()

        assert [line.id for line in await _left(tmp_path)] == [waits.id]


async def test_closing_writes_out_what_is_pending(store: Store, tmp_path: Path) -> None:
    line, said = make_line(), make_line()
    async with LineBook(store.lines, gather=NEVER) as book:
        book.keep(said)
        await book.flush()
        book.keep(line)
        book.reach(line.id, 3)
        book.drop(said.id)

    assert await _left(tmp_path) == (replace(line, sentence=3, restored=1),)


async def test_closing_because_of_a_cancellation_writes_out_what_is_pending(store: Store, tmp_path: Path) -> None:
    line, kept = make_line(), asyncio.Event()

    async def speak() -> None:
        async with LineBook(store.lines, gather=NEVER) as book:
            book.keep(line)
            kept.set()
            await asyncio.Event().wait()

    speaking = asyncio.create_task(speak())
    await kept.wait()
    speaking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speaking

    assert [each.id for each in await _left(tmp_path)] == [line.id]


async def test_a_line_dropped_before_it_was_written_is_no_matter_for_the_database(store: Store) -> None:
    line = make_line()
    lines = NotedLines(store.lines)
    async with LineBook(lines, gather=NEVER) as book:
        book.keep(line)
        book.reach(line.id, 1)
        book.drop(line.id)
        await book.flush()

    assert lines.written.empty()


async def test_a_line_may_be_dropped_again_once_it_is_gone(book: LineBook, tmp_path: Path) -> None:
    said, waits = make_line(), make_line()
    book.keep(said)
    book.keep(waits)
    await book.flush()

    for _ in range(2):
        book.drop(said.id)
        await book.flush()

    assert [line.id for line in await _left(tmp_path)] == [waits.id]


async def test_sentences_reached_together_are_written_as_the_last_one(book: LineBook, tmp_path: Path) -> None:
    line = make_line()

    with _watched(tmp_path) as done:
        book.keep(line)
        await book.flush()
        for sentence in (1, 2, 3):
            book.reach(line.id, sentence)
        await book.flush()
        book.reach(line.id, 4)
        book.drop(line.id)
        await book.flush()

    assert done == ["added 0", "changed 3", "gone 3"]


async def test_a_line_kept_anew_stays_as_far_as_it_is(book: LineBook, tmp_path: Path) -> None:
    pending, written = make_line(position=0), make_line(position=1)
    for line in (written, pending):
        book.keep(line)
        book.reach(line.id, 2)
        if line is written:
            await book.flush()

    pending, written = (replace(line, panel_channel_id=1, panel_message_id=2) for line in (pending, written))
    book.keep(pending)
    book.keep(written)
    await book.flush()

    left = await _left(tmp_path)
    assert sorted(left, key=lambda line: line.position) == [
        replace(pending, sentence=2, restored=1),
        replace(written, sentence=2, restored=1),
    ]


async def test_a_written_line_that_is_kept_anew_and_dropped_at_once_is_gone(book: LineBook, tmp_path: Path) -> None:
    line = make_line()
    book.keep(line)
    await book.flush()

    book.keep(replace(line, panel_message_id=2))
    book.drop(line.id)
    book.reach(line.id, 1)
    await book.flush()

    assert await _left(tmp_path) == ()


async def test_nobody_waits_for_a_database_that_is_busy(book: LineBook, tmp_path: Path) -> None:
    line = make_line()
    with _busy(tmp_path):
        before = asyncio.get_running_loop().time()
        for sentence in range(1000):
            book.keep(replace(line, id=f"{sentence:032}"))
            book.reach(f"{sentence:032}", 1)
            book.drop(f"{sentence:032}")

        assert asyncio.get_running_loop().time() - before < 1


async def test_what_a_database_refused_is_written_later_and_the_log_is_told_once_without_the_words(
    book: LineBook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot.lines")
    first, second, said = make_line("tangerine", position=0), make_line("tangerine", position=1), make_line()
    book.keep(said)
    await book.flush()
    with _busy(tmp_path):
        book.keep(first)
        book.drop(said.id)
        await book.flush()
        book.reach(first.id, 1)
        book.keep(second)
        await book.flush()
        told = [record.getMessage() for record in caplog.records]

    await book.flush()

    assert told == ["lines are not written down for now: The voice store is busy: try again in a minute."]
    assert [record.getMessage() for record in caplog.records[1:]] == ["lines are written down again"]
    left = await _left(tmp_path)
    assert sorted(left, key=lambda line: line.position) == [
        replace(first, sentence=1, restored=1),
        replace(second, restored=1),
    ]


async def test_a_refused_line_that_was_said_meanwhile_does_not_come_back(book: LineBook, tmp_path: Path) -> None:
    line = make_line()
    with _busy(tmp_path):
        book.keep(line)
        await book.flush()
        book.drop(line.id)
        await book.flush()

    await book.flush()

    assert await _left(tmp_path) == ()


async def test_what_happens_to_a_line_while_it_is_being_refused_is_not_forgotten(store: Store, tmp_path: Path) -> None:
    said, waits = make_line(), make_line()

    anew = replace(waits, panel_channel_id=1, panel_message_id=2)

    def get_on() -> None:
        book.drop(said.id)
        book.reach(waits.id, 2)
        book.keep(anew)

    async with LineBook(RefusingLines(store.lines, get_on), gather=NEVER, retry=NEVER) as book:
        book.keep(said)
        book.keep(waits)
        await book.flush()

    assert await _left(tmp_path) == (replace(anew, sentence=2, restored=1),)


async def test_each_time_a_database_begins_to_refuse_is_told_and_each_end_of_it_once(
    book: LineBook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot.lines")
    for _ in range(2):
        with _busy(tmp_path):
            book.keep(make_line())
            await book.flush()
        for _ in range(2):
            book.keep(make_line())
            await book.flush()

    told = [record.levelname for record in caplog.records]
    assert told == ["WARNING", "INFO"] * 2


async def test_after_a_refusal_what_changes_is_written_as_soon_as_before(store: Store, tmp_path: Path) -> None:
    lines = NotedLines(store.lines)
    async with LineBook(lines, gather=0.001, retry=NEVER) as book:
        with _busy(tmp_path):
            book.keep(make_line())
            assert await lines.written.get() == "refused"
        await book.flush()
        assert await lines.written.get() == "done"

        book.keep(make_line())
        async with asyncio.timeout(30):
            assert await lines.written.get() == "done"


async def test_who_does_not_wait_for_the_writing_any_more_does_not_disturb_it(
    book: LineBook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    book.keep(line := make_line())
    flushing = asyncio.create_task(book.flush())
    asyncio.get_running_loop().call_soon(flushing.cancel)
    await asyncio.wait({flushing})
    assert flushing.cancelled()

    await book.flush()

    assert [each.id for each in await _left(tmp_path)] == [line.id]
    assert "bug" not in caplog.text


async def test_what_was_refused_is_tried_again_without_anybody_asking(store: Store, tmp_path: Path) -> None:
    line = make_line()
    lines = NotedLines(store.lines)
    async with LineBook(lines, gather=0.001, retry=0.001) as book:
        with _busy(tmp_path):
            book.keep(line)
            assert [await lines.written.get() for _ in range(3)] == ["refused"] * 3
        while await lines.written.get() != "done":
            pass

        assert [each.id for each in await _left(tmp_path)] == [line.id]


async def test_closing_on_a_database_that_refuses_ends_and_tells_how_many_lines_it_costs(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with _busy(tmp_path):
        async with LineBook(store.lines, gather=NEVER) as book:
            book.keep(make_line("tangerine"))
            book.keep(make_line("tangerine"))

    assert "2 lines are not written down as they are" in caplog.text
    assert "tangerine" not in caplog.text


async def test_a_bug_costs_what_was_being_written_and_is_told_and_the_book_goes_on(
    book: LineBook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    book.keep(make_line("tangerine", asked_at=datetime(2025, 3, 1)))  # noqa: DTZ001 - a mistake of whoever keeps it
    await book.flush()
    line = make_line()

    book.keep(line)
    await book.flush()

    assert [each.id for each in await _left(tmp_path)] == [line.id]
    assert "bug: changes of lines are not written down" in caplog.text
    assert "without a time zone" in caplog.text
    assert "tangerine" not in caplog.text


async def test_lines_an_earlier_process_left_are_given_once_and_kept_until_they_are_dropped(
    store: Store, book: LineBook, tmp_path: Path
) -> None:
    said, waits = make_line(), make_line()
    await store.lines.write(added=[said, waits])

    taken = await book.take_up(HOUR)
    again = await book.take_up(HOUR)
    book.drop(said.id)
    book.reach(waits.id, 1)
    await book.flush()

    assert taken == (replace(said, restored=1), replace(waits, restored=1))
    assert again == ()
    assert await _left(tmp_path) == (replace(waits, sentence=1, restored=1),)


async def test_a_line_asked_for_while_the_old_ones_are_taken_up_is_not_taken_for_one_of_them(
    store: Store, tmp_path: Path
) -> None:
    old, before, meanwhile = (make_line(position=place) for place in range(3))
    await store.lines.write(added=[old])
    lines = HeldLines(store.lines)
    async with LineBook(lines, gather=NEVER) as book:
        book.keep(before)
        await book.flush()

        taking = asyncio.create_task(book.take_up(HOUR))
        await lines.asked.wait()
        book.keep(meanwhile)
        writing = asyncio.create_task(book.flush())
        await asyncio.wait({writing}, timeout=0.1)
        lines.held.set()
        taken = await taking
        await writing
        book.drop(old.id)

    assert [line.id for line in taken] == [old.id]
    assert [(line.id, line.restored) for line in await _left(tmp_path)] == [(before.id, 1), (meanwhile.id, 1)]


async def test_lines_that_are_too_old_are_not_taken_up(store: Store, book: LineBook) -> None:
    old = make_line(asked_at=datetime.now(UTC) - timedelta(minutes=61))
    young = make_line(asked_at=datetime.now(UTC) - timedelta(minutes=59))
    await store.lines.write(added=[old, young])

    assert [line.id for line in await book.take_up(HOUR)] == [young.id]


async def test_only_lines_that_are_not_taken_up_are_told_as_given_up(store: Store, book: LineBook) -> None:
    old = make_line(asked_at=datetime.now(UTC) - timedelta(minutes=61))
    young = make_line(asked_at=datetime.now(UTC) - timedelta(minutes=59))
    await store.lines.write(added=[old, young])

    assert await book.given_up(HOUR) == (old,)
    assert await book.take_up(HOUR) == (replace(young, restored=1),)
    assert await book.given_up(HOUR) == ()


async def test_lines_outlive_a_process_that_is_killed_and_are_restored_once(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", KEEP_AND_LIVE_ON, file_url(tmp_path)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"kept\n"
    finally:
        process.kill()

    assert await process.wait() == -signal.SIGKILL
    assert [(line.id[0], line.sentence, line.restored) for line in await _left(tmp_path, crashes=True)] == [
        ("0", 2, 1),
        ("1", 0, 1),
        ("2", 0, 1),
    ]
    assert await _left(tmp_path) == ()


async def test_a_process_that_ends_in_order_does_not_count_against_the_lines_it_leaves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Store(file_url(tmp_path), key=KEY) as store, LineBook(store.lines) as book:
        book.keep(line := make_line())

    starts = [await _left(tmp_path) for _ in range(3)]

    assert starts == [(replace(line, restored=1),)] * 3
    async with Store(f"{file_url(tmp_path)}?timeout=0.01", key=KEY) as store:
        with ExitStack() as stack:
            async with LineBook(store.lines) as book:
                assert await book.take_up(HOUR)
                stack.enter_context(_busy(tmp_path))
    assert "count as if they had" in caplog.text
    assert await _left(tmp_path) == ()


async def test_a_process_that_is_told_to_stop_ends_in_order(tmp_path: Path) -> None:
    async def run() -> None:
        async with _next_process(tmp_path) as taken:
            assert taken == (replace(line, restored=1),)
            asyncio.current_task().cancel()  # what SIGTERM and SIGINT do
            await asyncio.sleep(0)

    async with Store(file_url(tmp_path), key=KEY) as store, LineBook(store.lines) as book:
        book.keep(line := make_line())

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(run())

    assert await _left(tmp_path) == (replace(line, restored=1),)


async def test_a_book_that_is_not_open_says_so(store: Store) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await LineBook(store.lines).flush()
