"""Inviting the bot: it comes, says where it came to, and goes on with what it owes; and what it may not do any more."""

import asyncio
import gc

import discord
import pytest

from bot.errors import PlaybackError
from bot.playback import Played, Speakers
from bot.playback.buffer import SILENCE
from bot.playback.player import TAIL
from bot.playback.rights import is_in_voice
from bot.playback.source import LEAD
from tests.unit.playback.aviary import ALICE, ATTIC, BOB, BOT, GUILD, LOUNGE, STAGE, Aviary, Script, sentences


def overwrite(*, allow: int = 0, deny: int = 0) -> list[dict[str, object]]:
    return [{"id": str(GUILD), "type": 0, "allow": str(allow), "deny": str(deny)}]


SPEAK = discord.Permissions(speak=True).value
ASK = discord.Permissions(request_to_speak=True).value


async def kicked(aviary: Aviary) -> None:
    aviary.move(BOT, None)
    await aviary.sees(BOT, None)


async def test_a_silent_bot_comes_and_sends_the_silence_that_listeners_need(aviary: Aviary, speakers: Speakers) -> None:
    channel = await speakers.join(aviary.channel(LOUNGE))

    assert channel.id == LOUNGE
    await aviary.until(lambda: len(aviary.frames) == LEAD + TAIL)
    assert set(aviary.frames) == {SILENCE}
    assert await speakers.join(aviary.channel(LOUNGE)) == channel
    assert aviary.requests == [(LOUNGE, True)]


async def test_a_line_that_is_asked_for_while_the_bot_comes_waits_for_that_silence(
    aviary: Aviary, speakers: Speakers
) -> None:
    await speakers.join(aviary.channel(LOUNGE))
    script = Script(10)

    assert await speakers.enqueue(script.line(aviary.channel(LOUNGE))).done == Played(packets=10, stopped=False)

    await aviary.hears(10)
    assert aviary.frames[:LEAD] == [SILENCE] * LEAD
    assert [packet for _, packet in aviary.heard] == script.packets


async def test_a_bot_that_speaks_is_not_called_away(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, ATTIC)
    ticket = speakers.enqueue(Script(20).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)

    with pytest.raises(PlaybackError, match="I am speaking in #Lounge: ask again when I am done, or /stop me there"):
        speakers.join(aviary.channel(ATTIC))

    assert (await ticket.done).packets == 20
    assert (await speakers.join(aviary.channel(ATTIC))).id == ATTIC


async def test_who_invites_the_bot_is_told_why_it_could_not_come(aviary: Aviary, speakers: Speakers) -> None:
    aviary.voice_fault = ConnectionRefusedError()

    with pytest.raises(PlaybackError, match="Discord broke off while I joined #Lounge"):
        await speakers.join(aviary.channel(LOUNGE))

    assert not speakers.is_about(GUILD)


async def test_an_invitation_whose_answer_nobody_waits_for_is_no_complaint(aviary: Aviary, speakers: Speakers) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    aviary.voice_fault = ConnectionRefusedError()
    forgotten, given_up = (asyncio.ensure_future(speakers.join(aviary.channel(LOUNGE))) for _ in range(2))
    given_up.cancel()
    await asyncio.wait((forgotten,))
    del forgotten
    aviary.voice_fault = None

    assert (await speakers.enqueue(Script(10).line(aviary.channel(LOUNGE))).done).packets == 10
    gc.collect()
    assert complaints == []


async def test_a_bot_that_is_thrown_out_while_it_is_silent_is_not_about_any_more(
    aviary: Aviary, speakers: Speakers
) -> None:
    gone = asyncio.Event()

    async def left(_guild_id: int) -> None:
        gone.set()

    speakers.on_left(left)
    await speakers.join(aviary.channel(LOUNGE))
    assert speakers.is_about(GUILD)

    await kicked(aviary)
    async with asyncio.timeout(10):
        await gone.wait()

    assert not speakers.is_about(GUILD)


async def test_an_earlier_wish_does_not_bring_a_bot_back_that_was_thrown_out(
    aviary: Aviary, speakers: Speakers
) -> None:
    present = speakers.enqueue(Script(50).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    waiting = speakers.enqueue(Script(10).line(aviary.channel(LOUNGE)))

    await kicked(aviary)
    await anext(present.news())
    for _ in range(100):
        await asyncio.sleep(0)

    assert [channel for channel, _ in aviary.requests if channel] == [LOUNGE]
    speakers.join(aviary.channel(LOUNGE))
    assert (await present.done).packets == 50
    assert (await waiting.done).packets == 10


async def test_only_what_was_for_the_lost_channel_is_said_where_the_bot_is_invited_to(
    aviary: Aviary, speakers: Speakers
) -> None:
    aviary.move(BOB, ATTIC)
    present = speakers.enqueue(Script(30).line(aviary.channel(LOUNGE)))
    elsewhere = speakers.enqueue(Script(10).line(aviary.channel(ATTIC), BOB))
    await aviary.hears(3)
    await kicked(aviary)
    await anext(present.news())

    speakers.join(aviary.channel(LOUNGE))
    await present.done
    await elsewhere.done

    assert [channel for channel, _ in aviary.requests if channel] == [LOUNGE, LOUNGE, ATTIC]


async def test_a_connection_lost_again_in_the_same_sentence_ends_the_line(aviary: Aviary, speakers: Speakers) -> None:
    ticket = speakers.enqueue(Script(200).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    await kicked(aviary)
    await anext(ticket.news())
    before = len(aviary.heard)
    speakers.join(aviary.channel(LOUNGE))
    await aviary.hears(before + 3)

    await kicked(aviary)

    with pytest.raises(PlaybackError, match="I lost the connection to #Lounge again and again"):
        await ticket.done


async def test_a_connection_lost_once_in_each_of_two_sentences_costs_no_word(
    aviary: Aviary, speakers: Speakers
) -> None:
    ticket = speakers.enqueue(sentences(aviary.channel(LOUNGE), 30, 30))
    news = ticket.news()
    for number in range(2):
        await aviary.until(lambda number=number: (LOUNGE, bytes([0x78, number, 2])) in aviary.heard)
        await kicked(aviary)
        while "/join" not in await anext(news):
            pass
        speakers.join(aviary.channel(LOUNGE))

    assert await ticket.done == Played(packets=60, stopped=False)


async def test_who_may_not_speak_any_more_is_not_waited_for_after_it_was_thrown_out(
    aviary: Aviary, speakers: Speakers
) -> None:
    ticket = speakers.enqueue(Script(200).line(aviary.channel(LOUNGE)))
    await aviary.hears(3)
    aviary.edit_channel(LOUNGE, permission_overwrites=overwrite(deny=SPEAK))

    await kicked(aviary)

    with pytest.raises(PlaybackError, match="I may not speak in #Lounge: give me Connect and Speak there"):
        await ticket.done


async def test_lines_that_may_not_be_said_any_more_end_with_the_cure(aviary: Aviary, speakers: Speakers) -> None:
    aviary.move(BOB, ATTIC)
    lost = [speakers.enqueue(Script(200).line(aviary.channel(LOUNGE))) for _ in range(2)]
    elsewhere = speakers.enqueue(Script(10).line(aviary.channel(ATTIC), BOB))
    await aviary.hears(3)
    aviary.edit_channel(LOUNGE, permission_overwrites=overwrite(deny=SPEAK))

    speakers.judge(GUILD)

    for ticket in lost:
        with pytest.raises(PlaybackError, match="I may not speak in #Lounge: give me Connect and Speak there"):
            await ticket.done
    assert (await elsewhere.done).packets == 10


async def test_who_speaks_on_a_stage_need_not_be_allowed_to_ask_again(aviary: Aviary, speakers: Speakers) -> None:
    aviary.edit_channel(STAGE, permission_overwrites=overwrite(allow=ASK))
    aviary.move(ALICE, STAGE)
    ticket = speakers.enqueue(Script(30).line(aviary.channel(STAGE)))
    await aviary.hears(3)
    aviary.edit_channel(STAGE, permission_overwrites=[])

    speakers.judge(GUILD)

    assert await ticket.done == Played(packets=30, stopped=False)
    assert is_in_voice(aviary.guild)


async def test_a_line_that_nobody_would_hear_is_refused_before_anything_is_made(
    aviary: Aviary, speakers: Speakers
) -> None:
    script = Script()

    with pytest.raises(PlaybackError, match="Nobody is in #Attic to hear it"):
        speakers.enqueue(script.line(aviary.channel(ATTIC)))

    assert not script.opened.is_set()
    assert aviary.requests == []
