"""Where the bot is: it follows lines, moderators and listeners, and comes back where it was thrown out."""

from dataclasses import replace

import pytest

from bot.errors import PlaybackError
from bot.playback import Played, Speakers
from tests.unit.playback.aviary import ALICE, ATTIC, BOB, BOT, GUILD, LOUNGE, Aviary, Script
from tests.unit.playback.conftest import LIMITS


async def test_the_bot_moves_to_where_the_next_line_belongs(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, ATTIC)
    speakers.enqueue(Script(10).line(aviary.channel(LOUNGE)))
    await speakers.enqueue(Script(10).line(aviary.channel(ATTIC), BOB)).done
    await aviary.hears(20)
    assert [channel for channel, _ in aviary.heard] == [LOUNGE] * 10 + [ATTIC] * 10
    assert [channel for channel, _ in aviary.requests] == [LOUNGE, None, ATTIC]


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


async def test_a_line_that_is_asked_for_while_the_bot_leaves_an_empty_channel_is_said_there(
    aviary: Aviary, speakers: Speakers
) -> None:
    await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done
    aviary.move(ALICE, None)
    await aviary.sees(ALICE, None)

    aviary.move(ALICE, LOUNGE)
    ticket = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE)))

    assert await ticket.done == Played(packets=10, stopped=False)
    await aviary.hears(20)
    assert [channel for channel, _ in aviary.requests] == [LOUNGE, None, LOUNGE]


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
