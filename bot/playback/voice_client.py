"""Our connection to a voice channel, made from discord.py's, and the border where its exceptions become sentences.

The only module that touches what discord.py keeps private; all of it is as in 2.7.1 and pinned by a test:
`VoiceClient._connection`, `VoiceConnectionState._socket_reader`, `.can_encrypt` and `.dave_protocol_version`,
`DiscordVoiceWebSocket.ws`, and `SocketReader._running`, `._end`, `._callbacks`. Does not know what is said, nor whose
turn it is.
"""

import asyncio
import logging
import select
import socket
from collections.abc import Callable
from typing import Any

import discord
from discord.voice_state import SocketReader, VoiceConnectionState

from bot.errors import PlaybackError
from bot.playback.rights import is_in_voice, label

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
"""Time to join. A full channel, and a lost UDP packet, show as no answer at all."""
ENCRYPTION_SECONDS = 3.0
"""Time for the members of a call to agree on a key. Alone in a call there is none, ever."""
LEAVE_SECONDS = 2.0
"""Time for Discord to confirm that we left after a failed attempt to join."""
POLL_MS = 100


class PollReader(SocketReader):
    """Reads a connection's UDP socket. Owns a thread that ends within `POLL_MS` of `stop()`.

    discord.py's own sleeps up to 30 s in `select()` on a socket that was replaced meanwhile, so that a move or a
    reconnect is not noticed, and spins where the process holds more than 1,024 files.
    """

    def run(self) -> None:
        """Hand datagrams to whoever registered, until stopped."""
        while not self._end.is_set():
            self._running.wait()
            datagram = None if self._end.is_set() else self._receive()
            if datagram is not None:
                self._deliver(datagram)
        self._callbacks.clear()

    def _receive(self) -> bytes | None:
        """Wait for one datagram for `POLL_MS`."""
        current: object = self.state.socket  # discord.py's MISSING before the first socket exists
        poll = select.poll()
        try:
            if isinstance(current, socket.socket):
                poll.register(current, select.POLLIN)
                return current.recv(2048) if poll.poll(POLL_MS) else None
        except (OSError, ValueError) as error:
            log.debug("A voice socket was closed while it was read: %r", error)
        self._end.wait(POLL_MS / 1000)  # a new one is on its way, or stop() is
        return None

    def _deliver(self, datagram: bytes) -> None:
        for callback in tuple(self._callbacks):
            try:
                callback(datagram)
            except (IndexError, RuntimeError) as error:  # cut short on the way, or the loop has closed
                log.debug("A voice datagram was dropped: %r", error)


class ChannelConnection(VoiceConnectionState):
    """discord.py's voice handshake with our reader, which leaves once and waits for no answer that cannot come."""

    _reader: SocketReader

    def __init__(self, voice_client: discord.VoiceClient) -> None:
        super().__init__(voice_client)
        self._parting = asyncio.Lock()
        self.parted = False
        """Leaving for good has begun. False while discord.py leaves only to join again, after a broken connection."""

    @property
    def _socket_reader(self) -> SocketReader:
        return self._reader

    @_socket_reader.setter
    def _socket_reader(self, _stock: SocketReader) -> None:
        """Put ours in place of the one that discord.py builds, before that is started."""
        self._reader = PollReader(self)

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
            await super().disconnect(force=force, cleanup=False, wait=wait)
            return
        async with self._parting:
            if not self.parted:
                self.parted = True
                confirmed = self.guild.voice_client is self.voice_client and is_in_voice(self.guild)
                await super().disconnect(force=force, cleanup=True, wait=wait and confirmed)


class ChannelVoice(discord.VoiceClient):
    """A connection to one voice channel. Owns its sockets and threads until `disconnect`."""

    _handshake: ChannelConnection

    def create_connection_state(self) -> VoiceConnectionState:
        """Make the handshake with our socket reader."""
        self._handshake = ChannelConnection(self)
        return self._handshake

    @property
    def encrypted(self) -> bool:
        """Whether a packet sent now can be decrypted by those who listen; true in a call without encryption."""
        connection = self._connection
        return connection.dave_protocol_version == 0 or connection.can_encrypt

    @property
    def audible(self) -> bool:
        """Whether a packet sent now would be heard.

        discord.py calls itself connected for seconds after its websocket broke, until it begins to join again.
        """
        return self.is_connected() and self.ws.ws.close_code is None and self.encrypted

    @property
    def parted(self) -> bool:
        """Whether this connection was left for good, by us or by a moderator's doing."""
        return self._handshake.parted

    async def wait_encrypted(self, seconds: float = ENCRYPTION_SECONDS) -> None:
        """Wait for the call's end-to-end encryption: what is sent before it, nobody can decrypt."""
        if not await _until(lambda: self.encrypted or not self.is_connected(), seconds):
            raise PlaybackError(
                f"The encryption of {label(self.channel)} was not ready in time: ask again,"
                " or change the channel's region if it stays so."
            )

    def cleanup(self) -> None:
        """Give up our registration, and never that of a connection that came after us."""
        if self.guild.voice_client is self:
            super().cleanup()

    def play(
        self, source: discord.AudioSource, *, after: Callable[[Exception | None], Any] | None = None, **options: Any
    ) -> None:
        """Start playing. Raises PlaybackError where the connection is gone."""
        try:
            super().play(source, after=after, **options)
        except discord.ClientException as error:
            raise PlaybackError(f"I lost the connection to {label(self.channel)}: ask again.") from error


async def connect(
    channel: discord.VoiceChannel, *, seconds: float = CONNECT_SECONDS, cls: type[ChannelVoice] = ChannelVoice
) -> ChannelVoice:
    """Join a channel, hearing nothing. Raises PlaybackError, and then nothing of the attempt is left behind."""
    await _withdraw(channel.guild)
    voice: ChannelVoice | None = None
    try:
        voice = await _handshake(channel, seconds, cls)
    finally:
        if voice is None:
            await _withdraw(channel.guild)
    return voice


async def _handshake(channel: discord.VoiceChannel, seconds: float, cls: type[ChannelVoice]) -> ChannelVoice:
    name = label(channel)
    try:
        voice = await channel.connect(cls=cls, timeout=seconds, self_deaf=True)
    except TimeoutError as error:
        raise PlaybackError(
            f"Discord did not let me into {name} in time: ask again, or try another channel."
        ) from error
    except (discord.ClientException, OSError) as error:
        raise PlaybackError(f"Discord broke off while I joined {name}: ask again in a moment.") from error
    except IndexError as error:  # none of the encryption modes offered is one that discord.py knows
        raise PlaybackError(f"{name} wants an encryption I do not know: whoever runs me must update me.") from error
    except RuntimeError as error:  # davey or PyNaCl is not installed
        log.exception("Voice cannot work: install discord.py[voice]")
        raise PlaybackError("I cannot speak: whoever runs me must install discord.py[voice].") from error
    if not voice.is_connected():
        raise PlaybackError(f"Discord refused every attempt to join {name}: ask again in a moment.")
    return voice


async def _withdraw(guild: discord.Guild) -> None:
    """Remove what an earlier connection left in this server, and see Discord agree that we are gone."""
    if guild.voice_client is None:
        return
    await guild.voice_client.disconnect(force=True)
    if not await _until(lambda: not is_in_voice(guild), LEAVE_SECONDS):
        log.warning("Discord did not confirm that we left the voice channel of guild %d", guild.id)


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a state of which discord.py sends no event; whether it came in time."""
    for _ in range(round(seconds / 0.02)):
        if condition():
            return True
        await asyncio.sleep(0.02)
    return condition()
