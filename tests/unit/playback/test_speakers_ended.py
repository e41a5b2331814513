"""Who may end lines and send the bot away, and what is told of the lines that were not said."""

import pytest

from bot.errors import PlaybackError
from bot.playback import Played, Speakers
from bot.playback.rights import is_in_voice
from tests.unit.playback.aviary import ALICE, ATTIC, BOB, GUILD, LOUNGE, Aviary, Script
from tests.unit.playback.conftest import LIMITS


async def test_stop_ends_the_askers_lines_and_goes_on_with_the_others(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, LOUNGE)
    present = Script(500)
    mine = speakers.enqueue(present.line(aviary.channel(LOUNGE)))
    waiting = speakers.enqueue(Script().line(aviary.channel(LOUNGE)))
    his = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE), BOB))
    await aviary.hears(3)
    assert speakers.stop(GUILD, asker_id=ALICE, may_mute=False) == 2
    played = await mine.done
    assert played.stopped
    assert 3 <= played.packets < 500
    assert present.closed.is_set()
    assert await waiting.done == Played(packets=0, stopped=True)
    assert await his.done == Played(packets=10, stopped=False)


async def test_stop_of_a_waiting_line_leaves_the_present_one_alone(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, LOUNGE)
    present = speakers.enqueue(Script(20).line(aviary.channel(LOUNGE)))
    prepared = Script()
    his = speakers.enqueue(prepared.line(aviary.channel(LOUNGE), BOB))
    await prepared.opened.wait()
    assert speakers.stop(GUILD, asker_id=BOB, may_mute=False) == 1
    assert (await his.done).stopped
    await prepared.closed.wait()
    assert await present.done == Played(packets=20, stopped=False)


async def test_a_member_with_mute_members_stops_everything(aviary: Aviary, speakers: Speakers) -> None:
    tickets = [speakers.enqueue(Script(200).line(aviary.channel(LOUNGE))) for _ in range(3)]
    await aviary.hears(1)
    assert speakers.stop(GUILD, asker_id=BOB, may_mute=True) == 3
    assert [(await ticket.done).stopped for ticket in tickets] == [True] * 3
    with pytest.raises(PlaybackError, match="Nothing is being said here"):
        speakers.stop(GUILD, asker_id=BOB, may_mute=True)


async def test_stop_of_somebody_elses_line_names_whom_to_ask(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE)))
    with pytest.raises(PlaybackError, match="That line is not yours: ask alice or a member with Mute Members"):
        speakers.stop(GUILD, asker_id=BOB, may_mute=False)
    assert not (await ticket.done).stopped


async def test_stop_of_a_line_whose_asker_is_gone_names_nobody(aviary: Aviary, speakers: Speakers) -> None:
    speakers.enqueue(Script(10).line(aviary.channel(LOUNGE), 999))
    with pytest.raises(PlaybackError, match="ask whoever asked for it or"):
        speakers.stop(GUILD, asker_id=BOB, may_mute=False)


async def test_stop_says_so_where_nothing_was_ever_said(speakers: Speakers) -> None:
    with pytest.raises(PlaybackError, match="Nothing is being said here"):
        speakers.stop(GUILD, asker_id=ALICE, may_mute=True)


async def test_a_line_stopped_twice_counts_once(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(200).line(aviary.channel(LOUNGE)))
    await aviary.hears(1)
    assert speakers.stop(GUILD, asker_id=ALICE, may_mute=False) == 1
    with pytest.raises(PlaybackError, match="Nothing"):
        speakers.stop(GUILD, asker_id=ALICE, may_mute=False)
    assert (await ticket.done).stopped


async def test_stop_while_the_bot_still_joins(aviary: Aviary, speakers: Speakers) -> None:
    aviary.answers = False
    ticket = speakers.enqueue(Script().line(aviary.channel(LOUNGE)))
    await aviary.until(lambda: aviary.requests == [(LOUNGE, True)])
    speakers.stop(GUILD, asker_id=ALICE, may_mute=False)
    assert await ticket.done == Played(packets=0, stopped=True)
    aviary.answers = True
    assert (await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done).packets == 10


async def test_leave_stops_everything_and_leaves(aviary: Aviary, speakers: Speakers) -> None:
    present = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    waiting = speakers.enqueue(Script().line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    assert await speakers.leave(GUILD, asker_id=ALICE, may_mute=False)
    assert not is_in_voice(aviary.guild)
    with pytest.raises(PlaybackError, match=r"^Your line was cut short after \d\.\d s: I was sent out of #Lounge\.$"):
        await present.done
    with pytest.raises(PlaybackError, match=r"^Your line was not said: I was sent out of #Lounge\.$"):
        await waiting.done
    assert not await speakers.leave(GUILD, asker_id=ALICE, may_mute=False)


async def test_leave_before_the_first_packet_tells_that_nothing_was_said(aviary: Aviary, speakers: Speakers) -> None:
    script = Script()
    script.hold_at = 0
    ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))
    await script.opened.wait()
    assert await speakers.leave(GUILD, asker_id=ALICE, may_mute=False)
    with pytest.raises(PlaybackError, match=r"^Your line was not said: I was sent out of #Lounge\.$"):
        await ticket.done


async def test_leave_is_refused_to_whoever_does_not_listen_to_what_others_have_said(
    aviary: Aviary, speakers: Speakers
) -> None:
    present = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    for place in (None, ATTIC):
        aviary.move(BOB, place)
        with pytest.raises(PlaybackError, match="Somebody's line is being said here: join the channel first"):
            await speakers.leave(GUILD, asker_id=BOB, may_mute=False)
    assert not present.settled
    assert is_in_voice(aviary.guild)


@pytest.mark.parametrize(("place", "may_mute"), [(LOUNGE, False), (None, True)])
async def test_leave_is_for_those_who_listen_and_those_who_may_mute(
    aviary: Aviary, speakers: Speakers, place: int | None, may_mute: bool
) -> None:
    speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    aviary.move(BOB, place)
    assert await speakers.leave(GUILD, asker_id=BOB, may_mute=may_mute)
    assert not is_in_voice(aviary.guild)


async def test_a_silent_bot_is_sent_away_by_whoever_is_there_or_may_mute(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, ATTIC)
    await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done
    with pytest.raises(PlaybackError, match="I am in #Lounge and you are not: join it"):
        await speakers.leave(GUILD, asker_id=BOB, may_mute=False)
    assert await speakers.leave(GUILD, asker_id=ALICE, may_mute=False)
    await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done
    assert await speakers.leave(GUILD, asker_id=BOB, may_mute=True)
    assert not is_in_voice(aviary.guild)


async def test_a_member_elsewhere_may_end_lines_that_are_all_their_own(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, LOUNGE)
    ticket = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    aviary.move(ALICE, ATTIC)
    assert await speakers.leave(GUILD, asker_id=ALICE, may_mute=False)
    with pytest.raises(PlaybackError, match="cut short"):
        await ticket.done


async def test_leave_where_the_bot_never_was(speakers: Speakers) -> None:
    assert not await speakers.leave(GUILD, asker_id=ALICE, may_mute=False)


async def test_shutting_down_refuses_what_waits_and_what_comes(aviary: Aviary) -> None:
    async with Speakers(LIMITS, connect=aviary.connect) as speakers:
        present = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
        prepared = Script()
        waiting = speakers.enqueue(prepared.line(aviary.channel(LOUNGE)))
        await aviary.hears(3)
    for ticket in (present, waiting):
        with pytest.raises(PlaybackError, match="shutting down"):
            await ticket.done
    assert prepared.closed.is_set()
    assert not is_in_voice(aviary.guild)
    with pytest.raises(PlaybackError, match="shutting down"):
        speakers.enqueue(Script().line(aviary.channel(LOUNGE)))


async def test_a_server_that_was_silent_so_far_is_not_joined_after_shutting_down(aviary: Aviary) -> None:
    async with Speakers(LIMITS, connect=aviary.connect) as speakers:
        pass

    with pytest.raises(PlaybackError, match="shutting down"):
        speakers.enqueue(Script().line(aviary.channel(LOUNGE)))
