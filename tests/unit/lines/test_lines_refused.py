"""A database that refuses what the book of lines writes: nobody waits, nothing is forgotten, the log is told."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.errors import StoreError
from bot.lines import LineBook
from bot.store import Lines, Store
from tests.unit.lines.desk import NEVER, NotedLines, busy, left_by
from tests.unit.store.examples import make_line


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


async def test_nobody_waits_for_a_database_that_isbusy(book: LineBook, tmp_path: Path) -> None:
    line = make_line()
    with busy(tmp_path):
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
    with busy(tmp_path):
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
    left = await left_by(tmp_path)
    assert sorted(left, key=lambda line: line.position) == [
        replace(first, sentence=1, restored=1),
        replace(second, restored=1),
    ]


async def test_a_refused_line_that_was_said_meanwhile_does_not_come_back(book: LineBook, tmp_path: Path) -> None:
    line = make_line()
    with busy(tmp_path):
        book.keep(line)
        await book.flush()
        book.drop(line.id)
        await book.flush()

    await book.flush()

    assert await left_by(tmp_path) == ()


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

    assert await left_by(tmp_path) == (replace(anew, sentence=2, restored=1),)


async def test_each_time_a_database_begins_to_refuse_is_told_and_each_end_of_it_once(
    book: LineBook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot.lines")
    for _ in range(2):
        with busy(tmp_path):
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
        with busy(tmp_path):
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

    assert [each.id for each in await left_by(tmp_path)] == [line.id]
    assert "bug" not in caplog.text


async def test_what_was_refused_is_tried_again_without_anybody_asking(store: Store, tmp_path: Path) -> None:
    line = make_line()
    lines = NotedLines(store.lines)
    async with LineBook(lines, gather=0.001, retry=0.001) as book:
        with busy(tmp_path):
            book.keep(line)
            assert [await lines.written.get() for _ in range(3)] == ["refused"] * 3
        while await lines.written.get() != "done":
            pass

        assert [each.id for each in await left_by(tmp_path)] == [line.id]


async def test_closing_on_a_database_that_refuses_ends_and_tells_how_many_lines_it_costs(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with busy(tmp_path):
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

    assert [each.id for each in await left_by(tmp_path)] == [line.id]
    assert "bug: changes of lines are not written down" in caplog.text
    assert "without a time zone" in caplog.text
    assert "tangerine" not in caplog.text
