"""discord.py's voice handshake without its threads, which resumes, and leaves once.

It and `websocket` alone touch what discord.py (and asyncio) keep private: this, as it is in 2.7.1, pinned by a test:

    VoiceClient               _connection, _state.http
    VoiceConnectionState      _connect, _connect_websocket, _connector, _expecting_disconnect, _handshake_websocket,
                              _poll_voice_ws, _potential_reconnect, _socket_reader, _state, _state_event,
                              _voice_connect, _voice_disconnect, _wait_for_state, can_encrypt, dave_protocol_version,
                              dave_session, mode, secret_key, self_voice_state, socket, ssrc, state, ws

    DiscordVoiceWebSocket     ws, _connection, _hook, _keep_alive, _max_heartbeat_timeout
    asyncio's SSLProtocol     max_size, _ssl_buffer, _ssl_buffer_view, reached by aiohttp's _response

Does not know what is said, nor whose turn it is.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import discord
from discord.voice_state import ConnectionFlowState, SocketReader, VoiceConnectionState

from bot.playback.media_socket import MediaSocket, Retire
from bot.playback.reader import LoopReader
from bot.playback.rights import is_in_voice
from bot.playback.route import Route, Routed
from bot.playback.websocket import ChannelSocket
from bot.playback.wishes import Wishes

log = logging.getLogger(__name__)

RESUME_SECONDS = 5.0
"""Time for a voice server to take a broken connection up again. After it, the channel is joined anew."""
MOVE_SECONDS = 2.0
"""Time for Discord to say where to go, after it sent us away without a word. After it, the channel is joined anew."""
REJOIN_SECONDS = 10.0
"""Once in so many seconds a lost channel is joined again at once; more often, after discord.py's pauses."""


class ChannelConnection(VoiceConnectionState):
    """discord.py's voice handshake with our reader, which leaves once and waits for no answer that cannot come."""

    _reader: SocketReader

    mode: Any = Routed()
    secret_key: Any = Routed()
    ssrc: Any = Routed()
    dave_session: Any = Routed()
    dave_protocol_version: Any = Routed()

    def __init__(
        self,
        voice_client: discord.VoiceClient,
        *,
        connected: Callable[[], None],
        retire: Retire,
    ) -> None:
        self.route = Route()
        self._retire = retire
        super().__init__(voice_client)
        self._parting = asyncio.Lock()
        self._on_connected = connected
        self.parted = False
        """Leaving for good has begun. False while discord.py leaves only to join again, after a broken connection."""
        self.expelled = False
        """It is somebody else's doing: a moderator's, or the channel is gone."""
        self._rejoined = float("-inf")
        self._wishes = Wishes()

    @property
    def _state(self) -> ConnectionFlowState:
        return self._flow

    @_state.setter
    def _state(self, flow: ConnectionFlowState) -> None:
        self._flow = flow
        self.route.connected = flow is ConnectionFlowState.connected

    @property
    def socket(self) -> Any:
        """The UDP socket, None before there is one."""
        return getattr(self.route, "socket", None)

    @socket.setter
    def socket(self, stock: Any) -> None:
        """Put ours in its place, whose number stays its own as long as datagrams are on their way."""
        if not stock:
            return
        if self.socket is not None:
            self._reader.pause()
            self.socket.close()
        self.route.socket = MediaSocket(stock, self._retire)

    @property
    def ws(self) -> Any:
        """The voice websocket; discord.py's MISSING before there is one."""
        return self._websocket

    @ws.setter
    def ws(self, websocket: Any) -> None:
        self._websocket = websocket
        if websocket:
            self.route.websocket = websocket.ws

    @property
    def _socket_reader(self) -> SocketReader:
        return self._reader

    @_socket_reader.setter
    def _socket_reader(self, _stock: SocketReader) -> None:
        """Put ours in place of the one that discord.py builds, before that is started."""
        self._reader = LoopReader(self)

    @property
    def encrypted(self) -> bool:
        """Whether a packet sent now can be decrypted by those who listen; true in a call without encryption."""
        return self.dave_protocol_version == 0 or self.can_encrypt

    async def take_up(self) -> bool:
        """Resume the session on a new websocket; whether the server let us."""
        broken = self.ws
        if isinstance(broken, ChannelSocket):
            broken.fall_silent()
        try:
            async with asyncio.timeout(RESUME_SECONDS):
                websocket = self.ws = await self._connect_websocket(True)
                while not websocket.resumed:
                    await websocket.poll_event()
        except (discord.ConnectionClosed, OSError) as error:  # TimeoutError and aiohttp's ClientConnectorError too
            log.info("A voice connection could not be resumed: %s", type(error).__name__)
            return False
        finally:
            if self.ws is not broken:
                await broken.close()
        self.state = ConnectionFlowState.connected
        self._on_connected()
        return True

    async def join_again(self) -> bool:
        """Join the channel anew, where that was not done just now; whether we are in it."""
        if time.monotonic() - self._rejoined < REJOIN_SECONDS:
            return False
        self._rejoined = time.monotonic()
        await self.disconnect(cleanup=False)
        wanted = self.self_voice_state or self
        try:
            await self._connect(self.reconnect, self.timeout, wanted.self_deaf, wanted.self_mute, resume=False)
        except TimeoutError:
            return False
        return self.is_connected()

    async def _potential_reconnect(self) -> bool:
        """Follow where Discord moved us, if it says so soon; whether we are there."""
        flow = ConnectionFlowState
        told = (flow.got_voice_server_update, flow.got_both_voice_updates, flow.disconnected)
        try:
            await self._wait_for_state(*told, timeout=MOVE_SECONDS)
        except TimeoutError:
            return False
        return await super()._potential_reconnect()

    async def _handshake_websocket(self) -> None:
        self.route.sessions += 1  # before the pacer's thread sees that it is connected
        await super()._handshake_websocket()
        self._on_connected()

    async def voice_state_update(self, data: Any) -> None:
        """Follow where Discord has us."""
        inside = data["channel_id"] is not None
        if self.is_connected():  # what was not answered by now will never be
            self._wishes.clear()
            self._expecting_disconnect = False
        if not inside and self._wishes.entering:
            return
        self._wishes.answer(inside=inside)
        if not (inside or self._expecting_disconnect or self.parted):
            self.expelled = True
        await super().voice_state_update(data)

    async def _voice_connect(self, *, self_deaf: bool = False, self_mute: bool = False) -> None:
        """Ask to be let in."""
        self._expect_not_parted()
        self._wishes.ask(inside=True)
        await super()._voice_connect(self_deaf=self_deaf, self_mute=self_mute)

    async def _voice_disconnect(self) -> None:
        """Ask to be let out."""
        if self._wishes.open or is_in_voice(self.guild):
            self._wishes.ask(inside=False)
        await super()._voice_disconnect()

    async def _wait_for_state(
        self,
        state: ConnectionFlowState,
        *other_states: ConnectionFlowState,
        timeout: float | None = None,  # noqa: ASYNC109 - discord.py's
    ) -> None:
        """Wait for a state; discord.py leaves a task behind where that is given up. Raises TimeoutError."""
        while self.state not in {state, *other_states}:
            async with asyncio.timeout(timeout):
                await self._state_event.wait()

    def _expect_not_parted(self) -> None:
        """End an attempt to join that goes on after the connection was left: what it asks for would hit another.

        A cancellation may get lost on its way (`asyncio.wait_for` in 3.11), and an attempt after a loss gets none.
        """
        if self.parted:
            raise asyncio.CancelledError

    async def _connect_websocket(self, resume: bool) -> ChannelSocket:
        self._expect_not_parted()
        websocket = await ChannelSocket.open(self, resume=resume)
        if self.parted:
            await websocket.close()
        self._expect_not_parted()
        self.state = ConnectionFlowState.websocket_connected
        return websocket

    async def _poll_voice_ws(self, reconnect: bool) -> None:
        """Follow the voice websocket. One that closes while discord.py answers on it is read on to its close code."""
        while True:
            try:
                await super()._poll_voice_ws(reconnect)
            except ConnectionResetError as error:  # aiohttp's ClientConnectionResetError among them
                log.debug("A voice websocket closed under an answer: %r", error)
            else:
                return

    async def disconnect(self, *, force: bool = True, cleanup: bool = True, wait: bool = False) -> None:
        """Leave; for good with `cleanup`, and then once.

        discord.py leaves again when it sees its own websocket close, which would throw out a connection that came
        after this one. Discord confirms to a registered client that was let in: others would wait in vain.
        """
        if not cleanup:
            self._expect_not_parted()
            await super().disconnect(force=force, cleanup=False, wait=wait)
            return
        async with self._parting:
            if not self.parted:
                self.parted = True
                if self._connector is not None and self._connector is not asyncio.current_task():
                    self._connector.cancel()
                try:
                    await self._wishes.settled()  # what comes later is taken for an answer to who comes after us
                finally:  # also where that wait is cancelled: nobody comes back to leave
                    confirmed = self.guild.voice_client is self.voice_client and is_in_voice(self.guild)
                    await super().disconnect(force=force, cleanup=True, wait=wait and confirmed)
