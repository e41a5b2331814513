"""Lines that an earlier process left: taken up once, or told as given up."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.lines import LineBook
from bot.models import SavedLine
from bot.store import Lines, Store
from tests.unit.lines.desk import HOUR, NEVER, busy, left_by, next_process
from tests.unit.store.examples import KEY, file_url, make_line

ROOT = Path(__file__).parents[3]

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
    assert await left_by(tmp_path) == (replace(waits, sentence=1, restored=1),)


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
    assert [(line.id, line.restored) for line in await left_by(tmp_path)] == [(before.id, 1), (meanwhile.id, 1)]


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
    assert [(line.id[0], line.sentence, line.restored) for line in await left_by(tmp_path, crashes=True)] == [
        ("0", 2, 1),
        ("1", 0, 1),
        ("2", 0, 1),
    ]
    assert await left_by(tmp_path) == ()


async def test_a_process_that_ends_in_order_does_not_count_against_the_lines_it_leaves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Store(file_url(tmp_path), key=KEY) as store, LineBook(store.lines) as book:
        book.keep(line := make_line())

    starts = [await left_by(tmp_path) for _ in range(3)]

    assert starts == [(replace(line, restored=1),)] * 3
    async with Store(f"{file_url(tmp_path)}?timeout=0.01", key=KEY) as store:
        with ExitStack() as stack:
            async with LineBook(store.lines) as book:
                assert await book.take_up(HOUR)
                stack.enter_context(busy(tmp_path))
    assert "count as if they had" in caplog.text
    assert await left_by(tmp_path) == ()


async def test_a_process_that_is_told_to_stop_ends_in_order(tmp_path: Path) -> None:
    async def run() -> None:
        async with next_process(tmp_path) as taken:
            assert taken == (replace(line, restored=1),)
            asyncio.current_task().cancel()  # what SIGTERM and SIGINT do
            await asyncio.sleep(0)

    async with Store(file_url(tmp_path), key=KEY) as store, LineBook(store.lines) as book:
        book.keep(line := make_line())

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(run())

    assert await left_by(tmp_path) == (replace(line, restored=1),)
