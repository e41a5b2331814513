"""Lines in a channel: in turn, whole, under a key, and what is told of one that cannot be said."""

import asyncio
import gc
import time

import pytest

from bot.errors import PlaybackError, ProviderError
from bot.playback import Played, Speakers
from bot.playback.buffer import SILENCE
from bot.playback.player import TAIL
from bot.playback.source import END, LEAD
from bot.playback.turn import BREATH
from tests.unit.playback.aviary import ATTIC, BOB, BOT, LOUNGE, Aviary, Script


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


@pytest.mark.parametrize(("quiet", "silence"), [(-60.0, BREATH), (5.0, 0), (40.0, LEAD)])
async def test_a_line_is_set_off_from_one_just_before_and_led_in_after_a_long_quiet(
    aviary: Aviary, speakers: Speakers, quiet: float, silence: int
) -> None:
    await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done
    await aviary.until(lambda: aviary.frames[-END - TAIL :] == [SILENCE] * (END + TAIL))
    before = len(aviary.frames)
    sender = aviary.guild.voice_client._sender
    sender.last_sent = sender.last_voiced = time.monotonic() - quiet  # below 0: just now, on the slowest machine

    following = Script(10)
    await speakers.enqueue(following.line(aviary.channel(LOUNGE))).done
    await aviary.hears(20)

    assert aviary.frames[before:].index(following.packets[0]) == silence


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
