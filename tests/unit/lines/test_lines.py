"""The book of lines: written by one task, soon and in order."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.lines import LineBook
from bot.store import Store
from tests.unit.lines.desk import NEVER, NotedLines, left_by, watched
from tests.unit.store.examples import make_line


async def test_a_kept_line_is_there_for_the_next_process_with_the_sentence_it_reached(
    book: LineBook, tmp_path: Path
) -> None:
    line = make_line()
    book.keep(line)
    book.reach(line.id, 1)
    await book.flush()
    book.reach(line.id, 2)
    await book.flush()

    assert await left_by(tmp_path) == (replace(line, sentence=2, restored=1),)


async def test_a_line_that_was_said_is_not_there_for_thenext_process(book: LineBook, tmp_path: Path) -> None:
    said, waits = make_line(), make_line()
    book.keep(said)
    book.keep(waits)
    await book.flush()

    book.drop(said.id)
    await book.flush()

    assert [line.id for line in await left_by(tmp_path)] == [waits.id]


async def test_changes_are_written_without_anybody_asking(store: Store, tmp_path: Path) -> None:
    said, waits = make_line(), make_line()
    lines = NotedLines(store.lines)
    async with LineBook(lines, gather=0.001) as book:
        book.keep(said)
        book.keep(waits)
        await lines.written.get()
        book.drop(said.id)
        await lines.written.get()

        assert [line.id for line in await left_by(tmp_path)] == [waits.id]


async def test_closing_writes_out_what_is_pending(store: Store, tmp_path: Path) -> None:
    line, said = make_line(), make_line()
    async with LineBook(store.lines, gather=NEVER) as book:
        book.keep(said)
        await book.flush()
        book.keep(line)
        book.reach(line.id, 3)
        book.drop(said.id)

    assert await left_by(tmp_path) == (replace(line, sentence=3, restored=1),)


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

    assert [each.id for each in await left_by(tmp_path)] == [line.id]


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

    assert [line.id for line in await left_by(tmp_path)] == [waits.id]


async def test_sentences_reached_together_are_written_as_the_last_one(book: LineBook, tmp_path: Path) -> None:
    line = make_line()

    with watched(tmp_path) as done:
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

    left = await left_by(tmp_path)
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

    assert await left_by(tmp_path) == ()


async def test_a_book_that_is_not_open_says_so(store: Store) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await LineBook(store.lines).flush()
