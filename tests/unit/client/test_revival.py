"""Lines that an earlier process left: asked for again as they were, and what is told of those that cannot be said."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.client import Bot
from bot.client.announcements import Announcements
from bot.client.revival import BACK, LATE, TWICE, Revival
from bot.errors import PlaybackError, StoreError
from bot.lines import LineBook
from bot.models import SavedLine, Voice
from bot.playback import Played
from bot.store import Store
from playground.discord import Discord, Guild, Member, Room
from tests.fakes import FakeProvider
from tests.unit.client.conftest import Journal
from tests.unit.cogs.booth import Booth
from tests.unit.store.examples import KEY, file_url, make_line
from tests.unit.voices_house import Clone

LOST = "I was restarted, and your line was not said to its end: "


@pytest.fixture
def lounge(guild: Guild) -> Room:
    return guild.add_voice_channel("Lounge")


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Store]:
    """Give a database that the running bot, which looks for lines by itself, does not know."""
    folder = tmp_path / "shelf"
    await asyncio.to_thread(folder.mkdir)
    async with Store(file_url(folder), key=KEY) as opened:
        yield opened


@pytest.fixture
async def booth() -> AsyncIterator[Booth]:
    async with Booth() as booth:
        booth.played = Played(packets=50, stopped=False)
        yield booth


@pytest.fixture
async def voice(clone: Clone, alice: Member) -> Voice:
    return await clone("Aki", owner_id=alice.id)


@pytest.fixture
def left(guild: Guild, alice: Member, lounge: Room, voice: Voice) -> SavedLine:
    """Give a line of alice's that was in its second sentence."""
    return make_line(
        "The first sentence is this one. The second sentence is that one.",
        guild_id=guild.id,
        channel_id=lounge.id,
        asker_id=alice.id,
        voice_id=voice.id,
        speed=1.5,
        sentence=1,
    )


def revival(bot: Bot, book: LineBook, booth: Booth) -> Revival:
    rules, announcements = bot.rules, Announcements(bot, booth)
    return Revival(
        bot, book=book, voices=rules.voices, speech=rules.speech, speakers=booth, announcements=announcements
    )


def panel_says(guild: Guild, words: str) -> bool:
    return guild.text_channel.messages[-1].content == words


async def revive(bot: Bot, shelf: Store, booth: Booth, *lines: SavedLine) -> None:
    """Leave lines behind, and have them taken up."""
    await shelf.lines.write(added=lines)
    async with LineBook(shelf.lines) as book:
        await revival(bot, book, booth).run()


async def test_a_line_goes_on_with_the_sentence_it_had_reached_in_the_same_manner(
    bot: Bot, shelf: Store, booth: Booth, provider: FakeProvider, alice: Member, lounge: Room, left: SavedLine
) -> None:
    await revive(bot, shelf, booth, left)

    (line,) = booth.asked
    assert (line.asker_id, line.channel.id, line.voice, line.start) == (alice.id, lounge.id, "Aki", 1)
    assert line.saved is not None
    assert (line.saved.id, line.saved.restored) == (left.id, 1)
    async with line.open(line.start) as packets:
        assert [packet async for portion in packets for packet in portion]
    asked = provider.last("synthesize")
    assert (asked.text, asked.speed, asked.party) == ("The second sentence is that one.", 1.5, left.guild_id)
    assert alice.direct_messages == []


async def test_a_line_that_cannot_be_said_any_more_is_told_and_struck_out_and_the_next_one_is_said(
    bot: Bot, shelf: Store, booth: Booth, alice: Member, left: SavedLine
) -> None:
    gone = make_line(guild_id=left.guild_id, channel_id=7, asker_id=alice.id, voice_id=left.voice_id)

    await revive(bot, shelf, booth, gone, left)

    (told,) = alice.direct_messages
    assert told.content == f"{LOST}its channel is gone, or I am not in that server any more."
    assert [line.saved.id for line in booth.asked if line.saved] == [left.id]
    assert [line.id for line in await shelf.lines.take_up(since=datetime(2020, 1, 1, tzinfo=UTC))] == [left.id]


async def test_a_line_of_a_server_that_let_the_bot_go_is_told_at_once(
    bot: Bot, shelf: Store, booth: Booth, alice: Member, left: SavedLine
) -> None:
    async with asyncio.timeout(20):
        await revive(bot, shelf, booth, replace(left, guild_id=7, channel_id=7))

    (told,) = alice.direct_messages
    assert told.content == f"{LOST}its channel is gone, or I am not in that server any more."


async def test_a_line_that_was_taken_up_before_and_got_no_further_is_told_and_not_said(
    bot: Bot, shelf: Store, booth: Booth, alice: Member, left: SavedLine
) -> None:
    await revive(bot, shelf, booth, replace(left, restored=1))

    assert [seen.content for seen in alice.direct_messages] == [LOST + TWICE]
    assert booth.asked == []


async def test_a_line_that_fails_after_a_restart_is_told_by_direct_message(
    bot: Bot, shelf: Store, booth: Booth, alice: Member, left: SavedLine
) -> None:
    booth.fault = PlaybackError("Nobody is in #Lounge, so I left.")

    await revive(bot, shelf, booth, left)

    assert [seen.content for seen in alice.direct_messages] == [f"{LOST}Nobody is in #Lounge, so I left."]


@pytest.mark.parametrize(("minutes", "said", "told"), [(29, 1, []), (31, 0, [LOST + LATE])])
async def test_a_line_that_nobody_waits_for_any_more_is_not_said_and_its_asker_is_told(
    bot: Bot, shelf: Store, booth: Booth, alice: Member, left: SavedLine, minutes: int, said: int, told: list[str]
) -> None:
    await revive(bot, shelf, booth, replace(left, asked_at=datetime.now(UTC) - timedelta(minutes=minutes)))

    assert len(booth.asked) == said
    assert [seen.content for seen in alice.direct_messages] == told


async def test_it_is_told_once_where_lines_were_announced_that_the_bot_goes_on(
    house: Discord, bot: Bot, shelf: Store, booth: Booth, guild: Guild, left: SavedLine
) -> None:
    panel = await bot.get_partial_messageable(guild.text_channel.id).send("Speaking.")
    booth.played = None  # the lines wait for ever
    first = replace(left, panel_channel_id=guild.text_channel.id, panel_message_id=panel.id)

    reviving = asyncio.create_task(revive(bot, shelf, booth, first, replace(first, id="2" * 32, position=1)))
    try:
        async with asyncio.timeout(10):
            await house.world.events.bell.until(lambda: panel_says(guild, BACK))
    finally:
        reviving.cancel()
        await asyncio.wait((reviving,))

    assert len(guild.text_channel.messages) == 1


async def test_a_database_that_does_not_answer_costs_the_lines_and_not_the_start(
    bot: Bot, booth: Booth, shelf: Store, journal: Journal
) -> None:
    class Busy(LineBook):
        async def given_up(self, max_age: timedelta) -> tuple[SavedLine, ...]:
            raise StoreError("The voice store is busy: try again in a minute.")

    async with Busy(shelf.lines) as book:
        await revival(bot, book, booth).run()

    assert booth.asked == []
    assert (await journal.tells("what was left unsaid cannot be read")).levelname == "WARNING"
