import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from bot.errors import PlaybackError
from bot.playback.line import Line, Played
from bot.playback.link import VoiceLink
from bot.playback.turn import Turn
from tests.unit.playback.aviary import ALICE, LOUNGE, Aviary, Script


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
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        self.opened.set()
        try:
            if not self._opens:
                await self.go.wait()
            yield self._packets()
        finally:
            self.closed.set()

    async def _packets(self) -> AsyncIterator[bytes]:
        await self.go.wait()
        for packet in Script(20).packets:
            yield packet


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
