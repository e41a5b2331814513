import asyncio

import pytest

from bot.errors import PlaybackError
from bot.playback.line import Line
from bot.playback.link import VoiceLink
from bot.playback.turn import Turn
from tests.unit.playback.aviary import LOUNGE, Aviary, Script


async def never(line: Line) -> VoiceLink:
    await asyncio.Event().wait()
    raise AssertionError(line)


async def test_a_maker_that_goes_quiet_is_given_up(aviary: Aviary) -> None:
    script = Script(20)
    script.hold_at = 5
    turn = Turn(script.line(aviary.channel(LOUNGE)), position=0, stall_seconds=0.05)

    async def join(_line: Line) -> VoiceLink:
        return await aviary.connect(aviary.channel(LOUNGE))

    await turn.take(join)
    with pytest.raises(PlaybackError, match="fell silent"):
        await turn.ticket.done
    assert aviary.heard == []
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


async def test_joining_that_gives_up_by_itself_settles_the_ticket(aviary: Aviary) -> None:
    async def cancelled(_line: Line) -> VoiceLink:
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
