"""The client: what it asks of Discord, when it sends its commands, and how it shows that it lives."""

import asyncio
import json
import os
from pathlib import Path

import discord
import pytest
from discord import app_commands

from bot.__main__ import is_alive
from bot.client import Bot
from bot.client.commands import sync_commands
from playground.discord import Discord, Guild, Member
from tests.unit.client.conftest import Journal, Start


async def test_no_privileged_intent_is_asked_for(bot: Bot) -> None:
    assert bot.intents.value & discord.Intents(members=True, presences=True, message_content=True).value == 0
    assert bot.intents.guilds
    assert bot.intents.voice_states


async def test_a_mention_in_an_answer_pings_nobody(house: Discord, guild: Guild, alice: Member, bot: Bot) -> None:
    channel = bot.get_channel(guild.text_channel.id)
    assert isinstance(channel, discord.TextChannel)

    await channel.send(f"@everyone {alice.mention}")

    (message,) = guild.text_channel.messages
    assert not message.pings


async def test_the_commands_are_sent_once_and_not_at_the_next_start(house: Discord, start: Start) -> None:
    async with start():
        sent = house.world.commands.synced
    async with start():
        pass

    assert sent == house.world.commands.synced == 1
    assert {command.name for command in house.commands} == {"fail", "show", "read", "guarded"}


async def test_a_bot_in_a_ready_state_shows_that_it_lives(bot: Bot, tmp_path: Path) -> None:
    await bot.wait_until_ready()
    beating = bot._pulse
    assert beating is not None
    async with asyncio.timeout(10):
        while not is_alive(tmp_path):
            await asyncio.sleep(0)
            await bot._beat_once()

    await bot.close()

    assert beating.cancelled() or beating.cancelling()
