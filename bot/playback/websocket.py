"""The voice websocket of a channel: it asks again where a datagram is lost, and has what broke taken up again.

Of what discord.py keeps private it touches what the second half of the list in `handshake` names, and no more.
"""

import asyncio
import logging
import threading
from contextlib import AsyncExitStack
from typing import Any, Protocol, Self, runtime_checkable

import discord
from discord.gateway import DiscordVoiceWebSocket
from discord.voice_state import VoiceConnectionState

from bot.playback.heart import LoopHeart

log = logging.getLogger(__name__)

DISCOVERY_SECONDS, DISCOVERIES = 1.0, 4
"""Time for the answer to a datagram that asks for our address, and how often it is asked: datagrams get lost."""
_RESUMABLE = {1006, 4015}
"""The connection broke; the server crashed."""
_TOLD = {1000, 4014, 4021, 4022}
"""We left, or were sent away: nothing broke."""
_PATIENCE = 60.0
_SLIM = 16 * 1024
"""Bytes of a voice websocket's TLS buffer, which holds one record of the largest size (RFC 8446)."""


@runtime_checkable
class Lasting(Protocol):
    """A connection that outlives its websocket."""

    ws: Any

    def is_connected(self) -> bool:
        """Whether the handshake is done."""

    async def take_up(self) -> bool:
        """Resume the session on a new websocket; whether the server let us."""

    async def join_again(self) -> bool:
        """Join the channel anew, where that was not done just now; whether we are in it."""


class ChannelSocket(DiscordVoiceWebSocket):
    """The voice websocket, uncompressed (a compressor for each would be most of a connection's memory)."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.resumed = False

    @classmethod
    async def open(cls, state: VoiceConnectionState, *, resume: bool) -> Self:
        """Connect, and identify or resume."""
        client = state.voice_client
        socket_ = await client._state.http.ws_connect(f"wss://{state.endpoint}/?v=8", compress=0)  # noqa: SLF001
        _slim(socket_)
        websocket = cls(socket_, loop=client.loop, hook=state.hook)
        earlier: object = state.ws
        websocket.seq_ack = earlier.seq_ack if isinstance(earlier, DiscordVoiceWebSocket) else -1
        websocket._connection = state
        websocket._max_heartbeat_timeout = _PATIENCE
        websocket.thread_id = threading.get_ident()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(socket_.close)
            await (websocket.resume() if resume else websocket.identify())
            stack.pop_all()
        return websocket

    def fall_silent(self) -> None:
        """Send no more heartbeats."""
        if self._keep_alive is not None:
            self._keep_alive.stop()

    async def received_message(self, msg: dict[str, Any]) -> None:
        """Take a message; the first one starts our own heartbeats."""
        if msg["op"] != self.HELLO:
            await super().received_message(msg)
            self.resumed = self.resumed or msg["op"] == self.RESUMED
            return
        self.seq_ack = msg.get("seq", self.seq_ack)
        self._keep_alive = LoopHeart(ws=self, interval=msg["d"]["heartbeat_interval"] / 1000)
        self._keep_alive.start()
        await self._hook(self, msg)

    async def initial_connection(self, data: dict[str, Any]) -> None:
        """Agree with a server on how to send: discord.py takes the first mode of the list, which is to be our first."""
        modes = [mode for mode in self._connection.supported_modes if mode in data["modes"]]
        await super().initial_connection({**data, "modes": modes})

    async def discover_ip(self) -> tuple[str, int]:
        """Ask how we are seen from outside, again where no answer comes. Raises TimeoutError."""
        for attempt in range(1, DISCOVERIES + 1):
            try:
                async with asyncio.timeout(DISCOVERY_SECONDS):
                    return await super().discover_ip()
            except TimeoutError:
                log.info("No answer to datagram %d to a voice server", attempt)
        raise TimeoutError("a voice server answers no datagram")

    async def poll_event(self) -> None:
        """Take the next message. A connection that broke is taken up again where the server lets it."""
        try:
            await super().poll_event()
        except discord.ConnectionClosed as error:
            connection = self._connection
            if not isinstance(connection, Lasting) or connection.ws is not self or not connection.is_connected():
                raise
            if error.code in _TOLD:
                raise
            log.info("A voice connection broke (%d) and is taken up again", error.code)
            if not (error.code in _RESUMABLE and await connection.take_up()) and not await connection.join_again():
                raise discord.ConnectionClosed(self.ws, shard_id=None, code=1006) from error


def _slim(websocket: Any) -> None:
    """Give a connection that carries little a small TLS buffer: asyncio's is 256 kB, most of what a channel takes."""
    response = getattr(websocket, "_response", None)
    transport = getattr(getattr(response, "connection", None), "transport", None)
    protocol: Any = getattr(transport, "_ssl_protocol", None)
    if all(hasattr(protocol, name) for name in ("max_size", "_ssl_buffer", "_ssl_buffer_view")):
        protocol.max_size = _SLIM
        protocol._ssl_buffer = bytearray(_SLIM)  # noqa: SLF001
        protocol._ssl_buffer_view = memoryview(protocol._ssl_buffer)  # noqa: SLF001
