"""What breaks under an application that speaks: its voice websocket, its voice server, its gateway, a whole server."""

import asyncio

import pytest

from playground.discord import ClientRefused, Discord, Guild, Member, Room
from playground.discord.refusal import RefusalError
from tests.unit.playground.discord.raw import Gateway, connected, speaking
from tests.unit.playground.voice.tone import tone


@pytest.fixture
def lounge(guild: Guild) -> Room:
    return guild.add_voice_channel("Lounge")


async def heard_again(gateway: Gateway, guild: Guild, room: Room, member: Member) -> None:
    """Connect with what the gateway told last, and be heard."""
    member.ears().reset()
    async with gateway.voice(guild, room) as voice:
        await voice.secured()
        await voice.speak(1)
        voice.say(tone(0.2))
        await member.silence(room)
    assert member.heard().packets == 10


# The voice websocket


@pytest.mark.parametrize("code", [4006, 4009, 4014, 4017])
async def test_a_closed_voice_websocket_leaves_the_application_its_seat(
    house: Discord, guild: Guild, lounge: Room, alice: Member, code: int
) -> None:
    await alice.joins(lounge)
    async with speaking(house, guild, lounge) as call:
        call.voice.say(tone(0.2), silences=0)
        await alice.hears(lounge, seconds=0.15)
        guild.close_voice(code)
        assert await call.voice.closed() == code
        assert lounge.present == ["alice", "Mynah"]
        async with call.gateway.voice(guild, lounge) as again:
            assert await again.closed() == 4006
        again = await call.gateway.join(guild, lounge)
        await heard_again(call.gateway, guild, lounge, alice)


@pytest.mark.parametrize("code", [4015, 1006])
async def test_after_a_crash_of_the_voice_server_the_session_is_resumed(
    house: Discord, guild: Guild, lounge: Room, alice: Member, code: int
) -> None:
    await alice.joins(lounge)
    async with speaking(house, guild, lounge) as call:
        guild.close_voice(code)
        assert await call.voice.closed() == code
        await call.voice.open()
        await call.voice.resume()
        await call.voice.until(lambda: call.voice.received(9))
        call.voice.say(tone(0.2))
        await alice.silence(lounge)
    assert alice.heard().packets == 10


async def test_as_many_voice_identifies_are_refused_as_were_asked(house: Discord, guild: Guild, lounge: Room) -> None:
    house.refuse_voice(4006, 4017)
    async with connected(house) as gateway:
        for code in (4006, 4017):
            async with await gateway.join(guild, lounge) as voice:
                assert await voice.closed() == code
        async with gateway.voice(guild, lounge) as voice:
            await voice.described()


# The voice server


async def test_a_region_that_changes_gives_a_new_endpoint_and_closes_the_old_websocket(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    await alice.joins(lounge)
    async with speaking(house, guild, lounge) as call:
        guild.give_voice_server("voice-7.discord.media:443")
        assert await call.voice.closed() == 4014
        await call.gateway.until(lambda: len(call.gateway.told("VOICE_SERVER_UPDATE")) == 2)
        old, new = call.gateway.told("VOICE_SERVER_UPDATE")
        assert new["endpoint"] == "voice-7.discord.media:443"
        assert new["token"] != old["token"]
        await heard_again(call.gateway, guild, lounge, alice)
        assert (await call.gateway.join(guild, lounge)).endpoint == "voice-7.discord.media:443"


async def test_a_voice_server_may_be_gone_before_there_is_another(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    await alice.joins(lounge)
    with pytest.raises(RefusalError, match="10065"):
        guild.lose_voice_server()
    async with speaking(house, guild, lounge) as call:
        guild.lose_voice_server()
        assert await call.voice.closed() == 4014
        await call.gateway.until(lambda: len(call.gateway.told("VOICE_SERVER_UPDATE")) == 2)
        assert call.gateway.told("VOICE_SERVER_UPDATE")[-1]["endpoint"] is None
        assert lounge.present == ["alice", "Mynah"]
        guild.give_voice_server()
        await call.gateway.until(lambda: len(call.gateway.told("VOICE_SERVER_UPDATE")) == 3)
        await heard_again(call.gateway, guild, lounge, alice)


async def test_who_is_moved_before_it_came_is_let_in_where_it_was_moved_to(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    den = guild.add_voice_channel("Den")
    await alice.joins(den)
    async with connected(house) as gateway:
        await gateway.join(guild, lounge)
        guild.move(guild.bot, den)
        await gateway.until(lambda: len(gateway.told("VOICE_SERVER_UPDATE")) == 2)
        assert (lounge.present, den.present) == ([], ["alice", "Mynah"])
        await heard_again(gateway, guild, den, alice)


# The gateway


async def test_who_comes_back_while_the_gateway_is_down_waits_and_resumes(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    await alice.joins(lounge)
    async with speaking(house, guild, lounge) as call:
        async with house.gateway.down():
            assert await call.gateway.closed() == 4000
            coming = asyncio.create_task(call.gateway.open())
            call.voice.say(tone(0.2))
            await alice.silence(lounge)
            news = guild.add_text_channel("news")
            assert not coming.done()
        await coming
        await call.gateway.resume()
        await call.gateway.until(lambda: call.gateway.told("RESUMED"))
        assert call.gateway.told("CHANNEL_CREATE")[-1]["id"] == str(news.id)
    assert alice.heard().packets == 10


async def test_with_a_gateway_session_that_is_over_go_its_calls(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    await alice.joins(lounge)
    async with speaking(house, guild, lounge) as call:
        house.gateway.invalidate()
        await call.gateway.until(lambda: call.gateway.received(9))
        assert call.gateway.received(9) == [False]
        assert await call.voice.closed() == 4014
        assert lounge.present == ["alice"]
        async with connected(house) as again, await again.join(guild, lounge) as voice:
            await voice.described()
            house.gateway.invalidate(keeps_calls=True)
            await again.until(lambda: again.received(9))
            assert lounge.present == ["alice", "Mynah"]


async def test_one_shard_alone_is_asked_to_reconnect_dropped_or_declared_invalid(house: Discord) -> None:
    async with connected(house, (0, 2)) as first, connected(house, (1, 2)) as second:
        house.gateway.ask_to_reconnect(shard=1)
        await second.until(lambda: second.received(7))
        house.gateway.invalidate(shard=0)
        await first.until(lambda: first.received(9))
        assert (first.received(7), second.received(9)) == ([], [])
        house.gateway.drop(shard=1)
        assert await second.closed() == 4000
        assert first.close_code is None


@pytest.mark.parametrize(("code", "over"), [(1000, True), (4000, False)])
async def test_who_closes_with_1000_has_no_session_and_no_call_any_more(
    house: Discord, guild: Guild, lounge: Room, code: int, over: bool
) -> None:
    async with speaking(house, guild, lounge) as call:
        await call.gateway.close(code)
        async with connected(house) as bystander:
            await bystander.say(1, None)
            await bystander.until(lambda: bystander.received(11))
            assert (lounge.present == []) is over


async def test_a_client_that_died_keeps_its_seat_until_its_session_expires_or_another_takes_it(
    house: Discord, guild: Guild, lounge: Room
) -> None:
    async with speaking(house, guild, lounge) as call:
        await call.gateway.close(4000)
        assert lounge.present == ["Mynah"]
        async with connected(house) as again:
            states = again.told("GUILD_CREATE")[0]["voice_states"]
            assert [state["user_id"] for state in states] == [str(house.bot_user.id)]
            await again.ask(guild, lounge, deaf=False)
            await again.until(lambda: again.told("VOICE_SERVER_UPDATE"))
            house.gateway.expire()
            assert lounge.present == ["Mynah"]
            await again.close(4000)
            house.gateway.expire()
            assert lounge.present == []


# A server


async def test_a_server_that_is_down_is_told_of_nothing_and_comes_back_as_it_is_by_then(
    house: Discord, guild: Guild, lounge: Room, alice: Member
) -> None:
    await alice.joins(lounge)
    async with speaking(house, guild, lounge) as call:
        guild.goes_down()
        await call.gateway.until(lambda: call.gateway.told("GUILD_DELETE"))
        assert call.gateway.told("GUILD_DELETE") == [{"id": str(guild.id), "unavailable": True}]
        news = guild.add_text_channel("news")
        with pytest.raises(ClientRefused):
            await alice.slash("say", text="Hello.")
        async with connected(house) as other:
            assert other.told("READY")[0]["guilds"] == [{"id": str(guild.id), "unavailable": True}]
            assert other.told("GUILD_CREATE") == []
        call.voice.say(tone(0.2))
        await alice.silence(lounge)

        guild.comes_back()
        await call.gateway.until(lambda: len(call.gateway.told("GUILD_CREATE")) == 2)
        back = call.gateway.told("GUILD_CREATE")[-1]
        assert back["unavailable"] is False
        assert str(news.id) in [channel["id"] for channel in back["channels"]]
        assert call.gateway.told("CHANNEL_CREATE") == []
        assert len(back["voice_states"]) == 2
    assert alice.heard().packets == 10
