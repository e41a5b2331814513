import asyncio
import gc
from dataclasses import replace

import pytest

from bot.errors import PlaybackError, ProviderError
from bot.playback import Played, Speakers
from bot.playback.buffer import SILENCE
from bot.playback.rights import is_in_voice
from tests.unit.playback.aviary import ALICE, ATTIC, BOB, BOT, GUILD, LOUNGE, Aviary, Script
from tests.unit.playback.conftest import LIMITS


async def test_a_line_is_heard_whole_and_in_order(aviary: Aviary, speakers: Speakers) -> None:
    script = Script(12)
    ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))
    assert await ticket.done == Played(packets=12, stopped=False)
    await aviary.hears(12)
    assert aviary.heard == [(LOUNGE, packet) for packet in script.packets]
    assert script.closed.is_set()


async def test_the_bot_joins_deaf(aviary: Aviary, speakers: Speakers) -> None:
    await speakers.enqueue(Script().line(aviary.channel(LOUNGE))).done
    assert aviary.requests == [(LOUNGE, True)]


async def test_a_line_begins_with_200_ms_of_silence(aviary: Aviary, speakers: Speakers) -> None:
    script = Script()
    await speakers.enqueue(script.line(aviary.channel(LOUNGE))).done
    assert aviary.frames[:11] == [SILENCE] * 10 + script.packets[:1]


async def test_lines_are_said_one_after_another_without_joining_again(aviary: Aviary, speakers: Speakers) -> None:
    first, second = Script(10), Script(9)
    tickets = [speakers.enqueue(script.line(aviary.channel(LOUNGE))) for script in (first, second)]
    await tickets[1].done
    await aviary.hears(19)
    assert [packet for _, packet in aviary.heard] == first.packets + second.packets
    assert len(aviary.requests) == 1


async def test_a_ticket_says_how_many_wait_before_it(aviary: Aviary, speakers: Speakers) -> None:
    channel = aviary.channel(LOUNGE)
    first = speakers.enqueue(Script(200).line(channel))
    await aviary.hears(1)
    others = [speakers.enqueue(Script().line(channel)) for _ in range(3)]
    assert [ticket.position for ticket in (first, *others)] == [0, 0, 1, 2]
    assert [ticket.at_once for ticket in (first, *others)] == [True, False, False, False]


async def test_a_full_queue_refuses_and_makes_nothing(aviary: Aviary, speakers: Speakers) -> None:
    script = Script(200)
    for _ in range(3):
        speakers.enqueue(script.line(aviary.channel(LOUNGE)))
    late = Script()
    with pytest.raises(PlaybackError, match="3 lines are waiting"):
        speakers.enqueue(late.line(aviary.channel(LOUNGE)))
    assert not late.opened.is_set()


async def test_the_next_line_is_made_while_one_plays(aviary: Aviary, speakers: Speakers) -> None:
    playing = speakers.enqueue(Script(100).line(aviary.channel(LOUNGE)))
    following = Script()
    speakers.enqueue(following.line(aviary.channel(LOUNGE)))
    await following.opened.wait()
    assert not playing.settled


async def test_a_late_line_is_made_while_one_that_is_all_made_plays(aviary: Aviary, speakers: Speakers) -> None:
    playing = speakers.enqueue(Script(100).line(aviary.channel(LOUNGE)))
    await aviary.hears(1)
    following = Script()
    speakers.enqueue(following.line(aviary.channel(LOUNGE)))
    await following.opened.wait()
    assert not playing.settled


async def test_the_next_line_waits_while_the_present_one_is_made(aviary: Aviary, speakers: Speakers) -> None:
    present, following = Script(20), Script()
    present.hold_at = 10
    speakers.enqueue(present.line(aviary.channel(LOUNGE)))
    ticket = speakers.enqueue(following.line(aviary.channel(LOUNGE)))
    await aviary.hears(10)
    assert not following.opened.is_set()
    present.go.set()
    assert (await ticket.done).packets == 10


async def test_a_lagging_line_is_filled_with_silence_and_loses_nothing(aviary: Aviary, speakers: Speakers) -> None:
    script = Script(20)
    script.hold_at = 10
    ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))
    await aviary.hears(10)
    frames = len(aviary.frames)
    await aviary.until(lambda: aviary.frames[frames:].count(SILENCE) >= 3)
    script.go.set()
    assert await ticket.done == Played(packets=20, stopped=False)


async def test_the_bot_moves_to_where_the_next_line_belongs(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, ATTIC)
    speakers.enqueue(Script(10).line(aviary.channel(LOUNGE)))
    await speakers.enqueue(Script(10).line(aviary.channel(ATTIC), BOB)).done
    await aviary.hears(20)
    assert [channel for channel, _ in aviary.heard] == [LOUNGE] * 10 + [ATTIC] * 10
    assert [channel for channel, _ in aviary.requests] == [LOUNGE, None, ATTIC]


async def test_nothing_is_said_before_the_group_has_its_key(aviary: Aviary, speakers: Speakers) -> None:
    aviary.group_ready = False
    ticket = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE)))
    await aviary.sees(BOT, LOUNGE)
    aviary.group_ready = True
    assert (await ticket.done).packets == 10
    assert aviary.clear == []


async def test_a_line_is_held_while_the_group_renews_its_key(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(20).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    aviary.group_ready = False
    frames = len(aviary.frames)
    await aviary.until(lambda: aviary.frames[frames:].count(SILENCE) >= 3)
    aviary.group_ready = True
    assert await ticket.done == Played(packets=20, stopped=False)
    await aviary.hears(20)
    assert len(aviary.clear) <= 1  # the packet that was on its way when the key went


async def test_a_line_is_held_while_a_broken_connection_is_renewed(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(20).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    await aviary.guild.voice_client.ws.close(4009)
    assert await ticket.done == Played(packets=20, stopped=False)
    await aviary.hears(20)
    assert [channel for channel, _ in aviary.requests] == [LOUNGE, None, LOUNGE]


async def test_a_call_without_encryption_is_spoken_in_at_once(aviary: Aviary, speakers: Speakers) -> None:
    aviary.dave_version, aviary.group_ready = 0, False
    assert (await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done).packets == 10


async def test_a_group_that_never_has_a_key_is_left_with_a_sentence(aviary: Aviary, speakers: Speakers) -> None:
    aviary.group_ready = False
    with pytest.raises(PlaybackError, match="encryption of #Lounge was not ready"):
        await speakers.enqueue(Script().line(aviary.channel(LOUNGE))).done
    assert aviary.guild.voice_client is None
    aviary.group_ready = True
    assert (await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done).packets == 10


async def test_a_line_that_cannot_be_opened_rejects_its_ticket_and_the_next_is_said(
    aviary: Aviary, speakers: Speakers
) -> None:
    fault = ProviderError("The engine is busy: ask again.", kind="server")
    refused = speakers.enqueue(Script(fault=fault).line(aviary.channel(LOUNGE)))
    following = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE)))
    with pytest.raises(ProviderError, match="busy"):
        await refused.done
    assert (await following.done).packets == 10


async def test_a_line_that_breaks_in_the_middle_is_said_so_far_and_rejected(aviary: Aviary, speakers: Speakers) -> None:
    fault = ProviderError("The engine stopped: ask again.", kind="server")
    script = Script(20, fault_after=fault)
    script.hold_at = 15
    ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))
    await aviary.hears(10)
    script.go.set()
    with pytest.raises(ProviderError, match="stopped"):
        await ticket.done
    await aviary.hears(20)


async def test_a_line_that_broke_while_it_waited_costs_no_join(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, ATTIC)
    speakers.enqueue(Script(30).line(aviary.channel(LOUNGE)))
    broken = Script(fault=ProviderError("The engine is busy: ask again.", kind="server"))
    with pytest.raises(ProviderError):
        await speakers.enqueue(broken.line(aviary.channel(ATTIC), BOB)).done
    assert aviary.requests == [(LOUNGE, True)]


async def test_a_line_without_sound_is_no_silent_success(aviary: Aviary, speakers: Speakers) -> None:
    with pytest.raises(PlaybackError, match="made no sound"):
        await speakers.enqueue(Script(0).line(aviary.channel(LOUNGE))).done


async def test_a_bug_in_making_a_line_reaches_its_ticket_only(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(fault=KeyError("bug")).line(aviary.channel(LOUNGE)))
    following = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE)))
    with pytest.raises(KeyError):
        await ticket.done
    assert (await following.done).packets == 10


async def test_a_player_that_fails_is_told_in_words(aviary: Aviary, speakers: Speakers) -> None:
    aviary.send_fault = ValueError("no key")
    with pytest.raises(PlaybackError, match="Playing in #Lounge failed"):
        await speakers.enqueue(Script().line(aviary.channel(LOUNGE))).done


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


async def test_a_kick_in_the_middle_is_waited_out_and_the_sentence_said_again(
    aviary: Aviary, speakers: Speakers
) -> None:
    script, following = Script(50), Script(10)
    present = speakers.enqueue(script.line(aviary.channel(LOUNGE)))
    waiting = speakers.enqueue(following.line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    aviary.move(BOT, None)
    assert await anext(present.news()) == (
        "I was disconnected from #Lounge: /join brings me back, and I go on with your line."
    )
    before = len(aviary.heard)

    speakers.join(aviary.channel(LOUNGE))

    assert await present.done == Played(packets=50, stopped=False)
    assert await waiting.done == Played(packets=10, stopped=False)
    await aviary.hears(before + 60)
    assert [packet for _, packet in aviary.heard[before:]] == script.packets + following.packets


async def test_a_bot_that_was_thrown_out_goes_on_where_it_is_invited_to(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, ATTIC)
    present = speakers.enqueue(Script(50).line(aviary.channel(LOUNGE)))
    waiting = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    aviary.move(BOT, None)
    await anext(present.news())
    before = len(aviary.heard)

    his = speakers.enqueue(Script(10).line(aviary.channel(ATTIC), BOB))

    for ticket in (present, waiting, his):
        await ticket.done
    assert {channel for channel, _ in aviary.heard[before:]} == {ATTIC}


async def test_a_bot_that_is_not_invited_back_gives_its_lines_up(aviary: Aviary) -> None:
    async with Speakers(replace(LIMITS, invitation_seconds=0.05), connect=aviary.connect) as speakers:
        present = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
        waiting = speakers.enqueue(Script().line(aviary.channel(LOUNGE)))
        await aviary.hears(3)
        aviary.move(BOT, None)
        with pytest.raises(PlaybackError, match="disconnected from #Lounge and not invited back"):
            await present.done
        with pytest.raises(PlaybackError, match="before this line's turn"):
            await waiting.done
        assert aviary.guild.voice_client is None
        assert (await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done).packets == 10


async def test_a_kick_between_lines_is_followed_by_joining_again(aviary: Aviary, speakers: Speakers) -> None:
    await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done
    aviary.move(BOT, None)
    await aviary.sees(BOT, None)
    assert (await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done).packets == 10
    assert [channel for channel, _ in aviary.requests if channel] == [LOUNGE, LOUNGE]


async def test_a_moderator_moves_the_bot_and_the_line_goes_on_there(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, ATTIC)
    ticket = speakers.enqueue(Script(30).line(aviary.channel(LOUNGE)))
    await aviary.hears(5)
    aviary.move(BOT, ATTIC)
    assert await ticket.done == Played(packets=30, stopped=False)
    await aviary.hears(30)
    assert {channel for channel, _ in aviary.heard} == {LOUNGE, ATTIC}


async def test_a_move_into_an_empty_channel_ends_the_line(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    aviary.move(BOT, ATTIC)
    with pytest.raises(PlaybackError, match="Nobody is in #Attic, so I left"):
        await ticket.done
    await aviary.sees(BOT, None)


async def test_the_bot_leaves_with_the_last_listener(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    aviary.move(ALICE, None)
    with pytest.raises(PlaybackError, match="Nobody is in #Lounge, so I left"):
        await ticket.done
    await aviary.sees(BOT, None)


async def test_the_bot_stays_while_somebody_listens(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, LOUNGE)
    ticket = speakers.enqueue(Script(20).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    aviary.move(ALICE, ATTIC)
    assert await ticket.done == Played(packets=20, stopped=False)


async def test_lines_elsewhere_are_still_said_when_one_channel_empties(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, ATTIC)
    present = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    elsewhere = speakers.enqueue(Script(10).line(aviary.channel(ATTIC), BOB))
    await aviary.hears(3)
    aviary.move(ALICE, None)
    with pytest.raises(PlaybackError):
        await present.done
    assert await elsewhere.done == Played(packets=10, stopped=False)


async def test_a_line_whose_listeners_left_before_its_turn_is_refused(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, ATTIC)
    speakers.enqueue(Script(20).line(aviary.channel(LOUNGE)))
    late = speakers.enqueue(Script().line(aviary.channel(ATTIC), BOB))
    await aviary.hears(1)
    aviary.move(BOB, None)
    with pytest.raises(PlaybackError, match="Nobody is in #Attic"):
        await late.done


async def test_listeners_who_leave_while_the_bot_joins_are_missed(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script().line(aviary.channel(LOUNGE)))
    aviary.listeners.append(lambda member, *_: aviary.move(ALICE, None) if member.id == BOT else None)
    with pytest.raises(PlaybackError, match="Nobody is in #Lounge"):
        await ticket.done
    await aviary.sees(BOT, None)


async def test_events_where_the_bot_never_was_and_is_no_more_are_no_matter(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, LOUNGE)
    await aviary.sees(BOB, LOUNGE)
    await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done
    await speakers.leave(GUILD, asker_id=ALICE, may_mute=False)
    aviary.move(BOB, None)
    await aviary.sees(BOB, None)
    assert not await speakers.leave(GUILD, asker_id=ALICE, may_mute=False)


async def test_the_bot_leaves_after_idle_time(aviary: Aviary) -> None:
    async with Speakers(replace(LIMITS, idle_seconds=0.05), connect=aviary.connect) as speakers:
        await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done
        await aviary.sees(BOT, None)
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


async def test_anybody_may_send_a_silent_bot_away(aviary: Aviary, speakers: Speakers) -> None:
    await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done
    assert await speakers.leave(GUILD, asker_id=BOB, may_mute=False)
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


async def test_a_muted_bot_does_not_speak_to_itself(aviary: Aviary, speakers: Speakers) -> None:
    await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done
    aviary.move(BOT, LOUNGE, mute=True)
    with pytest.raises(PlaybackError, match="I am muted in #Lounge"):
        await speakers.enqueue(Script().line(aviary.channel(LOUNGE))).done


async def test_giving_up_the_wait_leaves_the_line_alone(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE)))
    waiter = asyncio.ensure_future(ticket.done)
    await aviary.hears(1)
    waiter.cancel()
    assert await ticket.done == Played(packets=10, stopped=False)


async def test_a_failure_nobody_waits_for_is_no_complaint(aviary: Aviary, speakers: Speakers) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    speakers.enqueue(Script(fault=ProviderError("busy", kind="server")).line(aviary.channel(LOUNGE)))
    await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done
    gc.collect()
    assert complaints == []
