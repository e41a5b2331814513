"""Lines that are played and that nobody hears, for all that shows: the bot leaves, comes back once, then says so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.errors import PlaybackError
from bot.models import SavedLine
from bot.playback import Played, Speakers
from bot.playback.buffer import SILENCE
from bot.playback.source import PATIENCE
from tests.unit.playback.aviary import ALICE, GUILD, LOUNGE, Aviary, Script, sentences
from tests.unit.playback.conftest import LIMITS
from tests.unit.store.examples import make_line

BACK = "I lost the connection to #Lounge for a moment and go on with the sentence."
ONCE = [LOUNGE, None, LOUNGE]
"""Joined, left, and joined again."""


@pytest.fixture
async def speakers(aviary: Aviary) -> AsyncIterator[Speakers]:
    async with Speakers(replace(LIMITS, unheard_seconds=0.3), connect=aviary.connect) as speakers:
        aviary.listeners.append(speakers.notice)
        yield speakers


def _joins(aviary: Aviary) -> list[int | None]:
    return [channel for channel, _ in aviary.requests]


def _packets(aviary: Aviary, since: int = 0) -> list[bytes]:
    return [packet for _, packet in aviary.heard[since:]]


@pytest.mark.parametrize("packets", [5, 150])
async def test_a_line_whose_packets_are_all_refused_is_said_in_a_second_connection_however_short_it_is(
    aviary: Aviary, speakers: Speakers, packets: int
) -> None:
    aviary.cut_off = 1
    script = Script(packets)

    ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))

    assert await anext(ticket.news()) == BACK
    assert await ticket.done == Played(packets=packets, stopped=False)
    await aviary.hears(packets)
    assert _packets(aviary) == script.packets
    assert _joins(aviary) == ONCE


async def test_a_line_whose_packets_are_refused_twice_is_told_with_the_cure_and_the_channel_is_left(
    aviary: Aviary, speakers: Speakers
) -> None:
    aviary.cut_off = 2

    ticket = speakers.enqueue(Script(20).line(aviary.channel(LOUNGE)))

    with pytest.raises(PlaybackError) as refusal:
        await ticket.done
    assert str(refusal.value) == (
        "My packets did not get through to #Lounge, twice: ask again, or change the channel's region."
    )
    assert _joins(aviary) == [*ONCE, None]
    assert aviary.heard == []
    assert ticket.report.sent == 0
    assert ticket.report.refused > 0
    assert (await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done).packets == 10


async def test_a_line_whose_packets_nobody_takes_any_more_is_said_again_where_they_are_taken(
    aviary: Aviary, speakers: Speakers
) -> None:
    script = Script(400)
    ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))
    await aviary.hears(3)

    aviary.move_sink()
    assert await anext(ticket.news()) == BACK
    before = len(aviary.heard)
    assert before < 200  # half of them seem to be sent: nobody waited until the line was over

    assert await ticket.done == Played(packets=400, stopped=False)
    await aviary.hears(before + 400)
    assert _packets(aviary, before) == script.packets
    assert _joins(aviary) == ONCE


async def test_every_sentence_that_was_not_heard_is_said_again_and_none_before_it(
    aviary: Aviary, speakers: Speakers
) -> None:
    ticket = speakers.enqueue(sentences(aviary.channel(LOUNGE), 10, 10, 60))
    await aviary.hears(11)

    aviary.guild.voice_client.cut_off()
    assert await anext(ticket.news()) == BACK
    before = len(aviary.heard)

    assert await ticket.done == Played(packets=80, stopped=False)
    await aviary.hears(before + 70)
    assert _packets(aviary)[:10] == [bytes([0x78, 0, packet]) for packet in range(10)]
    assert _packets(aviary, before) == [
        bytes([0x78, number, packet]) for number, size in ((1, 10), (2, 60)) for packet in range(size)
    ]


async def test_a_line_that_discord_does_not_learn_of_is_said_in_a_second_connection(
    aviary: Aviary, speakers: Speakers
) -> None:
    aviary.unannounced = 1
    script = Script(20)

    ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))

    assert await anext(ticket.news()) == BACK
    before = len(aviary.heard)
    assert await ticket.done == Played(packets=20, stopped=False)
    await aviary.hears(before + 20)
    assert _packets(aviary, before) == script.packets
    assert _joins(aviary) == ONCE
    assert ticket.report.announced


async def test_a_line_that_discord_does_not_learn_of_twice_is_told_with_the_cure(
    aviary: Aviary, speakers: Speakers
) -> None:
    aviary.unannounced = 2

    ticket = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))

    with pytest.raises(PlaybackError) as refusal:
        await ticket.done
    assert str(refusal.value) == (
        "Discord did not learn that I speak in #Lounge, twice: ask again, or change the channel's region."
    )
    assert _joins(aviary) == [*ONCE, None]
    assert len(aviary.heard) < 500  # nobody waited until the line was over
    assert ticket.report.announced is False


async def test_a_call_that_loses_its_key_for_good_is_left_and_joined_again(aviary: Aviary, speakers: Speakers) -> None:
    script = Script(60)
    ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))
    await aviary.hears(3)

    aviary.group_ready = False
    await aviary.until(lambda: _joins(aviary) == [LOUNGE, None])
    aviary.group_ready = True
    assert len(aviary.frames) < PATIENCE  # for which a line is held while its connection is being renewed
    before = len(aviary.heard)

    assert await anext(ticket.news()) == BACK
    assert await ticket.done == Played(packets=60, stopped=False)
    await aviary.hears(before + 60)
    assert _packets(aviary, before) == script.packets
    assert _joins(aviary) == ONCE


async def test_a_call_that_loses_its_key_twice_is_told_with_the_cure(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))

    for left in ([LOUNGE, None], [*ONCE, None]):
        await aviary.hears(len(aviary.heard) + 3)
        aviary.group_ready = False
        await aviary.until(lambda left=left: _joins(aviary) == left)
        aviary.group_ready = True

    with pytest.raises(PlaybackError) as refusal:
        await ticket.done
    assert str(refusal.value) == (
        "Nobody in #Lounge had the key to what I said, twice: ask again, or change the channel's region."
    )


async def test_a_paused_line_is_not_taken_for_one_that_is_not_heard(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(60).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    speakers.pause(GUILD, paused=True, asker_id=ALICE, may_mute=False)
    await asyncio.wait((asyncio.ensure_future(ticket.done),), timeout=1.0)
    assert not ticket.settled

    speakers.pause(GUILD, paused=False, asker_id=ALICE, may_mute=False)

    assert await ticket.done == Played(packets=60, stopped=False)
    assert _joins(aviary) == [LOUNGE]


async def test_a_line_that_is_stopped_while_nobody_hears_it_is_not_said_again(
    aviary: Aviary, speakers: Speakers
) -> None:
    aviary.cut_off = 1
    ticket = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    await aviary.until(lambda: aviary.guild.voice_client is not None and aviary.guild.voice_client.refused > 0)

    speakers.stop(GUILD, asker_id=ALICE, may_mute=False)

    assert (await ticket.done).stopped
    assert _joins(aviary) == [LOUNGE]


async def test_a_lull_of_the_voice_is_not_taken_for_packets_that_do_not_leave(
    aviary: Aviary, speakers: Speakers
) -> None:
    script = Script(60)
    script.hold_at = 30
    ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))
    await aviary.until(lambda: len(aviary.frames) > 45 and aviary.frames[-25:] == [SILENCE] * 25)
    await asyncio.wait((asyncio.ensure_future(ticket.done),), timeout=1.0)
    assert not ticket.settled

    script.go.set()

    assert await ticket.done == Played(packets=60, stopped=False)
    assert _joins(aviary) == [LOUNGE]


class Notebook:
    """A ledger. Owns what was written into it."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.reached: list[int] = []

    def keep(self, line: SavedLine) -> None:
        self.kept.append(line.id)

    def reach(self, _line_id: str, sentence: int) -> None:
        self.reached.append(sentence)

    def drop(self, line_id: str) -> None:
        self.kept.remove(line_id)


@pytest.mark.parametrize(("cut_off", "kept"), [(False, False), (True, True)])
async def test_a_last_sentence_that_nobody_hears_before_the_process_ends_stays_written_down(
    aviary: Aviary, cut_off: bool, kept: bool
) -> None:
    notebook = Notebook()
    limits = replace(LIMITS, unheard_seconds=60.0, finish_seconds=10.0)
    async with Speakers(limits, connect=aviary.connect, ledger=notebook) as speakers:
        line = replace(sentences(aviary.channel(LOUNGE), 10, 50), saved=make_line())
        ticket = speakers.enqueue(line)
        await aviary.hears(15)
        if cut_off:
            aviary.guild.voice_client.cut_off()

    assert bool(notebook.kept) is kept
    assert notebook.reached == ([1] if cut_off else [1, 2])
    if kept:
        with pytest.raises(PlaybackError, match="goes on when I am back"):
            await ticket.done
    else:
        assert (await ticket.done).packets == 60
