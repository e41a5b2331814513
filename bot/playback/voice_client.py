"""Our connection to a voice channel: what is played in it goes by the pacer's clock, and what breaks is told in words.

Does not know what is said, nor whose turn it is.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import discord
from discord.voice_state import VoiceConnectionState

from bot.errors import PlaybackError
from bot.playback.ciphers import MODES
from bot.playback.handshake import ChannelConnection
from bot.playback.line import VocalChannel
from bot.playback.pacer import Pacer
from bot.playback.player import PacketSource, Player
from bot.playback.rights import is_in_voice, label
from bot.playback.route import Route
from bot.playback.sender import PacketSender

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
"""Time to join. A full channel, and a lost UDP packet, show as no answer at all."""
ENCRYPTION_SECONDS = 3.0
"""Time for the members of a call to agree on a key. Alone in a call there is none, ever."""
LEAVE_SECONDS = 2.0
"""Time for Discord to confirm that we left after a failed attempt to join."""


class ChannelVoice(discord.VoiceClient):
    """A connection to one voice channel. Owns its sockets until `disconnect`, and counts what it sent."""

    _handshake: ChannelConnection

    supported_modes: Any = tuple(MODES)

    def __init__(self, client: discord.Client, channel: discord.abc.Connectable, *, pacer: Pacer) -> None:
        self._pacer = pacer
        self._playing: Player | None = None
        self._saying: set[asyncio.Task[None]] = set()
        self.announced = False
        """Whether Discord was told, in this session, that we speak."""
        super().__init__(client, channel)
        self._sender = self.create_sender(self._handshake.route)
        self.live_session: Callable[[], int | None] = self._handshake.route.live_session
        """Says in which session a packet sent now would be heard: its number, None where it would not be."""

    def create_sender(self, route: Route) -> PacketSender:
        """Make what sends our packets."""
        return PacketSender(route, self._pacer.outbox)

    def create_connection_state(self) -> VoiceConnectionState:
        """Make the handshake without threads."""
        self._handshake = ChannelConnection(self, connected=self._speak_again, retire=self._pacer.retire)
        return self._handshake

    async def connect(
        self,
        *,
        reconnect: bool,
        timeout: float,  # noqa: ASYNC109 - discord.py's
        self_deaf: bool = False,
        self_mute: bool = False,
    ) -> None:
        """Join, once the gateway takes wishes: it may be on its way back."""
        await _until(self._can_wish, timeout)
        await super().connect(reconnect=reconnect, timeout=timeout, self_deaf=self_deaf, self_mute=self_mute)

    def _can_wish(self) -> bool:
        client = self.client
        shard = client.get_shard(self.guild.shard_id) if isinstance(client, discord.AutoShardedClient) else None
        return shard is None or not shard.is_closed()

    @property
    def sent(self) -> int:
        """Packets handed to the network."""
        return self._sender.sent

    @property
    def refused(self) -> int:
        """Packets the network did not take, or that nobody could have decrypted."""
        return self._sender.refused

    @property
    def bounced(self) -> int:
        """Times the network brought back word that nobody takes packets there."""
        return self._sender.bounced

    @property
    def last_sent(self) -> float:
        """When the last packet left, on the monotonic clock."""
        return self._sender.last_sent

    @property
    def last_voiced(self) -> float:
        """When the last one left that was not silence, on the same clock."""
        return self._sender.last_voiced

    @property
    def encrypted(self) -> bool:
        """Whether a packet sent now can be decrypted by those who listen; true in a call without encryption."""
        return self._handshake.encrypted

    @property
    def protected(self) -> bool:
        """Whether the call is end-to-end encrypted."""
        return self._handshake.route.dave_protocol_version != 0

    @property
    def parted(self) -> bool:
        """Whether this connection was left for good, by us or by a moderator's doing."""
        return self._handshake.parted

    @property
    def expelled(self) -> bool:
        """Whether that was somebody else's doing: a moderator's, or the channel is gone."""
        return self._handshake.expelled

    def rebind(self, channel: VocalChannel) -> None:
        """Take the channel for ours that Discord described anew: the one before knows no more what becomes of it."""
        self.channel = channel

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
        self, source: PacketSource, *, after: Callable[[Exception | None], Any] | None = None, **options: Any
    ) -> None:
        """Play packets of 20 ms; `after` is called by the pacer's thread. Raises PlaybackError where it has parted."""
        if self.parted or self.is_playing():
            raise PlaybackError(f"I lost the connection to {label(self.channel)}: ask again.")
        if self._playing is not None:
            self._playing.cut()
        self._playing = Player(source, self._sender, self._pacer, partial(self._end, after))
        self._say_speaking(discord.SpeakingState.voice)
        self._playing.wake()

    def wake(self) -> None:
        """Read a source again that had nothing to play."""
        if self._playing is not None:
            self._playing.wake()

    def is_playing(self) -> bool:
        """Whether a source is read, or waits to be."""
        return self._playing is not None and not self._playing.over

    def stop(self) -> None:
        """End what plays."""
        if self._playing is not None and not self._playing.over:
            self._playing.stop()

    def _end(self, after: Callable[[Exception | None], Any] | None, error: Exception | None) -> None:
        """Tell that the source ended, then Discord that we are silent. From the pacer's thread."""
        if after is not None:
            after(error)
        self.loop.call_soon_threadsafe(self._say_speaking, discord.SpeakingState.none)

    def _speak_again(self) -> None:
        """Tell a session that began, or was taken up again, that we speak."""
        self.announced = False
        if self.is_playing():
            self._say_speaking(discord.SpeakingState.voice)

    def _say_speaking(self, state: discord.SpeakingState) -> None:
        if state is discord.SpeakingState.none and self.is_playing():
            return  # the next source has begun
        saying = self.loop.create_task(self._speak(state))
        self._saying.add(saying)
        saying.add_done_callback(self._saying.discard)

    async def _speak(self, state: discord.SpeakingState) -> None:
        try:
            await self.ws.speak(state)
            self.announced = state is discord.SpeakingState.voice
        except ConnectionResetError as error:  # aiohttp's ClientConnectionResetError among them
            log.debug("A voice websocket closed under an announcement: %r", error)


class _MovedError(PlaybackError):
    """Somebody moved us while we joined."""

    def __init__(self, words: str, channel: VocalChannel) -> None:
        super().__init__(words)
        self.channel = channel


async def connect(
    channel: VocalChannel,
    *,
    pacer: Pacer,
    seconds: float = CONNECT_SECONDS,
    cls: type[ChannelVoice] = ChannelVoice,
) -> ChannelVoice:
    """Join a channel, hearing nothing; whoever moves us while we do so has us join there, once.

    Raises PlaybackError, and then nothing of the attempt is left behind.
    """
    try:
        return await _join(channel, pacer=pacer, seconds=seconds, cls=cls)
    except _MovedError as moved:
        return await _join(moved.channel, pacer=pacer, seconds=seconds, cls=cls)


async def _join(channel: VocalChannel, *, pacer: Pacer, seconds: float, cls: type[ChannelVoice]) -> ChannelVoice:
    await _withdraw(channel.guild)
    voice: ChannelVoice | None = None
    try:
        voice = await _handshake(channel, seconds, partial(cls, pacer=pacer))
    finally:
        if voice is None:
            await _withdraw(channel.guild)
    return voice


async def _handshake(
    channel: VocalChannel, seconds: float, cls: Callable[[discord.Client, discord.abc.Connectable], ChannelVoice]
) -> ChannelVoice:
    name = label(channel)
    try:
        voice = await channel.connect(cls=cls, timeout=seconds, self_deaf=True)
    except TimeoutError as error:
        raise PlaybackError(
            f"Discord did not let me into {name} in time: ask again, or try another channel."
        ) from error
    except (discord.ClientException, OSError) as error:
        raise PlaybackError(f"Discord broke off while I joined {name}: ask again in a moment.") from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        me = channel.guild.me.voice
        if me is not None and me.channel is not None:
            raise _MovedError(f"I was moved while I joined {name}, twice: ask again.", me.channel) from error
        raise PlaybackError(f"I was sent away while I joined {name}: ask again.") from error
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
        await guild.change_voice_state(channel=None)


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a state of which discord.py sends no event; whether it came in time."""
    for _ in range(round(seconds / 0.02)):
        if condition():
            return True
        await asyncio.sleep(0.02)
    return condition()
