import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

import pytest

from bot.errors import PlaybackError
from bot.models import Packets
from bot.playback.buffer import LEAST_HEAD, Head
from bot.playback.line import Line, Played
from bot.playback.link import VoiceLink
from bot.playback.source import LEAD
from bot.playback.turn import Turn
from tests.unit.playback.aviary import ALICE, LOUNGE, Aviary, Script, sentences


async def never(turn: Turn) -> VoiceLink:
    await asyncio.Event().wait()
    raise AssertionError(turn)


async def test_a_maker_that_goes_quiet_is_given_up_and_what_it_made_is_heard(aviary: Aviary) -> None:
    script = Script(20)
    script.hold_at = 5
    turn = Turn(script.line(aviary.channel(LOUNGE)), position=0, stall_seconds=0.05)

    async def join(_turn: Turn) -> VoiceLink:
        return await aviary.connect(aviary.channel(LOUNGE))

    await turn.take(join)
    with pytest.raises(PlaybackError, match="fell silent"):
        await turn.ticket.done
    assert [packet for _, packet in aviary.heard if packet in script.packets] == script.packets[:5]
    await aviary.guild.voice_client.disconnect(force=True)


class Slow:
    """A line whose voice takes its time. Owns when it is open, and when its first packet is there."""

    def __init__(self, *, opens: bool) -> None:
        self.opened = asyncio.Event()
        self.go = asyncio.Event()
        self.closed = asyncio.Event()
        self._opens = opens

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Packets]:
        self.opened.set()
        try:
            if not self._opens:
                await self.go.wait()
            yield self._packets()
        finally:
            self.closed.set()

    async def _packets(self) -> Packets:
        await self.go.wait()
        for packet in Script(20).packets:
            yield [packet]


@pytest.mark.parametrize("opens", [False, True])
async def test_a_first_sound_is_waited_for_as_long_as_its_maker_waits(aviary: Aviary, opens: bool) -> None:
    slow = Slow(opens=opens)
    turn = Turn(
        Line(asker_id=ALICE, channel=aviary.channel(LOUNGE), open=lambda _: slow.open()), position=0, stall_seconds=0.02
    )

    async def join(_turn: Turn) -> VoiceLink:
        return await aviary.connect(aviary.channel(LOUNGE))

    taking = asyncio.create_task(turn.take(join))
    await slow.opened.wait()
    await asyncio.wait((taking,), timeout=0.1)
    assert not turn.over
    slow.go.set()

    assert await turn.ticket.done == Played(packets=20, stopped=False)
    await taking
    await aviary.guild.voice_client.disconnect(force=True)


@pytest.mark.parametrize("opens", [False, True])
async def test_a_line_is_stopped_while_its_first_sound_is_waited_for(aviary: Aviary, opens: bool) -> None:
    slow = Slow(opens=opens)
    joined = asyncio.Event()

    async def join(_turn: Turn) -> VoiceLink:
        link = await aviary.connect(aviary.channel(LOUNGE))
        joined.set()
        return link

    turn = Turn(Line(asker_id=ALICE, channel=aviary.channel(LOUNGE), open=lambda _: slow.open()), position=0)
    taking = asyncio.create_task(turn.take(join))
    await slow.opened.wait()
    await joined.wait()

    turn.interrupt()

    assert await turn.ticket.done == Played(packets=0, stopped=True)
    await taking
    assert slow.closed.is_set()
    await aviary.guild.voice_client.disconnect(force=True)


async def test_a_turn_cut_off_from_outside_still_settles_its_ticket(aviary: Aviary) -> None:
    script = Script()
    turn = Turn(script.line(aviary.channel(LOUNGE)), position=0)
    taking = asyncio.create_task(turn.take(never))
    await script.opened.wait()
    taking.cancel()
    with pytest.raises(PlaybackError, match="cut off"):
        await turn.ticket.done
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert script.closed.is_set()


async def test_a_cancellation_that_joining_swallows_still_ends_the_line(aviary: Aviary) -> None:
    joining = asyncio.Event()

    async def stubborn(_turn: Turn) -> VoiceLink:
        link = await aviary.connect(aviary.channel(LOUNGE))
        joining.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return link

    turn = Turn(Script().line(aviary.channel(LOUNGE)), position=0)
    taking = asyncio.create_task(turn.take(stubborn))
    await joining.wait()
    turn.interrupt()
    assert await turn.ticket.done == Played(packets=0, stopped=True)
    await taking
    assert aviary.frames == []
    await aviary.guild.voice_client.disconnect(force=True)


async def test_joining_that_gives_up_by_itself_settles_the_ticket(aviary: Aviary) -> None:
    async def cancelled(_turn: Turn) -> VoiceLink:
        raise asyncio.CancelledError

    turn = Turn(Script().line(aviary.channel(LOUNGE)), position=0)
    await turn.take(cancelled)
    with pytest.raises(PlaybackError, match="cut off"):
        await turn.ticket.done


async def test_the_first_outcome_of_a_ticket_counts(aviary: Aviary) -> None:
    turn = Turn(Script().line(aviary.channel(LOUNGE)), position=0)
    turn.interrupt()
    turn.interrupt(PlaybackError("late"))
    turn.ticket.reject(PlaybackError("later"))
    assert (await turn.ticket.done).stopped


async def test_what_was_seen_while_a_line_was_played_is_in_its_report(aviary: Aviary) -> None:
    turn = Turn(Script(20).line(aviary.channel(LOUNGE)))

    await turn.take(partial(_joined, aviary))

    report = turn.ticket.report
    assert (report.announced, report.refused) == (True, 0)
    assert report.sent >= LEAD + 20
    await aviary.guild.voice_client.disconnect(force=True)


async def test_packets_that_the_network_does_not_take_are_in_the_report(aviary: Aviary) -> None:
    turn = Turn(Script(20).line(aviary.channel(LOUNGE)))
    taking = asyncio.create_task(turn.take(partial(_joined, aviary)))
    await aviary.hears(1)

    aviary.sink.close()  # who sends there is told so with the next packet
    await taking

    assert turn.ticket.report.refused > 0
    assert aviary.guild.voice_client is None


async def test_after_a_line_that_lagged_more_is_gathered_before_the_next_begins(aviary: Aviary) -> None:
    head, script = Head(), Script(20)
    script.hold_at = 10
    turn = Turn(script.line(aviary.channel(LOUNGE)), head=head)
    taking = asyncio.create_task(turn.take(partial(_joined, aviary)))
    await aviary.hears(10)
    frames = len(aviary.frames)
    await aviary.until(lambda: len(aviary.frames) >= frames + 3)

    script.go.set()
    await taking

    assert head.packets == 2 * LEAST_HEAD
    await aviary.guild.voice_client.disconnect(force=True)


async def test_a_line_that_goes_on_is_expected_to_last_as_long_as_what_is_left_of_it(aviary: Aviary) -> None:
    whole = sentences(aviary.channel(LOUNGE), 1, 1, 1)

    assert Turn(replace(whole, start=2)).expected_seconds == pytest.approx(Turn(whole).expected_seconds / 3)


async def test_a_line_that_goes_on_begins_with_the_sentence_it_had_reached(aviary: Aviary) -> None:
    turn = Turn(replace(sentences(aviary.channel(LOUNGE), 3, 3, 3), start=1))

    await turn.take(partial(_joined, aviary))

    assert await turn.ticket.done == Played(packets=6, stopped=False)
    await aviary.hears(6)
    assert aviary.heard[0] == (LOUNGE, bytes([0x78, 1, 0]))
    await aviary.guild.voice_client.disconnect(force=True)


async def _joined(aviary: Aviary, _turn: Turn) -> VoiceLink:
    return await aviary.connect(aviary.channel(LOUNGE))
