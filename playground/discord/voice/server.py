"""Discord's voice servers on loopback: the voice gateway's websockets, one UDP port, and a call for each channel.

Knows neither Discord's REST nor its main gateway: those tell it whom to expect, and bring the websockets.
"""

import asyncio
import itertools
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from aiohttp import web

from playground.discord.bell import Bell
from playground.discord.voice.breach import RefusedError, VoiceProtocolError
from playground.discord.voice.call import Call
from playground.discord.voice.connection import Connection
from playground.discord.voice.faults import Faults
from playground.discord.voice.listener import Listener
from playground.discord.voice.opcodes import RESUMABLE, Close
from playground.discord.voice.session import Session, Ticket
from playground.discord.voice.tap import Tap
from playground.discord.voice.transport import NonceReusedError, TransportError, packet_ssrc
from playground.discord.voice.udp import Address, UdpPort

log = logging.getLogger(__name__)

_PATIENCE = 5.0
_FIRST_SSRC = 0x1001


class VoiceServer:
    """Owns the UDP port, who may connect, who is connected, and the calls.

    Open it inside the web server that brings its websockets, so that they are closed first.
    """

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        hushed: Callable[[int, int], bool] | None = None,
        tap: Tap | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._hushed = hushed or _nobody
        """Whether nobody is to hear a user (in a server): muted there, suppressed, or muted by themselves."""
        self.strays = 0
        """Datagrams that belong to no session: late ones of a session that ended, or not RTP."""
        self._udp = UdpPort(discovered=self._discover, received=self._receive, tap=tap)
        self._bell = Bell()
        self._tickets: dict[tuple[int, int], Ticket] = {}
        self._sessions: dict[tuple[int, int], Session] = {}
        self._by_ssrc: dict[int, Session] = {}
        self._ssrcs = itertools.count(_FIRST_SSRC)
        self._calls: dict[int, Call] = {}
        self._connections: set[Connection] = set()
        self._complaints: list[str] = []

    @property
    def endpoint(self) -> str:
        """Host and port for the next VOICE_SERVER_UPDATE."""
        return self.faults.endpoint

    @property
    def complaints(self) -> tuple[str, ...]:
        """What clients did that no voice server knows."""
        return tuple(self._complaints)

    @property
    def udp_address(self) -> Address:
        """Where clients send audio to."""
        return self._udp.address

    async def __aenter__(self) -> Self:
        self._udp.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        connections = tuple(self._connections)
        for connection in connections:
            connection.close(Close.DISCONNECTED)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await asyncio.gather(*(connection.finished.wait() for connection in connections))
        for session in tuple(self._by_ssrc.values()):
            self._forget(session)
        for call in self._calls.values():
            call.close()
        self._udp.close()
        if self._complaints:
            complaint = VoiceProtocolError(self.complaints)
            if error is None:
                raise complaint
            error.add_note(str(complaint))

    # What the rest of the playground asks

    def expect(
        self, *, guild_id: int, channel_id: int, user_id: int, session_id: str, endpoint: str | None = None
    ) -> str:
        """Let a user's client connect to a channel and return its token; its earlier token is worth nothing now.

        `endpoint`: where it is told to go; without it, where everybody is.
        """
        ticket = Ticket(
            guild_id=guild_id,
            channel_id=channel_id,
            user_id=user_id,
            session_id=session_id,
            token=secrets.token_hex(8),
            endpoint=endpoint or self.endpoint,
        )
        self._tickets[guild_id, user_id] = ticket
        return ticket.token

    def dismiss(self, *, guild_id: int, user_id: int, code: int = 4014) -> None:
        """Close a user's websocket; nothing happens where there is none.

        After a move call `expect` first: then the session of the earlier token is closed and the new token stays good.
        After 4015 (and 1006, which cuts the connection) the client may resume; after any other code its token is void.
        """
        session = self._sessions.get((guild_id, user_id))
        if code not in RESUMABLE and (session is None or self._tickets.get((guild_id, user_id)) is session.ticket):
            self._tickets.pop((guild_id, user_id), None)
        if session is not None:
            self._end(session, code)

    def supersede(self, *, guild_id: int, user_id: int) -> None:
        """Close the websocket of a user's earlier token, if there is one, with 4014; the latest token stays good."""
        session = self._sessions.get((guild_id, user_id))
        if session is not None and session.ticket is not self._tickets.get((guild_id, user_id)):
            self._end(session, Close.DISCONNECTED)

    def seat(self, *, channel_id: int, user_id: int) -> Listener:
        """Let a human sit in a channel and listen. Raises ValueError for one who already does."""
        return self.call(channel_id).seat(user_id)

    def unseat(self, *, channel_id: int, user_id: int) -> None:
        """Let a human leave a channel. Raises KeyError for one who is not in it."""
        self._calls[channel_id].unseat(user_id)
        self._tidy(channel_id)

    async def connected(self, *, guild_id: int, user_id: int, channel_id: int | None = None) -> None:
        """Return once a user's client has its transport key (in `channel_id`, where given)."""

        def met() -> bool:
            session = self._sessions.get((guild_id, user_id))
            return session is not None and session.described and channel_id in (None, session.ticket.channel_id)

        await self._bell.until(met)

    async def disconnected(self, *, guild_id: int, user_id: int) -> None:
        """Return once a user has no session here."""
        await self._bell.until(lambda: (guild_id, user_id) not in self._sessions)

    async def settled(self, *, channel_id: int) -> None:
        """Return once a channel's key group holds everybody who is there; at once where one is alone."""
        await self._bell.until(lambda: channel_id not in self._calls or self._calls[channel_id].settled)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Speak voice gateway version 8 on a request for `wss://{endpoint}/?v=8`."""
        if request.query.get("v") != "8":
            self.complain(f"voice gateway version {request.query.get('v')!r} was asked for, not 8")
            return web.Response(status=400)
        socket = web.WebSocketResponse(timeout=2.0)
        try:
            await socket.prepare(request)
        except ConnectionResetError:  # the client is gone already
            return socket
        connection = Connection(self, socket, request)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
        return socket

    # What connections ask

    def admit(
        self, *, host: str, guild_id: int, user_id: int, session_id: str, token: str, dave_version: int
    ) -> Session:
        """Begin a session for a client that was expected. Raises RefusedError 4004, 4006 or 4017."""
        ticket = self._tickets.get((guild_id, user_id))
        if ticket is None or ticket.session_id != session_id or ticket.host != host:
            raise RefusedError("no such session is expected here", code=Close.SESSION_INVALID)
        if ticket.token != token:
            raise RefusedError("the token is not this session's", code=Close.AUTHENTICATION_FAILED)
        if dave_version < self.faults.dave_version(ticket.channel_id):
            raise RefusedError("the channel is end-to-end encrypted", code=Close.E2EE_REQUIRED)
        if (earlier := self._sessions.get((guild_id, user_id))) is not None:
            self._end(earlier, Close.SESSION_INVALID)
        session = Session(ticket, ssrc=next(self._ssrcs))
        self._sessions[guild_id, user_id] = self._by_ssrc[session.ssrc] = session
        return session

    def readmit(self, *, guild_id: int, session_id: str, token: str) -> Session:
        """Return the session a client may go on with. Raises RefusedError 4006."""
        for session in self._sessions.values():
            ticket = session.ticket
            if (ticket.guild_id, ticket.session_id, ticket.token) == (guild_id, session_id, token):
                if session.expiry is not None:
                    session.expiry.cancel()
                    session.expiry = None
                return session
        raise RefusedError("there is no session to resume", code=Close.SESSION_INVALID)

    def call(self, channel_id: int) -> Call:
        """Return the call of a channel, a new one where nobody was there."""
        if channel_id not in self._calls:
            self._calls[channel_id] = Call(channel_id, self.faults, self._bell.ring)
        return self._calls[channel_id]

    def lost(self, session: Session, code: int) -> None:
        """Forget a session whose websocket is gone, unless its client may resume."""
        if code in RESUMABLE:
            self._expire_later(session)
        else:
            self._forget(session)

    def complain(self, text: str) -> None:
        """Record what no client should do; `__aexit__` raises it."""
        log.warning("voice server: %s", text)
        self._complaints.append(text)

    def _end(self, session: Session, code: int) -> None:
        if session.wire is not None:
            session.wire.close(code)
        if code not in RESUMABLE:
            self._forget(session)

    def _expire_later(self, session: Session) -> None:
        def expire() -> None:
            if session.wire is None:
                self._forget(session)

        loop = asyncio.get_running_loop()
        session.expiry = session.expiry or loop.call_later(self.faults.resume_window, expire)

    def _forget(self, session: Session) -> None:
        if session.expiry is not None:
            session.expiry.cancel()
        key = session.ticket.guild_id, session.ticket.user_id
        if self._sessions.get(key) is session:
            del self._sessions[key]
        if self._by_ssrc.pop(session.ssrc, None) is not None:
            self.call(session.ticket.channel_id).exit(session)
            self._tidy(session.ticket.channel_id)
        self._bell.ring()

    def _tidy(self, channel_id: int) -> None:
        if self._calls[channel_id].empty:
            self._calls.pop(channel_id).close()

    # What arrives on UDP

    def move_port(self) -> None:
        """Take audio at another port: whoever is connected sends where nobody is, whoever comes is told the new one."""
        self._udp.move()

    def _discover(self, ssrc: int, address: Address) -> bool:
        session = self._by_ssrc.get(ssrc)
        if session is None:
            self.strays += 1
            return False
        if self.faults.lose_discovery > 0:
            self.faults.lose_discovery -= 1
            return False
        session.address = address
        return True

    def _receive(self, datagram: bytes, arrived: float) -> None:
        ssrc = packet_ssrc(datagram)
        session = None if ssrc is None else self._by_ssrc.get(ssrc)
        if session is None or session.seal is None or not session.announced:
            self.strays += 1
            if session is not None and session.misheard:
                self._end(session, Close.BAD_REQUEST)
            return
        call = self.call(session.ticket.channel_id)
        try:
            packet = session.seal.open(datagram)
        except TransportError as error:
            call.refuse(reused=isinstance(error, NonceReusedError))
        else:
            hushed = self._hushed(session.ticket.guild_id, session.user_id)
            call.forward(session, packet, arrived, hushed=hushed)


def _nobody(_guild_id: int, _user_id: int) -> bool:
    return False
