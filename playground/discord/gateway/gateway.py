"""The main gateway, version 10: identify, heartbeat, resume, events, opcode 4. Knows no HTTP route.

Source: discord.com/developers, "Gateway" and "Opcodes and Status Codes".
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from playground.discord.bell import Bell
from playground.discord.breaches import Breaches
from playground.discord.gateway.connection import Connection
from playground.discord.gateway.intents import KNOWN, PRIVILEGED, Intent
from playground.discord.gateway.session import Session, Shard
from playground.discord.switchboard import Switchboard
from playground.discord.wire import JsonObject, WireError, as_list, flag, maybe_id, number, section, text
from playground.discord.world import World
from playground.discord.world.events import Event

log = logging.getLogger(__name__)

_QUERY = {"v": "10", "encoding": "json"}
_COMPRESSIONS = frozenset({"", "zlib-stream"})
_FAREWELLS = frozenset({1000, 1001})
"""Closed by a client with these, a session is over at once."""


@dataclass(slots=True)
class GatewayFaults:
    """What a test wants to be different; the defaults are a Discord on a good day."""

    heartbeat_interval: int = 41_250
    """Milliseconds between a client's heartbeats."""
    acknowledge: bool = True
    """Whether heartbeats are acknowledged."""
    allowed_intents: int = 0
    """The privileged intents the application was granted."""
    refuse_identify: list[int] = field(default_factory=list)
    """Close codes for the next identifies, one each."""


class Gateway:
    """Owns the sessions and the open websockets."""

    def __init__(self, world: World, switchboard: Switchboard, breaches: Breaches, token: str) -> None:
        self._world = world
        self._switchboard = switchboard
        self._breaches = breaches
        self._token = token
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self._gone = Bell()
        self._open = asyncio.Event()
        self._open.set()
        self.faults = GatewayFaults()
        self.identified = 0
        self.resumed = 0
        self.presence: JsonObject = {}
        world.events.subscribe(self._tell)

    @property
    def ready(self) -> bool:
        """Whether every shard of the application is connected."""
        live = [session for session in self._sessions.values() if session.frames is not None]
        return bool(live) and {session.shard.id for session in live} == set(range(live[0].shard.count))

    def drop(self, code: int = 4000, *, shard: int | None = None) -> None:
        """Close the connections (of one shard); after most codes the sessions can be resumed."""
        for session in self._of(shard):
            if session.frames is not None:
                session.frames.close(code)

    @asynccontextmanager
    async def down(self, code: int = 4000) -> AsyncIterator[None]:
        """Close every connection, and let clients that come back wait at the door until the block ends."""
        self._open.clear()
        for connection in tuple(self._connections):
            connection.close(code)
        try:
            await self._gone.until(lambda: not self._connections)
            yield
        finally:
            self._open.set()

    def ask_to_reconnect(self, *, shard: int | None = None) -> None:
        """Ask the clients (of one shard) to reconnect (opcode 7)."""
        for session in self._of(shard):
            if session.frames is not None:
                session.frames.send({"op": 7, "d": None})

    def invalidate(self, *, resumable: bool = False, shard: int | None = None, keeps_calls: bool = False) -> None:
        """Declare the sessions (of one shard) invalid (opcode 9).

        With one that is over go the calls that were joined with it: their voice websockets are closed with 4014, "the
        main gateway session was dropped". `keeps_calls`: Discord has not noticed yet.
        """
        for session in self._of(shard):
            if session.frames is not None:
                session.frames.send({"op": 9, "d": resumable})
            if not resumable:
                self._end(session, keeps_calls=keeps_calls)

    def expire(self) -> None:
        """End the sessions whose client is gone, as after some minutes: they cannot be resumed and are in no call."""
        for session in tuple(self._sessions.values()):
            if session.frames is None:
                self._end(session)

    async def close(self) -> None:
        """Close every connection, and return once they are gone."""
        self._open.set()
        for connection in tuple(self._connections):
            connection.close(1001)
        await self._gone.until(lambda: not self._connections)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Speak with one client."""
        wanted = request.query.get("compress", "")
        if any(request.query.get(key) != value for key, value in _QUERY.items()) or wanted not in _COMPRESSIONS:
            self._breaches.record(f"gateway asked for with {request.query_string!r}")
            return web.Response(status=400)
        await self._open.wait()
        socket = web.WebSocketResponse(compress=False, timeout=2.0)
        try:
            await socket.prepare(request)
        except ConnectionResetError:  # the client is gone already
            return socket
        connection = Connection(socket, compressed=bool(wanted))
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write())
        try:
            await self._speak(connection)
        finally:
            self._connections.discard(connection)
            connection.close(1000)
            await writer
            self._gone.ring()
        return socket

    async def _speak(self, connection: Connection) -> None:
        connection.send({"op": 10, "d": {"heartbeat_interval": self.faults.heartbeat_interval}})
        session: Session | None = None
        try:
            async for frame in connection.read():
                try:
                    session = self._take(connection, session, frame) or session
                except WireError:
                    connection.close(4002)
        finally:
            if session is not None and session.frames is connection:
                session.frames = None
                if connection.farewell in _FAREWELLS:
                    self._end(session)

    def _of(self, shard: int | None) -> tuple[Session, ...]:
        return tuple(each for each in self._sessions.values() if shard in (None, each.shard.id))

    def _end(self, session: Session, *, keeps_calls: bool = False) -> None:
        if self._sessions.pop(session.id, None) is not None and not keeps_calls:
            self._switchboard.end_session(session.id)

    def _take(self, connection: Connection, session: Session | None, frame: JsonObject) -> Session | None:
        opcode = number(frame, "op", -1)
        match opcode:
            case 1:
                if self.faults.acknowledge:
                    connection.send({"op": 11, "d": None})
            case 2 if session is None:
                return self._identify(connection, section(frame, "d"))
            case 6 if session is None:
                return self._resume(connection, section(frame, "d"))
            case 3 if session is not None:
                self.presence = section(frame, "d")
            case 4 if session is not None:
                self._voice(session, section(frame, "d"))
            case 2 | 6:
                connection.close(4005)
            case 3 | 4:
                connection.close(4003)
            case _:
                self._breaches.record(f"unknown gateway opcode {opcode}")
                connection.close(4001)
        return None

    def _identify(self, connection: Connection, data: JsonObject) -> Session | None:
        intents = number(data, "intents")
        shard = [number({"n": each}, "n") for each in as_list(data.get("shard") or [0, 1])]
        code = self._refused(text(data, "token"), intents, shard)
        if code is not None:
            connection.close(code)
            return None
        self.presence = section(data, "presence")
        session = Session(Shard(*shard), intents, self._world.bot.id)
        for old in tuple(self._sessions.values()):
            seated = self._world.calls.of_session(old.id)
            if old.shard == session.shard and old.frames is None and not seated:
                del self._sessions[old.id]
        self._sessions[session.id] = session
        session.frames = connection
        self.identified += 1
        self._greet(session)
        self._world.events.bell.ring()
        return session

    def _refused(self, token: str, intents: int, shard: list[int]) -> int | None:
        if self.faults.refuse_identify:
            return self.faults.refuse_identify.pop(0)
        if token != self._token:
            return 4004
        if len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            return 4010
        if intents & ~KNOWN or intents < 0:
            return 4013
        if intents & PRIVILEGED & ~self.faults.allowed_intents:
            return 4014
        return None

    def _greet(self, session: Session) -> None:
        guilds, bot_id = self._world.guilds, self._world.bot.id
        known = [each for each in guilds.servers.values() if guilds.holds(each.id, bot_id)]
        servers = [each for each in known if session.shard.holds(each.id)]
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": {**self._world.bot.payload(), "verified": True, "mfa_enabled": True, "email": None, "flags": 0},
                "guilds": [{"id": str(server.id), "unavailable": True} for server in servers],
                "session_id": session.id,
                "resume_gateway_url": "wss://gateway-resume.discord.gg",
                "shard": [session.shard.id, session.shard.count],
                "application": {"id": str(self._world.bot.id), "flags": 0},
            },
        )
        if session.intents & Intent.GUILDS:
            for server in servers:
                if not guilds.is_open(server.id):
                    continue
                session.dispatch("GUILD_CREATE", self._world.server_payload(server))

    def _resume(self, connection: Connection, data: JsonObject) -> Session | None:
        session = self._sessions.get(text(data, "session_id"))
        sequence = number(data, "seq")
        if text(data, "token") != self._token:
            connection.close(4004)
            return None
        if session is None or not session.resumable(sequence):
            connection.send({"op": 9, "d": False})
            return None
        session.frames = connection
        session.replay(sequence)
        session.dispatch("RESUMED", {})
        self.resumed += 1
        self._world.events.bell.ring()
        return session

    def _voice(self, session: Session, data: JsonObject) -> None:
        self._switchboard.wish(
            guild_id=number(data, "guild_id"),
            channel_id=maybe_id(data, "channel_id"),
            session_id=session.id,
            self_mute=flag(data, "self_mute"),
            self_deaf=flag(data, "self_deaf"),
        )

    def _tell(self, event: Event) -> None:
        if event.guild_id is not None and not self._world.guilds.is_open(event.guild_id):
            return
        for session in self._sessions.values():
            session.tell(event)
