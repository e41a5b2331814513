"""A hand-written client of the main gateway, which joins calls with the hand-written voice client."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from playground.discord import Discord, Guild, Room
from playground.discord.bell import Bell
from playground.discord.wires import client_tls
from tests.unit.playground.voice.client import Client
from tests.unit.playground.voice.house import House


class Gateway:
    """Owns one websocket of the gateway and what came on it."""

    def __init__(self, discord: Discord, http: aiohttp.ClientSession, shard: tuple[int, int]) -> None:
        self.discord, self.http, self.shard = discord, http, shard
        self.bell = Bell()
        self.frames: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self.close_code = None
        self._socket = await self.http.ws_connect("wss://gateway.discord.gg/?v=10&encoding=json")
        self._reading = asyncio.create_task(self._read(self._socket))

    async def identify(self) -> None:
        await self.open()
        await self.say(2, {"token": self.discord.token, "intents": 129, "properties": {}, "shard": self.shard})
        await self.until(lambda: self.told("READY"))

    async def resume(self) -> None:
        session_id = self.told("READY")[-1]["session_id"]
        sequence = max(frame["s"] for frame in self.frames if frame["op"] == 0)
        await self.say(6, {"token": self.discord.token, "session_id": session_id, "seq": sequence})

    async def say(self, op: int, data: Any) -> None:
        assert self._socket is not None
        await self._socket.send_json({"op": op, "d": data})

    async def close(self, code: int = 1000) -> None:
        if self._socket is not None and self._reading is not None:
            await self._socket.close(code=code)
            await self._reading

    async def until(self, met: Callable[[], object], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            await self.bell.until(lambda: bool(met()))

    async def closed(self) -> int:
        await self.until(lambda: self.close_code is not None)
        assert self.close_code is not None
        return self.close_code

    def told(self, name: str) -> list[Any]:
        """Return the data of the events of this name, in order."""
        return [frame["d"] for frame in self.frames if frame.get("t") == name]

    def received(self, op: int) -> list[Any]:
        return [frame["d"] for frame in self.frames if frame["op"] == op]

    async def states(self, **fields: Any) -> None:
        """Return once the latest voice state of the application has these fields."""
        own = str(self.discord.bot_user.id)

        def met() -> bool:
            found = [state for state in self.told("VOICE_STATE_UPDATE") if state["user_id"] == own]
            return bool(found) and found[-1] | fields == found[-1]

        await self.until(met)

    async def ask(self, guild: Guild, room: Room | None, *, deaf: bool = True) -> None:
        channel_id = None if room is None else str(room.id)
        wish = {"guild_id": str(guild.id), "channel_id": channel_id, "self_mute": False, "self_deaf": deaf}
        await self.say(4, wish)

    async def join(self, guild: Guild, room: Room) -> Client:
        """Ask for a channel and return a voice client for it, not yet connected."""
        before = len(self.told("VOICE_SERVER_UPDATE"))
        await self.ask(guild, room)
        await self.until(lambda: len(self.told("VOICE_SERVER_UPDATE")) > before)
        return self.voice(guild, room)

    def voice(self, guild: Guild, room: Room) -> Client:
        """Return a voice client that goes where the latest VOICE_SERVER_UPDATE says."""
        server = self.told("VOICE_SERVER_UPDATE")[-1]
        own = str(self.discord.bot_user.id)
        state = [each for each in self.told("VOICE_STATE_UPDATE") if each["user_id"] == own][-1]
        house = House(self.discord.voice, self.discord.resolver.port, _tls(), self.http)
        return Client(
            house,
            user_id=self.discord.bot_user.id,
            channel_id=room.id,
            guild_id=guild.id,
            ticket={"session_id": state["session_id"], "token": server["token"]},
            endpoint=server["endpoint"],
        )

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            self.frames.append(message.json())
            self.bell.ring()
        self.close_code = socket.close_code
        self.bell.ring()


def _tls() -> ssl.SSLContext:
    return client_tls()


@asynccontextmanager
async def connected(discord: Discord, shard: tuple[int, int] = (0, 1)) -> AsyncIterator[Gateway]:
    """A client that has identified."""
    async with aiohttp.ClientSession(connector=discord.connector()) as http:
        gateway = Gateway(discord, http, shard)
        await gateway.identify()
        try:
            yield gateway
        finally:
            await gateway.close()


@dataclass(frozen=True)
class Call:
    """The application in a call, its keys known to all who listen."""

    gateway: Gateway
    voice: Client


@asynccontextmanager
async def speaking(discord: Discord, guild: Guild, room: Room) -> AsyncIterator[Call]:
    """The application in a call where it may send."""
    async with connected(discord) as gateway, await gateway.join(guild, room) as voice:
        await voice.described()
        if voice.version and len(room.present) > 1:
            await voice.secured()
        await voice.speak(1)
        yield Call(gateway, voice)
