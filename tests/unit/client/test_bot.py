"""The client: what it asks of Discord, when it sends its commands, and how it shows that it lives."""

import asyncio
from pathlib import Path

import discord

from bot.__main__ import is_alive
from bot.client import Bot
from playground.discord import Discord, Guild, Member
from tests.unit.client.conftest import Start


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


async def test_the_commands_are_sent_at_the_first_start_and_not_at_the_next(house: Discord, start: Start) -> None:
    async with start():
        assert {command.name for command in house.commands} == {
            "fail",
            "show",
            "read",
            "record",
            "promise",
            "hurry",
            "guarded",
        }
    house.rest.hitches.fail(r"PUT .*/commands$", status=403)

    async with start():
        assert house.rest.hitches.met == 0


async def test_a_bot_that_is_ready_shows_that_it_lives_and_no_longer_when_it_is_closed(
    bot: Bot, tmp_path: Path
) -> None:
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(is_alive, tmp_path):
            assert not bot.is_closed()

    await bot.close()
    await asyncio.to_thread((tmp_path / "alive").unlink)

    assert not is_alive(tmp_path)
