"""The gateway on a bad day: lost connections, invalid sessions, missing acknowledgements, clients that err."""

import asyncio
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands

from playground.discord import Discord, Guild, Member
from tests.unit.playground.discord.bots import running


def teach(tree: app_commands.CommandTree) -> None:
    @tree.command(description="Answers")
    async def ping(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("pong")


async def test_a_dropped_bot_resumes_and_is_told_what_it_missed(house: Discord, guild: Guild, alice: Member) -> None:
    async with running(house, teach) as bot:
        house.gateway.drop()
        missed = guild.add_text_channel("missed")
        await bot.hears("shard_resumed")
        assert bot.get_channel(missed.id) is not None
        assert (house.gateway.identified, house.gateway.resumed) == (1, 1)
        assert (await alice.slash("ping")).content == "pong"


async def test_a_bot_asked_to_reconnect_resumes(house: Discord, alice: Member) -> None:
    async with running(house, teach) as bot:
        house.gateway.ask_to_reconnect()
        await bot.hears("shard_resumed")
        assert (await alice.slash("ping")).content == "pong"


async def test_an_invalid_session_is_begun_anew(house: Discord, guild: Guild, alice: Member) -> None:
    async with running(house, teach) as bot:
        house.gateway.invalidate()
        await bot.hears("shard_connect")
        await house.bot_ready()
        assert house.gateway.identified == 2
        assert (await alice.slash("ping")).content == "pong"


async def test_a_session_said_to_be_resumable_is_resumed(house: Discord, alice: Member) -> None:
    async with running(house, teach) as bot:
        house.gateway.invalidate(resumable=True)
        await bot.hears("shard_resumed")
        assert house.gateway.identified == 1


async def test_a_bot_whose_heartbeats_are_not_acknowledged_comes_back(house: Discord, alice: Member) -> None:
    house.gateway.faults.acknowledge = False
    house.gateway.faults.heartbeat_interval = 50
    async with running(house, teach, heartbeat_timeout=0.2) as bot:
        await asyncio.sleep(0)
        house.gateway.faults.heartbeat_interval = 41_250
        await bot.hears("shard_disconnect")
        house.gateway.faults.acknowledge = True
        await bot.hears("shard_resumed")
        assert (await alice.slash("ping")).content == "pong"


async def test_a_refused_identify_ends_the_bot(house: Discord) -> None:
    house.gateway.faults.refuse_identify.append(4011)
    with pytest.raises(discord.ConnectionClosed) as caught:
        await running(house).__aenter__()
    assert caught.value.code == 4011


class Client:
    """A bare client of the gateway."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, op: int, data: Any) -> None:
        await self._socket.send_json({"op": op, "d": data})

    async def ends(self) -> int | None:
        """Return the close code, reading past everything before it."""
        async for _ in self._socket:
            pass
        return self._socket.close_code

    async def hears(self) -> Any:
        return await self._socket.receive_json()

    async def babble(self) -> None:
        await self._socket.send_bytes(b"ignored")
        await self._socket.send_str("no json")


async def bare(house: Discord, session: aiohttp.ClientSession, query: str = "v=10&encoding=json") -> Client:
    return Client(await session.ws_connect(f"wss://gateway.discord.gg/?{query}"))


IDENTIFY = {"token": "x", "intents": 129, "properties": {}}


@pytest.mark.parametrize(
    ("op", "changes", "code"),
    [
        (2, {"token": "wrong"}, 4004),
        (2, {"shard": [2, 2]}, 4010),
        (2, {"shard": [1]}, 4010),
        (2, {"intents": 1 << 40}, 4013),
        (2, {"intents": 1 << 15}, 4014),
        (6, {"token": "wrong", "session_id": "x", "seq": 1}, 4004),
        (3, {}, 4003),
        (4, {}, 4003),
        (99, {}, 4001),
    ],
)
async def test_a_client_that_errs_is_closed_with(house: Discord, op: int, changes: dict[str, Any], code: int) -> None:
    async with aiohttp.ClientSession(connector=house.connector()) as session:
        client = await bare(house, session)
        assert (await client.hears())["op"] == 10
        await client.say(op, {**IDENTIFY, "token": house.token, **changes})
        assert await client.ends() == code
    assert house.breaches.forgive() == (("unknown gateway opcode 99",) if op == 99 else ())


async def test_a_second_identify_and_nonsense_are_closed(house: Discord) -> None:
    async with aiohttp.ClientSession(connector=house.connector()) as session:
        client = await bare(house, session)
        await client.say(2, {**IDENTIFY, "token": house.token})
        await client.say(2, {**IDENTIFY, "token": house.token})
        assert await client.ends() == 4005
        client = await bare(house, session)
        await client.babble()
        assert await client.ends() == 4002


async def test_an_unknown_session_cannot_be_resumed(house: Discord) -> None:
    async with aiohttp.ClientSession(connector=house.connector()) as session:
        client = await bare(house, session)
        await client.hears()
        await client.say(6, {"token": house.token, "session_id": "x", "seq": 1})
        assert await client.hears() == {"op": 9, "d": False}


async def test_another_encoding_is_refused(house: Discord) -> None:
    async with aiohttp.ClientSession(connector=house.connector()) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await bare(house, session, "v=9&encoding=etf")
    assert "v=9" in house.breaches.forgive()[0]


async def test_frames_of_the_wrong_shape_are_closed(house: Discord) -> None:
    async with aiohttp.ClientSession(connector=house.connector()) as session:
        client = await bare(house, session)
        await client.say(2, {**IDENTIFY, "token": house.token, "intents": []})
        assert await client.ends() == 4002


async def test_a_wish_for_a_channel_that_is_not_there_is_not_answered(house: Discord, guild: Guild) -> None:
    async with aiohttp.ClientSession(connector=house.connector()) as session:
        client = await bare(house, session, "v=10&encoding=json&compress=")
        await client.say(2, {**IDENTIFY, "token": house.token})
        await client.say(4, {"guild_id": str(guild.id), "channel_id": "5"})
        await client.say(4, {"guild_id": "5", "channel_id": None})
        await client.say(1, None)
        kinds = [(await client.hears()).get("t") for _ in range(4)]
        assert kinds == [None, "READY", "GUILD_CREATE", None]


async def test_a_shard_is_told_of_its_own_servers_only(house: Discord, guild: Guild) -> None:
    mine, other = (guild.id >> 22) % 2, 1 - (guild.id >> 22) % 2
    async with aiohttp.ClientSession(connector=house.connector()) as session:
        clients = [await bare(house, session) for _ in range(2)]
        for number, client in enumerate(clients):
            await client.say(2, {**IDENTIFY, "token": house.token, "shard": [number, 2]})
        await house.bot_ready(synced=False)
        guild.add_text_channel("news")
        for client in clients:
            await client.say(1, None)
        kinds = {
            number: [(await clients[number].hears()).get("t") for _ in range(count)]
            for number, count in ((mine, 5), (other, 3))
        }
        assert kinds[mine] == [None, "READY", "GUILD_CREATE", "CHANNEL_CREATE", None]
        assert kinds[other] == [None, "READY", None]
