"""Calls: a bot joins, is heard, is moved and kicked; what it may not join stays silent."""

import asyncio

import discord
import pytest

from playground.discord import ClientRefused, Discord, Guild, Member, Room
from tests.unit.playground.discord.bots import Bot, ask, running, until
from tests.unit.playground.voice.tone import Packets, pitch, tone


@pytest.fixture
def lounge(guild: Guild) -> Room:
    return guild.add_voice_channel("Lounge")


async def connect(bot: Bot, room: Room, seconds: float = 10.0) -> discord.VoiceClient:
    channel = bot.get_channel(room.id)
    assert isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    return await channel.connect(timeout=seconds, self_deaf=True)


async def settled(house: Discord, room: Room) -> None:
    async with asyncio.timeout(10):
        await house.voice.settled(channel_id=room.id)


async def test_a_member_hears_what_the_bot_plays(house: Discord, lounge: Room, alice: Member) -> None:
    async with running(house) as bot:
        await alice.joins(lounge)
        voice = await connect(bot, lounge)
        await settled(house, lounge)
        voice.play(Packets(tone(0.6)))
        heard = await alice.hears(lounge, seconds=0.5)
        heard = await alice.silence(lounge)
        assert (heard.packets, heard.clear_packets, heard.seconds) == (30, 0, pytest.approx(0.6))
        assert pitch(heard.pcm) == pytest.approx(440, abs=3)
        assert alice.heard().packets == 30
        assert lounge.present == ["alice", "Mynah"]
        await voice.disconnect()
        assert lounge.present == ["alice"]


async def test_members_come_and_go_before_the_bots_eyes(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    den = guild.add_voice_channel("Den")
    async with running(house) as bot:
        await alice.joins(lounge)
        member, before, after = await bot.hears("voice_state_update")
        assert (member.name, before.channel, after.channel.name) == ("alice", None, "Lounge")
        await alice.moves(den)
        _, before, after = await bot.hears("voice_state_update")
        assert (before.channel.name, after.channel.name) == ("Lounge", "Den")
        with pytest.raises(LookupError, match="alice is not in Lounge"):
            alice.heard(lounge)
        guild.move(alice, lounge)
        await bot.hears("voice_state_update")
        guild.kick_from_voice(alice)
        await alice.leaves()
        with pytest.raises(LookupError, match="alice is not in a call"):
            alice.heard()
        path = f"/guilds/{guild.id}/members/{alice.id}"
        assert (await ask(house, "PATCH", path, json={"mute": True}))[1]["code"] == 40032


async def test_a_bot_that_logs_in_sees_who_is_already_there(house: Discord, lounge: Room, alice: Member) -> None:
    await alice.joins(lounge)
    async with running(house) as bot:
        await bot.wait_until_ready()
        channel = bot.get_channel(lounge.id)
        assert isinstance(channel, discord.VoiceChannel)
        assert [member.name for member in channel.members] == ["alice"]


async def test_full_and_closed_channels_do_not_answer_the_bot(house: Discord, guild: Guild, alice: Member) -> None:
    small = guild.add_voice_channel("Small", user_limit=1)
    closed = guild.add_voice_channel("Closed")
    guild.deny(closed, "connect")
    await alice.joins(small)
    bob = guild.add_member("bob")
    for room in (small, closed, guild.text_channel):
        with pytest.raises(ClientRefused, match="bob cannot join"):
            await bob.joins(room)
    async with running(house) as bot:
        for room in (small, closed):
            with pytest.raises(asyncio.TimeoutError):
                await connect(bot, room, seconds=0.05)
        guild.allow(small, "move_members", to=guild.bot)
        voice = await connect(bot, small)
        assert small.present == ["alice", "Mynah"]
        await voice.disconnect()


async def test_a_moved_bot_goes_on_speaking_where_it_was_moved_to(
    house: Discord, guild: Guild, lounge: Room, alice: Member, bob: Member
) -> None:
    den = guild.add_voice_channel("Den")
    await alice.joins(lounge)
    await bob.joins(den)
    async with running(house) as bot:
        voice = await connect(bot, lounge)
        await settled(house, lounge)
        guild.move(house.bot_user, den)
        async with asyncio.timeout(10):
            await house.voice.connected(guild_id=guild.id, user_id=house.bot_user.id, channel_id=den.id)
        await settled(house, den)
        await until(voice.is_connected)
        assert voice.channel.id == den.id
        voice.play(Packets(tone(0.3)))
        await bob.hears(den, seconds=0.2)
        assert alice.heard(lounge).packets == 0
        await voice.disconnect()


async def test_a_kicked_bot_is_out(house: Discord, guild: Guild, lounge: Room, alice: Member) -> None:
    async with running(house) as bot:
        await alice.joins(lounge)
        voice = await connect(bot, lounge)
        guild.kick_from_voice(house.bot_user)
        await until(lambda: not voice.is_connected())
        assert lounge.present == ["alice"]
        await connect(bot, lounge)
        guild.remove_channel(lounge)
        seen = bot.get_guild(guild.id)
        assert seen is not None
        await until(lambda: seen.voice_client is None)


async def test_the_bot_rejoins_after_its_connection_was_lost(house: Discord, guild: Guild, lounge: Room) -> None:
    async with running(house) as bot:
        voice = await connect(bot, lounge)
        channel = bot.get_channel(lounge.id)
        assert isinstance(channel, discord.VoiceChannel)
        await channel.guild.change_voice_state(channel=channel, self_mute=True, self_deaf=True)
        _, _, after = await bot.hears("voice_state_update")
        while not after.self_mute:
            _, _, after = await bot.hears("voice_state_update")
        assert voice.is_connected()
        await voice.disconnect()


async def test_a_bot_on_a_stage_listens_until_it_may_speak(house: Discord, guild: Guild, alice: Member) -> None:
    stage = guild.add_stage_channel("Stage")
    await alice.joins(stage)
    async with running(house) as bot:
        voice = await connect(bot, stage)
        me = voice.guild.me
        assert me.voice is not None
        assert me.voice.suppress
        assert stage.speakers == []
        with pytest.raises(discord.Forbidden):
            await me.edit(suppress=False)
        await me.request_to_speak()
        assert (await me.fetch_voice()).requested_to_speak_at is not None
        guild.allow(stage, "mute_members", to=guild.bot)
        await me.edit(suppress=False)
        while me.voice.suppress:
            await bot.hears("voice_state_update")
        assert stage.speakers == ["Mynah"]
        voice.play(Packets(tone(0.3)))
        heard = await alice.hears(stage, seconds=0.2)
        assert heard.clear_packets == 0
        await me.edit(suppress=True)
        await voice.disconnect()


async def test_places_on_a_stage_have_rules(house: Discord, guild: Guild, lounge: Room, alice: Member) -> None:
    path = f"/guilds/{guild.id}/voice-states"
    assert (await ask(house, "GET", f"{path}/@me"))[1]["code"] == 10065
    assert (await ask(house, "PATCH", f"{path}/{alice.id}", json={"suppress": True}))[1]["code"] == 10065
    await alice.joins(lounge)
    assert (await ask(house, "GET", f"{path}/{alice.id}"))[1]["channel_id"] == str(lounge.id)
    assert (await ask(house, "PATCH", f"{path}/{alice.id}", json={"suppress": True}))[1]["code"] == 50024
    assert (await ask(house, "PATCH", f"{path}/{alice.id}", json={"channel_id": "5"}))[1]["code"] == 10065


async def test_the_bot_can_name_mute_and_move_where_it_may(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    den = guild.add_voice_channel("Den")
    await alice.joins(lounge)
    path = f"/guilds/{guild.id}/members/{alice.id}"
    own = f"/guilds/{guild.id}/members/@me"
    assert (await ask(house, "PATCH", own, json={"nick": "Bird"}))[1]["nick"] == "Bird"
    for change in ({"nick": "x"}, {"mute": True}, {"deaf": True}, {"channel_id": str(den.id)}):
        assert (await ask(house, "PATCH", path, json=change))[1]["code"] == 50013
    guild.allow(guild.everyone, "manage_nicknames", "mute_members", "deafen_members", "move_members")
    assert (await ask(house, "PATCH", path, json={"nick": "x", "mute": True, "deaf": True}))[1]["mute"] is True
    assert (await ask(house, "GET", f"/guilds/{guild.id}/voice-states/{alice.id}"))[1]["mute"] is True
    await ask(house, "PATCH", path, json={"channel_id": str(den.id)})
    assert den.present == ["alice"]
    await ask(house, "PATCH", path, json={"channel_id": None})
    assert den.present == []


async def test_who_may_not_speak_arrives_suppressed(house: Discord, guild: Guild, lounge: Room, alice: Member) -> None:
    guild.deny(lounge, "speak", to=alice)
    await alice.joins(lounge)
    assert (await ask(house, "GET", f"/guilds/{guild.id}/voice-states/{alice.id}"))[1]["suppress"] is True
