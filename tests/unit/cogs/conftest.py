"""The cogs of the voice channel on the real discord.py, above speakers that say nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest

from bot.client import Bot, Rules, build_bot
from bot.cloning import CloneService
from bot.drafts import Drafts
from bot.lines import LineBook
from bot.playback import VocalChannel
from bot.samples import SampleService
from bot.speech import SpeechService
from bot.store import Store
from bot.voices import VoiceService
from bot.watching import VoiceWatch
from playground.discord import Discord, Guild, Member, Room
from tests.unit.cogs.booth import Booth


@pytest.fixture
def lounge(guild: Guild) -> Room:
    return guild.add_voice_channel("Lounge")


@pytest.fixture
async def alice(guild: Guild, lounge: Room) -> Member:
    """Give a member who sits in the lounge."""
    member = guild.add_member("alice")
    await member.joins(lounge)
    return member


@pytest.fixture
def booth() -> Booth:
    return Booth()


@pytest.fixture
async def bot(
    house: Discord,
    alice: Member,
    booth: Booth,
    voices: VoiceService,
    clones: CloneService,
    speech: SpeechService,
    samples: SampleService,
    watch: VoiceWatch,
    store: Store,
    tmp_path: Path,
) -> AsyncIterator[Bot]:
    async with LineBook(store.lines) as book, booth:
        rules = Rules(
            voices=voices,
            clones=clones,
            speech=speech,
            samples=samples,
            speakers=booth,
            drafts=Drafts(),
            watch=watch,
            book=book,
        )
        async with build_bot(
            rules, cogs=["cogs.queue", "cogs.replay"], data_dir=tmp_path, connector=house.connector()
        ) as bot:
            task = asyncio.create_task(bot.start(house.token))
            await house.bot_ready()
            await bot.wait_until_ready()
            yield bot
            await bot.close()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def channel(bot: Bot, lounge: Room) -> VocalChannel:
    """Give the lounge as the bot knows it."""
    found = bot.get_channel(lounge.id)
    assert isinstance(found, discord.VoiceChannel)
    return found
