"""Where the bot is sent while it speaks, joins or leaves, and what those who asked are told of it."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import PlaybackError
from bot.playback import Speakers, is_in_voice
from tests.unit.playback.aviary import ALICE, ATTIC, BOB, BOT, GUILD, LOUNGE, Aviary, Script
from tests.unit.playback.conftest import LIMITS


async def test_a_line_that_is_moved_says_where_it_goes_on_and_is_replayed_there(
    aviary: Aviary, speakers: Speakers
) -> None:
    told: list[str] = []

    async def tell(sentence: str) -> None:
        told.append(sentence)

    aviary.move(BOB, ATTIC)
    attic = aviary.channel(ATTIC)
    ticket = speakers.enqueue(replace(Script(30).line(aviary.channel(LOUNGE)), tell=tell))
    await aviary.hears(5)

    aviary.move(BOT, ATTIC)

    moved = f"I was moved to {attic.mention}, and go on there."
    assert await anext(ticket.news()) == moved
    assert (await ticket.done).channel == attic
    assert told == [moved]
    assert [line.channel for line in speakers.said(attic)] == [attic]


async def test_who_sends_it_away_while_it_comes_is_answered_and_it_leaves(aviary: Aviary, speakers: Speakers) -> None:
    coming = asyncio.ensure_future(speakers.join(aviary.channel(LOUNGE)))
    await aviary.sees(BOT, LOUNGE)

    left = await asyncio.wait_for(speakers.leave(GUILD, asker_id=ALICE, may_mute=True), 10)

    assert left
    assert not is_in_voice(aviary.guild)
    await asyncio.wait((coming,))
    assert coming.exception() is None or "sent away before I came" in str(coming.exception())


async def test_who_calls_it_while_it_leaves_has_it_back(aviary: Aviary, speakers: Speakers) -> None:
    await speakers.join(aviary.channel(LOUNGE))
    leaving = asyncio.create_task(speakers.leave(GUILD, asker_id=ALICE, may_mute=True))
    await asyncio.sleep(0)

    came = await asyncio.wait_for(speakers.join(aviary.channel(LOUNGE)), 10)

    assert came == aviary.channel(LOUNGE)
    assert await leaving
    assert is_in_voice(aviary.guild)


async def test_a_channel_that_is_deleted_under_a_line_is_left_at_once(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    await aviary.hears(5)

    aviary.delete_channel(LOUNGE)
    speakers.judge(GUILD)

    with pytest.raises(PlaybackError, match="#Lounge is gone"):
        await ticket.done
    await aviary.until(lambda: not speakers.is_about(GUILD))


async def test_a_line_paused_while_muted_waits_for_resume_after_the_unmute(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    await aviary.hears(5)
    news = ticket.news()
    aviary.move(BOT, LOUNGE, mute=True)
    assert "I was muted" in await anext(news)
    speakers.pause(GUILD, paused=True, asker_id=ALICE, may_mute=False)

    aviary.move(BOT, LOUNGE)

    assert await anext(news) == "I may speak in #Lounge again: /resume lets your line go on."
    speakers.stop(GUILD, asker_id=ALICE, may_mute=False)


async def test_a_service_that_is_slow_is_told_of_once_nothing_came(aviary: Aviary) -> None:
    script = Script(20)
    script.hold_at = 0
    async with Speakers(replace(LIMITS, slow_seconds=0.3), connect=aviary.connect) as speakers:
        ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))

        assert "The voice service is slow" in await anext(ticket.news())
        speakers.stop(GUILD, asker_id=ALICE, may_mute=False)
