"""Lines that wait or are being said: sealed, taken up in order after a stop, gone without a trace when said."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.models import SavedLine
from bot.store import Store
from tests.unit.store.examples import ALICE, KEY, make_line, make_voice

EVER = datetime(2020, 1, 1, tzinfo=UTC)


def _on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("mynah.db*")))


def _read(folder: Path, question: str) -> list[tuple[bytes, ...]]:
    with closing(sqlite3.connect(folder / "mynah.db")) as connection:
        return connection.execute(question).fetchall()


async def _start_again(url: str, *, key: bytes | None = KEY) -> tuple[SavedLine, ...]:
    """Take up what is there, as a new process does."""
    async with Store(url, key=key) as store:
        return await store.lines.take_up(since=EVER)


async def test_a_line_comes_back_in_another_process_as_it_was_added_and_counted(store: Store, url: str) -> None:
    line = make_line(
        "Grüße, «Ünïcode» 日本 ✨\0\ud800",
        voice_id="house:alloy",
        voice_name="Alloy ✨",
        style="whispering",
        speed=1.25,
        sentence=3,
        position=7,
        asked_at=datetime(2025, 3, 1, 8, 30, 15, 250_000, tzinfo=UTC),
        panel_channel_id=ALICE + 1,
        panel_message_id=ALICE + 2,
    )

    await store.lines.write(added=[line])

    # the first store was not closed, as none is when its process is killed
    assert await _start_again(url) == (replace(line, restored=1),)


async def test_lines_come_back_in_the_order_of_asking_and_at_one_moment_by_their_place(store: Store) -> None:
    now = datetime.now(UTC)
    lines = [make_line(asked_at=now - timedelta(minutes=age), position=age) for age in (5, 4, 3)]
    lines += [make_line(asked_at=now, position=place) for place in (0, 1)]

    await store.lines.write(added=[lines[4], lines[1], lines[3], lines[0], lines[2]])

    taken = await store.lines.take_up(since=EVER)
    assert [line.id for line in taken] == [line.id for line in lines]


async def test_lines_that_are_given_up_are_told_in_the_order_of_asking_and_at_one_moment_by_their_place(
    store: Store,
) -> None:
    now = datetime.now(UTC)
    lines = [make_line(asked_at=now - timedelta(minutes=age), position=age) for age in (5, 4, 3)]
    lines += [make_line(asked_at=now, position=place) for place in range(4)]

    await store.lines.write(added=[lines[place] for place in (6, 1, 5, 0, 3, 2, 4)])

    told = await store.lines.given_up(since=now + timedelta(minutes=1))
    assert [line.id for line in told] == [line.id for line in lines]


async def test_no_words_of_a_line_lie_open_on_the_disk(store: Store, tmp_path: Path) -> None:
    await store.lines.write(added=[make_line("tangerine " * 3, style="marmalade", voice_name="Quincey")])

    everything = _on_disk(tmp_path)

    assert b"Quincey" in everything
    assert b"tangerine" not in everything
    assert b"marmalade" not in everything


async def test_equal_lines_are_sealed_differently(store: Store, tmp_path: Path) -> None:
    await store.lines.write(added=[make_line("the same"), make_line("the same")])

    (first,), (second,) = _read(tmp_path, "SELECT text FROM lines")

    assert first[:12] != second[:12]
    assert first[12:] != second[12:]


async def test_a_dropped_line_leaves_no_trace_while_the_store_is_open(store: Store, tmp_path: Path) -> None:
    gone, stays = make_line("a long text " * 40, voice_name="Unmistakable"), make_line()
    await store.lines.write(added=[gone, stays])
    ((sealed,),) = _read(tmp_path, "SELECT text FROM lines WHERE voice_name = 'Unmistakable'")
    before = _on_disk(tmp_path)

    await store.lines.write(dropped=[gone.id])

    after = _on_disk(tmp_path)
    pieces = [sealed[start : start + 64] for start in range(0, len(sealed) - 64, 64)]
    assert any(piece in before for piece in pieces)
    assert not any(piece in after for piece in pieces)
    assert b"Unmistakable" in before
    assert b"Unmistakable" not in after
    assert [line.id for line in await store.lines.take_up(since=EVER)] == [stays.id]


async def test_lines_that_are_not_taken_up_again_leave_no_trace(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = make_line(voice_name="Unmistakable", asked_at=datetime.now(UTC) - timedelta(hours=1))
    await store.lines.write(added=[old])

    assert await store.lines.take_up(since=datetime.now(UTC) - timedelta(minutes=30)) == ()

    assert b"Unmistakable" not in _on_disk(tmp_path)
    assert "1 too old" in caplog.text


async def test_a_line_taken_up_once_without_a_sentence_said_is_gone_at_the_next_start(store: Store, url: str) -> None:
    line = make_line(sentence=2)
    await store.lines.write(added=[line])

    starts = [[each.restored for each in await _start_again(url)] for _ in range(3)]

    # said by the process it was asked of, and by one more: if both died of it, no third one tries
    assert starts == [[1], [], []]


async def test_lines_that_will_not_be_taken_up_again_are_told_before_they_are_forgotten(store: Store) -> None:
    tried, fresh = make_line(), make_line()
    await store.lines.write(added=[tried])
    await store.lines.take_up(since=EVER)
    await store.lines.write(added=[fresh])

    assert await store.lines.given_up(since=EVER) == (replace(tried, restored=1),)
    assert await store.lines.given_up(since=EVER, besides=[tried.id]) == ()
    assert await store.lines.take_up(since=EVER) == (replace(fresh, restored=1),)
    assert await store.lines.given_up(since=EVER, besides=[fresh.id]) == ()


async def test_lines_that_are_too_old_are_told_before_they_are_forgotten(store: Store) -> None:
    now = datetime.now(UTC)
    old, young = make_line(asked_at=now - timedelta(hours=1)), make_line(asked_at=now)
    await store.lines.write(added=[old, young])
    since = now - timedelta(minutes=30)

    assert [line.id for line in await store.lines.given_up(since=since)] == [old.id]
    assert [line.id for line in await store.lines.take_up(since=since)] == [young.id]
    assert await store.lines.given_up(since=since, besides=[young.id]) == ()


async def test_a_line_that_gets_on_between_the_stops_is_taken_up_every_time(store: Store, url: str) -> None:
    line = make_line()
    await store.lines.write(added=[line])
    seen: list[tuple[int, int]] = []

    for sentence in (1, 2, 3):
        (taken,) = await _start_again(url)
        seen.append((taken.sentence, taken.restored))
        await store.lines.write(reached={line.id: sentence})

    assert seen == [(0, 1), (1, 1), (2, 1)]


async def test_reaching_the_sentence_where_a_line_is_already_is_not_getting_on(store: Store, url: str) -> None:
    line = make_line(sentence=2)
    await store.lines.write(added=[line])
    await _start_again(url)

    await store.lines.write(reached={line.id: 2})

    assert await _start_again(url) == ()


async def test_a_line_never_goes_back_to_a_sentence(store: Store) -> None:
    line = make_line()
    await store.lines.write(added=[line], reached={line.id: 4})

    await store.lines.write(reached={line.id: 1})

    (taken,) = await store.lines.take_up(since=EVER)
    assert taken.sentence == 4


async def test_adding_a_line_again_changes_all_but_how_far_it_is(store: Store) -> None:
    line, other = make_line(), make_line()
    await store.lines.write(added=[line], reached={line.id: 2})
    changed = replace(line, text="Something else.", channel_id=ALICE, panel_channel_id=1, panel_message_id=2)

    await store.lines.write(added=[changed, other])

    assert await store.lines.take_up(since=EVER) == (
        replace(changed, sentence=2, restored=1),
        replace(other, restored=1),
    )


async def test_adding_a_line_again_does_not_take_back_that_it_got_on(store: Store, url: str) -> None:
    line = make_line()
    await store.lines.write(added=[line])
    (taken,) = await _start_again(url)

    await store.lines.write(reached={line.id: 1})
    await store.lines.write(added=[replace(taken, panel_channel_id=1, panel_message_id=2)])

    assert [each.sentence for each in await _start_again(url)] == [1]


async def test_only_the_lines_of_a_process_that_ends_in_order_are_cleared(store: Store, url: str) -> None:
    mine, tried = make_line(), make_line()
    await store.lines.write(added=[mine, tried])
    await store.lines.take_up(since=EVER)

    await store.lines.acquit([mine.id])

    assert await _start_again(url) == (replace(mine, restored=1),)


async def test_what_is_told_of_a_line_that_is_gone_changes_nothing(store: Store) -> None:
    line = make_line()
    await store.lines.write(added=[line])
    await store.lines.write(dropped=[line.id])

    await store.lines.write(reached={line.id: 1}, dropped=[line.id, "0" * 32])

    assert await store.lines.take_up(since=EVER) == ()


async def test_lines_that_are_at_work_are_neither_given_nor_counted(store: Store, url: str) -> None:
    mine, left = make_line(), make_line()
    await store.lines.write(added=[mine, left])

    taken = await store.lines.take_up(since=EVER, besides={mine.id})

    assert taken == (replace(left, restored=1),)
    assert await _start_again(url) == (replace(mine, restored=1),)


async def test_lines_under_another_key_are_forgotten_and_the_others_are_given(
    store: Store, url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Store(url, key=bytes(32)) as elsewhere:
        await elsewhere.lines.write(added=[make_line()])
    line = make_line()
    await store.lines.write(added=[line])

    assert await store.lines.take_up(since=EVER) == (replace(line, restored=1),)

    assert "1 of another key" in caplog.text
    assert _read(tmp_path, "SELECT id FROM lines") == [(line.id,)]


async def test_lines_under_another_key_are_not_told_before_they_are_forgotten(store: Store, url: str) -> None:
    async with Store(url, key=bytes(32)) as elsewhere:
        await elsewhere.lines.write(added=[make_line()])
    line = make_line()
    await store.lines.write(added=[line])

    assert await store.lines.given_up(since=datetime.now(UTC) + timedelta(minutes=1)) == (line,)


async def test_a_start_that_forgets_no_line_says_nothing_in_the_log(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await store.lines.take_up(since=EVER)
    await store.lines.write(added=[make_line()])
    await store.lines.take_up(since=EVER)

    assert [record for record in caplog.records if record.name.startswith("bot.")] == []


@pytest.mark.parametrize("tampering", ["id = '" + "1" * 32 + "'", "text = style", "style = x'00'"])
async def test_words_open_only_in_their_own_place(store: Store, tmp_path: Path, tampering: str) -> None:
    await store.lines.write(added=[make_line(style="sad")])
    with closing(sqlite3.connect(tmp_path / "mynah.db")) as connection, connection:
        connection.execute(f"UPDATE lines SET {tampering}")  # noqa: S608 - written above

    assert await store.lines.take_up(since=EVER) == ()


async def test_without_a_key_no_line_is_kept(url: str, tmp_path: Path) -> None:
    async with Store(url, key=None) as store:
        await store.lines.write(added=[make_line()])

        assert await store.lines.take_up(since=EVER) == ()

    assert _read(tmp_path, "SELECT * FROM lines") == []


async def test_without_a_key_the_lines_that_were_kept_with_one_are_forgotten(
    store: Store, url: str, tmp_path: Path
) -> None:
    await store.lines.write(added=[make_line()])

    assert await _start_again(url, key=None) == ()

    assert _read(tmp_path, "SELECT * FROM lines") == []


async def test_a_line_outlives_its_voice(store: Store) -> None:
    voice = make_voice()
    line = make_line(voice_id=voice.id)
    await store.add(voice)
    await store.lines.write(added=[line])

    await store.delete(voice.id, owner_id=ALICE)

    assert await store.lines.take_up(since=EVER) == (replace(line, restored=1),)


async def test_a_busy_database_changes_nothing_of_what_was_to_be_written_together(url: str, tmp_path: Path) -> None:
    line = make_line()
    async with Store(f"{url}?timeout=0.01", key=KEY) as store:
        await store.lines.write(added=[line])
        with closing(sqlite3.connect(tmp_path / "mynah.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="busy"):
                await store.lines.write(added=[make_line()], reached={line.id: 3}, dropped=[line.id])
            with pytest.raises(StoreError, match="busy"):
                await store.lines.take_up(since=EVER)

        assert await store.lines.take_up(since=EVER) == (replace(line, restored=1),)


async def test_one_bad_line_among_several_writes_none_of_them(store: Store) -> None:
    naive = make_line(asked_at=datetime(2025, 3, 1))  # noqa: DTZ001 - the very mistake

    with pytest.raises(Exception, match="without a time zone"):
        await store.lines.write(added=[make_line(), naive])

    assert await store.lines.take_up(since=EVER) == ()


async def test_two_that_take_up_at_once_do_not_both_get_a_line(store: Store, url: str) -> None:
    await store.lines.write(added=[make_line() for _ in range(20)])

    both = await asyncio.gather(_start_again(url), _start_again(url))

    assert sorted(map(len, both)) == [0, 20]


async def test_two_that_write_at_once_both_have_their_lines_written(store: Store, url: str) -> None:
    lines = [make_line(position=place) for place in range(20)]
    async with Store(url, key=KEY) as other:
        writing = [each.lines.write(added=[line]) for each, line in zip([store, other] * 10, lines, strict=True)]
        await asyncio.gather(*writing)

    assert {line.id for line in await store.lines.take_up(since=EVER)} == {line.id for line in lines}
