"""Skipping, pausing, the queue as members see it, a mute in the middle, and the lines that can be said again."""

import asyncio
import gc
import weakref
from dataclasses import replace

import pytest

from bot.errors import PlaybackError
from bot.playback import Speakers
from bot.playback.buffer import DOUBTFUL, SILENCE
from bot.playback.history import REMEMBERED
from tests.unit.playback.aviary import ALICE, ATTIC, BOB, BOT, GUILD, LOUNGE, Aviary, Script, sentences


async def test_skip_ends_the_line_that_is_said_and_the_next_one_begins(aviary: Aviary, speakers: Speakers) -> None:
    first = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    second = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE), BOB))
    await aviary.hears(3)

    skipped = speakers.skip(GUILD, asker_id=ALICE, may_mute=False)

    assert skipped.asker_id == ALICE
    assert (await first.done).stopped
    assert (await second.done).packets == 10


async def test_skip_is_for_who_asked_and_for_those_who_may_mute(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)

    with pytest.raises(PlaybackError, match="not yours: ask alice"):
        speakers.skip(GUILD, asker_id=BOB, may_mute=False)
    speakers.skip(GUILD, asker_id=BOB, may_mute=True)

    assert (await ticket.done).stopped
    with pytest.raises(PlaybackError, match="Nothing is being said"):
        speakers.skip(GUILD, asker_id=ALICE, may_mute=False)


async def test_a_paused_line_is_silent_and_goes_on_without_losing_or_repeating_a_packet(
    aviary: Aviary, speakers: Speakers
) -> None:
    script = Script(60)
    ticket = speakers.enqueue(script.line(aviary.channel(LOUNGE)))
    await aviary.hears(5)

    speakers.pause(GUILD, paused=True, asker_id=ALICE, may_mute=False)
    await aviary.until(lambda: aviary.frames[-1] == SILENCE)
    heard = len(aviary.heard)
    await asyncio.sleep(0.1)
    assert len(aviary.heard) == heard
    assert [queued.paused for queued in speakers.queue(GUILD)] == [True]
    speakers.pause(GUILD, paused=True, asker_id=ALICE, may_mute=False)
    with pytest.raises(PlaybackError, match="not yours"):
        speakers.pause(GUILD, paused=True, asker_id=BOB, may_mute=False)
    speakers.pause(GUILD, paused=False, asker_id=ALICE, may_mute=False)

    assert (await ticket.done).packets == 60
    assert [packet for _, packet in aviary.heard] == script.packets


async def test_the_queue_tells_who_has_what_said_and_how_far_it_is(aviary: Aviary, speakers: Speakers) -> None:
    speakers.enqueue(sentences(aviary.channel(LOUNGE), 100, 100))
    speakers.enqueue(Script(10).line(aviary.channel(LOUNGE), BOB))
    await aviary.hears(5)

    first, second = speakers.queue(GUILD)

    assert (first.line.voice, first.speaking, first.line.sentences[0]) == ("Aki", True, "Sentence 0.")
    assert 0 < first.said_seconds < first.expected_seconds
    assert (second.line.asker_id, second.speaking, second.said_seconds) == (BOB, False, 0)
    speakers.stop(GUILD, asker_id=ALICE, may_mute=True)
    assert speakers.queue(GUILD) == ()


async def test_a_mute_in_the_middle_says_the_sentence_again_and_none_before_it(
    aviary: Aviary, speakers: Speakers
) -> None:
    ticket = speakers.enqueue(sentences(aviary.channel(LOUNGE), 10, 50))
    await aviary.hears(10 + DOUBTFUL)

    aviary.move(BOT, LOUNGE, mute=True)
    assert "I was muted in #Lounge" in await anext(ticket.news())
    assert [(queued.paused, queued.muted) for queued in speakers.queue(GUILD)] == [(False, True)]
    await aviary.until(lambda: aviary.frames[-1] == SILENCE)
    heard = len(aviary.heard)
    aviary.move(BOT, LOUNGE)
    await ticket.done

    packets = [packet for _, packet in aviary.heard]
    assert heard < 60
    assert packets[heard:] == [bytes([0x78, 1, number]) for number in range(50)]
    assert packets.count(bytes([0x78, 0, 0])) == 1


async def test_the_last_lines_that_were_heard_are_remembered_the_latest_first_and_no_more(
    aviary: Aviary, speakers: Speakers
) -> None:
    lines = [Script(2).line(aviary.channel(LOUNGE)) for _ in range(REMEMBERED + 1)]
    for line in lines:
        await speakers.enqueue(line).done
    with pytest.raises(PlaybackError):
        await speakers.enqueue(Script(0).line(aviary.channel(LOUNGE))).done

    assert [line.open for line in speakers.said(aviary.channel(LOUNGE))] == [line.open for line in reversed(lines[1:])]
    assert speakers.said(aviary.channel(ATTIC)) == ()


async def test_a_line_that_is_said_again_is_remembered_once_and_last(aviary: Aviary, speakers: Speakers) -> None:
    first, second = (sentences(aviary.channel(LOUNGE), 2) for _ in range(2))
    for line in (first, second, replace(first, id="again")):
        await speakers.enqueue(line).done

    assert [line.id for line in speakers.said(aviary.channel(LOUNGE))] == ["again", second.id]


async def test_what_has_no_words_is_not_remembered(aviary: Aviary, speakers: Speakers) -> None:
    await speakers.enqueue(sentences(aviary.channel(LOUNGE), 5, sentences=("",))).done

    assert speakers.said(aviary.channel(LOUNGE)) == ()


async def test_a_name_that_is_a_mention_pings_nobody(aviary: Aviary, speakers: Speakers) -> None:
    aviary.guild.get_member(ALICE).nick = "@everyone"
    speakers.enqueue(Script(50).line(aviary.channel(LOUNGE)))

    with pytest.raises(PlaybackError) as told:
        speakers.skip(GUILD, asker_id=BOB, may_mute=False)

    assert "everyone" in str(told.value)
    assert "@everyone" not in str(told.value)


async def test_a_mute_that_ends_is_told(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(50).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    aviary.move(BOT, LOUNGE, mute=True)
    news = ticket.news()
    muted = await anext(news)

    aviary.move(BOT, LOUNGE)

    assert muted == "I was muted in #Lounge: your line waits until a moderator unmutes me."
    assert await anext(news) == "I may speak in #Lounge again: your line goes on with its sentence."


async def test_a_line_that_is_to_be_said_once_is_not_remembered(aviary: Aviary, speakers: Speakers) -> None:
    lines = [Script(2).line(aviary.channel(LOUNGE)) for _ in range(2)]

    for line in (lines[0], replace(lines[1], replayable=False)):
        await speakers.enqueue(line).done

    assert [line.open for line in speakers.said(aviary.channel(LOUNGE))] == [lines[0].open]


async def test_a_line_has_begun_when_the_bot_is_there_and_never_where_it_was_over_before(
    aviary: Aviary, speakers: Speakers
) -> None:
    first = speakers.enqueue(Script(500).line(aviary.channel(LOUNGE)))
    second = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE), BOB))

    assert await first.begun()
    speakers.stop(GUILD, asker_id=BOB, may_mute=False)

    assert not await second.begun()
    speakers.stop(GUILD, asker_id=ALICE, may_mute=False)
    assert (await first.done).stopped


async def test_of_a_line_that_is_to_be_said_once_nothing_is_held_when_the_next_was_said(
    aviary: Aviary, speakers: Speakers
) -> None:
    script = Script(10)
    held = weakref.ref(script)
    await speakers.enqueue(replace(script.line(aviary.channel(LOUNGE)), replayable=False)).done
    del script

    await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done

    gc.collect()
    assert held() is None
