"""`Lines`, the door to the lines that wait or are being said. Knows their table; does not know who says them."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SavedLine
from bot.store._database import Database
from bot.store._dialect import WRITE
from bot.store._seal import open_words, seal_words
from bot.store._tables import lines

log = logging.getLogger(__name__)

_SEALED = ("text", "style")
_PLAIN = tuple(column.name for column in lines.columns if column.name not in _SEALED)
_COUNTED = frozenset({"id", "sentence", "restored"})

_MOST_RESTORED = 1
"""A line that ends the process whenever it is said must not end it for ever."""

_this = lines.c.id == bindparam("this")


class Lines:
    """Owns the lines of one database, their words sealed. Without a key none is kept.

    Every method raises `StoreError` where the database does not do what is asked, and then nothing was changed.
    """

    def __init__(self, database: Database, *, key: bytes | None) -> None:
        self._database = database
        self._key = key

    async def write(
        self,
        *,
        added: Collection[SavedLine] = (),
        reached: Mapping[str, int] | None = None,
        dropped: Collection[str] = (),
    ) -> None:
        """Add lines, tell which sentence lines have reached, and forget lines without a trace, in one transaction.

        A line that is there already is written anew, but for how far it is. No line goes back to a sentence; of one
        that is not there nothing can be reached or forgotten.
        """
        if self._key is None:
            return
        rows = [_write(self._key, line) for line in added]
        async with self._database.transaction(WRITE) as connection:
            await _put(connection, rows)
            if reached:
                await _reach(connection, reached)
            await _drop(connection, dropped)
        if dropped:
            await self._database.scrub()

    async def acquit(self, line_ids: Collection[str]) -> None:
        """Take it that the process, which ends in order, does not end because of these lines."""
        async with self._database.transaction(WRITE) as connection:
            await connection.execute(lines.update().where(lines.c.id.in_(line_ids)).values(restored=0))

    async def given_up(self, *, since: datetime, besides: Collection[str] = ()) -> tuple[SavedLine, ...]:
        """Give the lines but `besides` that `take_up` will forget, but for those that do not open."""
        these = select(lines).where(lines.c.id.not_in(besides), _stale(since))
        question = these.order_by(lines.c.asked_at, lines.c.position, lines.c.id)
        rows = await self._database.read(lambda connection: connection.execute(question).all())
        return tuple(line for row in rows if (line := self._read(row)) is not None)

    async def take_up(self, *, since: datetime, besides: Collection[str] = ()) -> tuple[SavedLine, ...]:
        """Give all lines but `besides` in order of asking, each counted as restored once more.

        Forgotten instead, without a trace: lines asked for before `since`, lines that were restored before and have not
        got one sentence further, and lines that do not open with the present key.
        """
        left = lines.c.id.not_in(besides)
        async with self._database.transaction(WRITE) as connection:
            # two processes at once take turns on databases with several writers, so that none is said twice
            await connection.execute(select(lines.c.id).where(left).order_by(lines.c.id).with_for_update())
            gone = (await connection.execute(lines.delete().where(left, _stale(since)))).rowcount
            await connection.execute(lines.update().where(left).values(restored=lines.c.restored + 1))
            rows = await connection.execute(
                select(lines).where(left).order_by(lines.c.asked_at, lines.c.position, lines.c.id)
            )
            read = [(row.id, self._read(row)) for row in rows]
            closed = [line_id for line_id, line in read if line is None]
            await _drop(connection, closed)
        if gone or closed:
            log.warning("lines not taken up again: %d too old or tried before, %d of another key", gone, len(closed))
            await self._database.scrub()
        return tuple(line for _, line in read if line is not None)

    def _read(self, row: Row[Any]) -> SavedLine | None:
        """Build the line a row spells, where it opens."""
        if self._key is None:
            return None
        text = open_words(self._key, row.id, "text", row.text)
        style = open_words(self._key, row.id, "style", row.style)
        if text is None or style is None:
            return None
        return SavedLine(text=text, style=style, **{name: getattr(row, name) for name in _PLAIN})


def _stale(since: datetime) -> ColumnElement[bool]:
    """Say which lines are too old, or were restored before and have not got one sentence further."""
    return or_(lines.c.asked_at < since, lines.c.restored >= _MOST_RESTORED)


def _write(key: bytes, line: SavedLine) -> dict[str, Any]:
    """Spell a line as column values."""
    plain = {name: getattr(line, name) for name in _PLAIN}
    return plain | {part: seal_words(key, line.id, part, getattr(line, part)) for part in _SEALED}


async def _put(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    ids = [row["id"] for row in rows]
    there = set((await connection.execute(select(lines.c.id).where(lines.c.id.in_(ids)))).scalars()) if ids else ids
    if new := [row for row in rows if row["id"] not in there]:
        await connection.execute(lines.insert(), new)
    if known := [{"this": row["id"]} | _but_counted(row) for row in rows if row["id"] in there]:
        await connection.execute(lines.update().where(_this), known)


def _but_counted(row: dict[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in row.items() if column not in _COUNTED}


async def _reach(connection: AsyncConnection, reached: Mapping[str, int]) -> None:
    further = lines.update().where(_this, lines.c.sentence < bindparam("reached"))
    await connection.execute(
        further.values(sentence=bindparam("reached"), restored=0),
        [{"this": line_id, "reached": sentence} for line_id, sentence in reached.items()],
    )


async def _drop(connection: AsyncConnection, dropped: Iterable[str]) -> None:
    these = [{"this": line_id} for line_id in dropped]
    if these:
        await connection.execute(lines.delete().where(_this), these)
