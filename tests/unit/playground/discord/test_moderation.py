"""What moderators do to an application that speaks, and what is heard of it meanwhile."""

from datetime import UTC, datetime

import pytest

from playground.discord import ClientRefused, Discord, Guild, Member, Room
from playground.discord.refusal import RefusalError
from tests.unit.playground.discord.bots import ask
from tests.unit.playground.discord.raw import connected, speaking
from tests.unit.playground.voice.tone import tone


@pytest.fixture
def lounge(guild: Guild) -> Room:
    return guild.add_voice_channel("Lounge")


async def test_nobody_hears_who_is_muted_by_the_server_and_nothing_of_it_is_called_lost(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    ears = await alice.joins(lounge)
    async with speaking(house, guild, lounge) as call:
        call.voice.say(tone(0.2), silences=0)
        await ears.hears(0.15)
        guild.mute(guild.bot)
        await call.gateway.states(mute=True, deaf=False)
        assert lounge.speakers == ["alice"]
        call.voice.say(tone(0.5), silences=0)
        await ears.ignores(25)
        assert alice.heard().packets == 10

        guild.unmute(guild.bot)
        await call.gateway.states(mute=False)
        call.voice.say(tone(0.4))
        await ears.silence(after=0)

    heard = alice.heard()
    assert (heard.packets, heard.hushed, heard.lost) == (30, 25, 0)
    assert len(heard.gaps) == 9 + 19


async def test_a_mute_stays_until_it_is_taken_back_and_deafening_takes_no_voice(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    ears = await alice.joins(lounge)
    with pytest.raises(RefusalError, match="40032"):
        guild.mute(guild.bot)
    async with speaking(house, guild, lounge) as call:
        guild.mute(guild.bot)
        guild.deafen(guild.bot)
        await call.gateway.states(mute=True, deaf=True)
        guild.kick_from_voice(guild.bot)
        await call.gateway.states(channel_id=None)
    async with speaking(house, guild, lounge) as call:
        assert call.gateway.told("VOICE_STATE_UPDATE")[-1]["mute"] is True
        guild.unmute(guild.bot)
        call.voice.say(tone(0.2))
        await ears.silence(after=0)
        guild.undeafen(guild.bot)
        await call.gateway.states(deaf=False)
    assert alice.heard().packets == 10


async def test_on_a_stage_only_speakers_are_heard(house: Discord, guild: Guild, alice: Member) -> None:
    stage = guild.add_stage_channel("Stage")
    ears = await alice.joins(stage)
    async with speaking(house, guild, stage) as call:
        assert call.voice.version == 0
        await call.gateway.states(suppress=True)
        call.voice.say(tone(0.2))
        await ears.ignores(15)
        assert alice.heard().packets == 0

        guild.invite_to_speak(guild.bot)
        await call.gateway.states(suppress=False, request_to_speak_timestamp=None)
        call.voice.say(tone(0.2))
        await ears.hears(0.15)

        guild.send_to_audience(guild.bot)
        await call.gateway.states(suppress=True)
        call.voice.say(tone(0.2))
        await ears.ignores(30)
    assert (alice.heard().packets, alice.heard().hushed) == (10, 30)


async def test_asking_to_speak_needs_its_permission_and_taking_it_back_none(house: Discord, guild: Guild) -> None:
    stage = guild.add_stage_channel("Stage")
    path = f"/guilds/{guild.id}/voice-states/@me"
    now = datetime.now(UTC).isoformat()
    async with speaking(house, guild, stage) as call:
        assert (await ask(house, "PATCH", path, json={"request_to_speak_timestamp": now}))[0] == 204
        await call.gateway.states(request_to_speak_timestamp=now)
        guild.deny(stage, "request_to_speak")
        assert (await ask(house, "PATCH", path, json={"request_to_speak_timestamp": now}))[1]["code"] == 50013
        assert (await ask(house, "PATCH", path, json={"request_to_speak_timestamp": None}))[0] == 204
        await call.gateway.states(request_to_speak_timestamp=None)

        assert (await ask(house, "PATCH", path, json={"suppress": False}))[1]["code"] == 50013
        guild.allow(stage, "mute_members", to=guild.bot)
        assert (await ask(house, "PATCH", path, json={"suppress": False}))[0] == 204
        await call.gateway.states(suppress=False)
        guild.deny(stage, "mute_members", to=guild.bot)
        assert (await ask(house, "PATCH", path, json={"suppress": True}))[0] == 204
        await call.gateway.states(suppress=True)


async def test_a_person_invited_to_speak_is_taken_to_have_asked(house: Discord, guild: Guild, alice: Member) -> None:
    stage = guild.add_stage_channel("Stage")
    await alice.joins(stage)
    path = f"/guilds/{guild.id}/voice-states/{alice.id}"
    guild.invite_to_speak(alice)
    assert (await ask(house, "GET", path))[1]["request_to_speak_timestamp"]
    guild.send_to_audience(alice)
    assert (await ask(house, "GET", path))[1]["request_to_speak_timestamp"] is None
    guild.allow(stage, "mute_members", to=guild.bot)
    assert (await ask(house, "PATCH", path, json={"suppress": False}))[0] == 204
    assert (await ask(house, "GET", path))[1]["request_to_speak_timestamp"]


async def test_permissions_taken_in_the_middle_count_from_the_next_join_on(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    den = guild.add_voice_channel("Den")
    ears = await alice.joins(lounge)
    async with speaking(house, guild, lounge) as call:
        guild.deny(lounge, "speak", "connect", to=guild.bot)
        await call.gateway.until(lambda: call.gateway.told("CHANNEL_UPDATE"))
        call.voice.say(tone(0.2))
        await ears.hears(0.15)
        guild.move(guild.bot, den)
        await call.gateway.states(channel_id=str(den.id), suppress=False)
        guild.move(guild.bot, lounge)
        await call.gateway.states(channel_id=str(lounge.id), suppress=True)
        await call.gateway.ask(guild, None)
        await call.gateway.states(channel_id=None)
        before = len(call.gateway.told("VOICE_STATE_UPDATE"))
        await call.gateway.ask(guild, lounge)
        await call.gateway.say(1, None)
        await call.gateway.until(lambda: call.gateway.received(11))
        assert len(call.gateway.told("VOICE_STATE_UPDATE")) == before


async def test_a_channel_is_filled_to_its_limit(house: Discord, guild: Guild, lounge: Room, alice: Member) -> None:
    await alice.joins(lounge)
    with pytest.raises(ValueError, match="Lounge has no limit"):
        await guild.fill(lounge)
    async with connected(house) as gateway:
        guild.set_limit(lounge, 3)
        await gateway.until(lambda: gateway.told("CHANNEL_UPDATE"))
        assert gateway.told("CHANNEL_UPDATE")[-1]["user_limit"] == 3
        guests = await guild.fill(lounge)
        assert [guest.name for guest in guests] == ["guest 1", "guest 2"]
        with pytest.raises(ClientRefused):
            await guild.add_member("bob").joins(lounge)
        await guests[0].leaves()
        voice = await gateway.join(guild, lounge)
        async with voice:
            await voice.described()


async def test_an_application_that_is_kicked_is_out_of_the_call_and_told_of_nothing(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    await alice.joins(lounge)
    async with speaking(house, guild, lounge) as call:
        guild.kick(guild.bot)
        await call.gateway.until(lambda: call.gateway.told("GUILD_DELETE"))
        assert call.gateway.told("GUILD_DELETE") == [{"id": str(guild.id)}]
        assert await call.voice.closed() == 4014
        assert lounge.present == ["alice"]
        await alice.leaves()
        path = f"/channels/{guild.text_channel.id}/messages"
        assert (await ask(house, "POST", path, json={"content": "x"}))[1]["code"] == 50001
        with pytest.raises(ClientRefused):
            await alice.slash("say", text="Hello.")
        async with connected(house) as other:
            assert other.told("READY")[0]["guilds"] == []
        await call.gateway.ask(guild, lounge)
        await call.gateway.say(1, None)
        await call.gateway.until(lambda: call.gateway.received(11))
        assert call.gateway.told("VOICE_STATE_UPDATE")[-1]["channel_id"] is None

        guild.invite_bot()
        await call.gateway.until(lambda: len(call.gateway.told("GUILD_CREATE")) == 2)


async def test_a_member_who_is_kicked_is_out_of_the_call_and_can_do_nothing(
    house: Discord, guild: Guild, lounge: Room, alice: Member, bob: Member
) -> None:
    await alice.joins(lounge)
    guild.kick(alice)
    guild.kick(bob)
    assert lounge.present == []
    with pytest.raises(ClientRefused):
        alice.writes("Hello.")
    assert (await ask(house, "GET", f"/guilds/{guild.id}/members/{bob.id}"))[1]["code"] == 10007
