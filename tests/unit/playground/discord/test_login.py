"""A real bot logs in: REST, the gateway's identify, READY, shards, intents."""

import asyncio

import aiohttp
import discord
import pytest

from playground.discord import Discord, Guild, Member, PlaygroundError, open_discord
from tests.unit.playground.discord.bots import INTENTS, Bot, ask, running


async def test_bot_logs_in_and_sees_its_servers(house: Discord, guild: Guild) -> None:
    lounge = guild.add_voice_channel("Lounge", user_limit=3)
    stage = guild.add_stage_channel("Stage")
    async with running(house) as bot:
        seen = bot.get_guild(guild.id)
        assert bot.user is not None
        assert bot.user.name == "Mynah"
        assert seen is not None
        assert seen.name == "Aviary"
        voice, platform = seen.get_channel(lounge.id), seen.get_channel(stage.id)
        assert isinstance(voice, discord.VoiceChannel)
        assert voice.user_limit == 3
        assert isinstance(platform, discord.StageChannel)
        assert seen.me.guild_permissions.connect
        info = await bot.application_info()
        assert info.id == house.bot_user.id


async def test_what_happens_in_a_server_reaches_a_connected_bot(house: Discord, guild: Guild) -> None:
    async with running(house) as bot:
        new = guild.add_text_channel("news")
        (channel,) = await bot.hears("guild_channel_create")
        assert channel.id == new.id
        guild.deny(new, "send_messages", to=guild.bot)
        await bot.hears("guild_channel_update")
        assert not channel.permissions_for(channel.guild.me).send_messages
        guild.remove_channel(new)
        await bot.hears("guild_channel_delete")
        role = guild.add_role("singers", "mute_members", mentionable=True)
        (seen,) = await bot.hears("guild_role_create")
        assert seen.id == role.id
        guild.deny(role, "mute_members")
        await bot.hears("guild_role_update")
        guild.allow(role, permissions=["speak"])
        await bot.hears("guild_role_update")
        assert seen.permissions.value == discord.Permissions(speak=True).value
        other = house.add_guild("Second")
        (joined,) = await bot.hears("guild_join")
        assert joined.id == other.id


async def test_a_wrong_token_does_not_log_in(house: Discord) -> None:
    bot = Bot(house, None, INTENTS)
    async with bot:
        with pytest.raises(discord.LoginFailure):
            await bot.login("wrong")


async def test_a_privileged_intent_is_refused_unless_it_was_granted(house: Discord, guild: Guild) -> None:
    wanted = discord.Intents(guilds=True, members=True)
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await running(house, intents=wanted).__aenter__()
    house.gateway.faults.allowed_intents = wanted.value
    async with running(house, intents=wanted, chunk_guilds_at_startup=False) as bot:
        guild.add_member("alice")
        (member,) = await bot.hears("member_join")
        assert member.name == "alice"


async def test_members_are_not_told_without_the_intent(house: Discord, guild: Guild) -> None:
    async with running(house) as bot:
        guild.add_member("alice")
        guild.add_text_channel("after")
        await bot.hears("guild_channel_create")
        seen = bot.get_guild(guild.id)
        assert seen is not None
        assert [member.id for member in seen.members] == [house.bot_user.id]


async def test_servers_are_shared_out_over_the_shards() -> None:
    async with open_discord(shards=2) as house:
        guilds = [house.add_guild("Aviary")]
        while (guilds[0].id >> 22) % 2 == (guilds[-1].id >> 22) % 2:
            await asyncio.sleep(0.001)
            guilds.append(house.add_guild("Another"))
        async with running(house) as bot:
            await bot.hears("shard_connect")
            await bot.hears("shard_connect")
            for guild in (guilds[0], guilds[-1]):
                seen = bot.get_guild(guild.id)
                assert seen is not None
                assert seen.shard_id == (guild.id >> 22) % 2
            first, second = guilds[0].add_text_channel("first"), guilds[-1].add_text_channel("second")
            told = [(await bot.hears("guild_channel_create"))[0].id for _ in range(2)]
            assert sorted(told) == [first.id, second.id]


async def test_presence_is_accepted(house: Discord, guild: Guild) -> None:
    async with running(house, activity=discord.Game("with voices")) as bot:
        assert house.gateway.presence["status"] is None
        await bot.change_presence(status=discord.Status.idle)
        await ask(house, "GET", "/gateway")
        assert house.gateway.presence["status"] == "idle"


async def test_bot_ready_says_what_is_missing(house: Discord) -> None:
    with pytest.raises(TimeoutError, match="shards ready: False, commands synced: False"):
        await house.bot_ready(timeout=0.01)


async def test_only_discords_hosts_can_be_reached() -> None:
    async def visit() -> None:
        async with open_discord() as house, aiohttp.ClientSession(connector=house.connector()) as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get("https://example.com/")

    with pytest.raises(PlaygroundError, match=r"example\.com"):
        await visit()


async def test_an_unknown_route_is_refused_and_named_at_the_end() -> None:
    async def visit() -> None:
        async with open_discord() as house:
            status, _ = await ask(house, "GET", "/users/@me/guilds")
            assert status == 501
            status, _ = await ask(house, "GET", "/../../nonsense")
            assert status == 501

    with pytest.raises(PlaygroundError, match=r"GET /users/@me/guilds"):
        await visit()


async def test_what_was_met_is_added_to_another_error() -> None:
    async def visit() -> None:
        async with open_discord() as house:
            await ask(house, "GET", "/users/@me/guilds")
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as caught:
        await visit()
    assert "GET /users/@me/guilds" in caught.value.__notes__[0]


async def test_what_was_forgiven_is_not_raised(house: Discord) -> None:
    await ask(house, "GET", "/users/@me/guilds")
    assert house.breaches.found == ("unknown route: GET /users/@me/guilds",)
    assert house.breaches.forgive() == ("unknown route: GET /users/@me/guilds",)


async def test_an_unknown_host_of_discords_is_recorded(house: Discord) -> None:
    async with aiohttp.ClientSession(connector=house.connector()) as session:
        response = await session.get("https://status.discord.com/")
        assert response.status == 501
    assert "status.discord.com" in house.breaches.forgive()[0]


async def test_users_members_and_servers_can_be_fetched(house: Discord, guild: Guild, alice: Member) -> None:
    async with running(house) as bot:
        user = await bot.fetch_user(alice.id)
        assert user.name == "alice"
        fetched = await bot.fetch_guild(guild.id, with_counts=False)
        assert fetched.name == "Aviary"
        assert (await fetched.fetch_member(alice.id)).name == "alice"
        assert [channel.name for channel in await fetched.fetch_channels()] == ["general"]
        assert [role.name for role in await fetched.fetch_roles()] == ["@everyone"]
        assert (await bot.fetch_channel(guild.text_channel.id)).id == guild.text_channel.id
        with pytest.raises(discord.NotFound):
            await bot.fetch_user(5)
        with pytest.raises(discord.NotFound):
            await fetched.fetch_member(5)
        with pytest.raises(discord.NotFound):
            await bot.fetch_guild(5)
