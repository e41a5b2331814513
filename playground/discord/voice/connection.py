"""One websocket of the voice gateway, version 8: who it is, its heartbeats, and its messages in order.

Knows its session once identified; who may connect and who is in a channel it asks the `Desk`.
"""

import asyncio
import logging
from typing import Protocol

from aiohttp import WSMsgType, web

from playground.discord.voice.breach import BreachError, RefusedError
from playground.discord.voice.call import Call
from playground.discord.voice.faults import Faults
from playground.discord.voice.opcodes import Close, Op
from playground.discord.voice.payload import (
    Fields,
    read_binary,
    read_field,
    read_fields,
    read_snowflake,
    read_text,
    write_text,
)
from playground.discord.voice.session import Session
from playground.discord.voice.udp import Address

log = logging.getLogger(__name__)


class Desk(Protocol):
    """What a connection asks the voice server."""

    faults: Faults

    @property
    def udp_address(self) -> Address:
        """Where clients send audio to."""

    def admit(
        self, *, host: str, guild_id: int, user_id: int, session_id: str, token: str, dave_version: int
    ) -> Session:
        """Begin a session. Raises RefusedError."""

    def readmit(self, *, guild_id: int, session_id: str, token: str) -> Session:
        """Return the session to go on with. Raises RefusedError."""

    def call(self, channel_id: int) -> Call:
        """Return the call of a channel."""

    def lost(self, session: Session, code: int) -> None:
        """Take note that a session's websocket is gone."""

    def complain(self, text: str) -> None:
        """Record what no client should do."""


class Connection:
    """Owns one websocket and what is still to be sent on it."""

    def __init__(self, desk: Desk, socket: web.WebSocketResponse, request: web.Request) -> None:
        self._desk, self._socket, self._request = desk, socket, request
        self._outbox: asyncio.Queue[str | bytes | int] = asyncio.Queue()
        self._session: Session | None = None
        self._selected = False
        self._closed: int | None = None
        self._patience: asyncio.TimerHandle | None = None
        self.finished = asyncio.Event()

    async def run(self) -> None:
        """Speak with the client until the websocket is closed by either side."""
        writer = asyncio.create_task(self._write())
        self._tell(Op.HELLO, {"v": 8, "heartbeat_interval": self._desk.faults.heartbeat_interval})
        self._wait_for_heartbeat()
        try:
            async for message in self._socket:
                if self._closed is None:
                    self._take(message.type, message.data)
        finally:
            self._leave(self._socket.close_code or Close.DROPPED)
            writer.cancel()
            await asyncio.wait([writer])
            self.finished.set()

    def post(self, message: str | bytes) -> None:
        """Send a message after those posted before."""
        self._outbox.put_nowait(message)

    def close(self, code: int) -> None:
        """Close the websocket after what was posted before; 1006 cuts the connection without a word."""
        if self._closed is None:
            self._closed = code
            self._outbox.put_nowait(code)

    def _leave(self, code: int) -> None:
        if self._patience is not None:
            self._patience.cancel()
        if self._session is not None and self._session.wire is self:
            self._session.wire = None
            self._desk.lost(self._session, code if self._closed is None else self._closed)

    async def _write(self) -> None:
        while True:
            message = await self._outbox.get()
            try:
                if isinstance(message, str):
                    await self._socket.send_str(message)
                elif isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                elif message == Close.DROPPED and self._request.transport is not None:
                    self._request.transport.abort()
                    return
                else:
                    await self._socket.close(code=message)
                    return
            except ConnectionError:
                log.debug("the client went away before everything was sent")
                return

    def _tell(self, op: Op, data: object) -> None:
        if self._session is None:
            self.post(write_text(op, data))
        else:
            self._session.tell(op, data)

    def _take(self, kind: WSMsgType, data: object) -> None:
        try:
            if kind is WSMsgType.TEXT and isinstance(data, str):
                self._take_text(*read_text(data))
            elif kind is WSMsgType.BINARY and isinstance(data, bytes):
                op, body = read_binary(data)
                session = self._identified(op)
                self._desk.call(session.ticket.channel_id).group.receive(session, op, body)
        except RefusedError as refusal:
            log.debug("voice websocket refused with %d: %s", refusal.code, refusal)
            self.close(refusal.code)
        except BreachError as breach:
            self._desk.complain(str(breach))
            self.close(breach.code)

    def _take_text(self, op: Op, data: object) -> None:
        match op:
            case Op.HEARTBEAT:
                self._beat(read_fields(op, data))
            case Op.IDENTIFY:
                self._identify(read_fields(op, data))
            case Op.RESUME:
                self._resume(read_fields(op, data))
            case Op.SELECT_PROTOCOL:
                self._select(self._identified(op), read_fields(op, data))
            case Op.SPEAKING:
                self._speak(self._identified(op), read_fields(op, data))
            case Op.TRANSITION_READY | Op.INVALID_COMMIT_WELCOME:
                session, transition = self._identified(op), read_field(read_fields(op, data), "transition_id", int)
                group = self._desk.call(session.ticket.channel_id).group
                group.ready(session, transition) if op is Op.TRANSITION_READY else group.invalid(session)
            case _:
                raise BreachError(f"opcode {op.name} is not for clients to send as text", code=Close.UNKNOWN_OPCODE)

    def _identified(self, op: Op) -> Session:
        if self._session is None:
            raise BreachError(f"{op.name} came before Identify", code=Close.NOT_AUTHENTICATED)
        return self._session

    def _beat(self, fields: Fields) -> None:
        nonce = read_field(fields, "t", int)
        if "seq_ack" in fields:
            read_field(fields, "seq_ack", int)
        self._wait_for_heartbeat()
        self._tell(Op.HEARTBEAT_ACK, {"t": nonce})

    def _wait_for_heartbeat(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        seconds = 2 * self._desk.faults.heartbeat_interval / 1000
        self._patience = asyncio.get_running_loop().call_later(seconds, self.close, Close.SESSION_TIMEOUT)

    def _identify(self, fields: Fields) -> None:
        if self._session is not None:
            raise BreachError("a client identified twice", code=Close.ALREADY_AUTHENTICATED)
        faults = self._desk.faults
        if faults.refuse_identify:
            raise RefusedError("refused by the test", code=faults.refuse_identify.popleft())
        session = self._desk.admit(
            host=self._request.url.host or "",
            guild_id=read_snowflake(fields, "server_id"),
            user_id=read_snowflake(fields, "user_id"),
            session_id=read_field(fields, "session_id", str),
            token=read_field(fields, "token", str),
            dave_version=read_field({"max_dave_protocol_version": 0} | fields, "max_dave_protocol_version", int),
        )
        self._attach(session)
        host, port = self._desk.udp_address
        # real servers send this heartbeat_interval too; clients must not use it
        ready = {"ssrc": session.ssrc, "ip": host, "port": port, "modes": faults.modes, "heartbeat_interval": 1}
        self._tell(Op.READY, ready)

    def _resume(self, fields: Fields) -> None:
        if self._session is not None:
            raise BreachError("a client resumed after Identify", code=Close.ALREADY_AUTHENTICATED)
        session = self._desk.readmit(
            guild_id=read_snowflake(fields, "server_id"),
            session_id=read_field(fields, "session_id", str),
            token=read_field(fields, "token", str),
        )
        missed = session.missed(read_field(fields, "seq_ack", int) if "seq_ack" in fields else -1)
        if missed is None:
            raise RefusedError("what was missed is not kept any more", code=Close.SESSION_INVALID)
        self._attach(session)
        self._selected = session.described
        self._tell(Op.RESUMED, None)
        for message in missed:
            self.post(message)

    def _attach(self, session: Session) -> None:
        self._session, previous, session.wire = session, session.wire, self
        if previous is not None:
            previous.close(Close.SESSION_INVALID)

    def _select(self, session: Session, fields: Fields) -> None:
        data = read_fields(Op.SELECT_PROTOCOL, fields.get("data"))
        if (protocol := read_field(fields, "protocol", str)) != "udp":
            raise RefusedError(f"protocol {protocol} is unknown", code=Close.UNKNOWN_PROTOCOL)
        mode = read_field(data, "mode", str)
        if mode not in self._desk.faults.modes:
            raise RefusedError(f"mode {mode} was not offered", code=Close.UNKNOWN_MODE)
        if self._selected:
            raise BreachError("a client selected its protocol twice", code=Close.BAD_REQUEST)
        told = (read_field(data, "address", str), read_field(data, "port", int))
        if session.address is not None and told != session.address:
            raise BreachError(f"discovery said {session.address}, the client says {told}", code=Close.BAD_REQUEST)
        self._selected = True
        call = self._desk.call(session.ticket.channel_id)
        key = session.choose(mode)
        description = {"mode": mode, "secret_key": list(key), "dave_protocol_version": call.dave_version}
        self._tell(Op.SESSION_DESCRIPTION, {**description, "audio_codec": "opus", "video_codec": "H264"})
        call.enter(session)

    def _speak(self, session: Session, fields: Fields) -> None:
        if (ssrc := read_field(fields, "ssrc", int)) != session.ssrc:
            raise BreachError(f"SSRC {ssrc} speaks on the session of {session.ssrc}", code=Close.BAD_REQUEST)
        flags = read_field(fields, "speaking", int)
        if flags not in range(8):
            raise BreachError(f"speaking is {flags}, which is no set of flags", code=Close.BAD_REQUEST)
        if self._desk.faults.lose_announcements > 0 and not (session.announced or session.misheard):
            self._desk.faults.lose_announcements -= 1
            session.misheard = True
        if session.misheard:
            return
        self._desk.call(session.ticket.channel_id).speak(session, flags)
