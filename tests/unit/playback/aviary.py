"""A server as discord.py sees it: real guild, channels, members and voice states, fed with Discord's own payloads.

The far end is replaced where the wires leave the process: the gateway that takes voice requests, and the voice
server's websocket. Everything between, with the pacer's thread, is the real thing.
"""

import asyncio
import socket
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, Self

import discord
from discord.gateway import DiscordVoiceWebSocket
from discord.voice_state import ConnectionFlowState, VoiceConnectionState

from bot.models import Packets
from bot.playback.batch import Refused
from bot.playback.buffer import SILENCE
from bot.playback.handshake import ChannelConnection
from bot.playback.line import Line
from bot.playback.link import Connect
from bot.playback.outbox import PHASES, Outbox
from bot.playback.pacer import Pacer
from bot.playback.route import Route
from bot.playback.sender import PacketSender
from bot.playback.voice_client import ChannelVoice, connect

GUILD, BOT, ALICE, BOB, ROBOT = 100, 1, 2, 3, 4
LOUNGE, ATTIC, STAGE = 11, 12, 13
SPEAKING = discord.Permissions(view_channel=True, connect=True, speak=True)


class FarVoiceSocket(DiscordVoiceWebSocket):
    """A voice websocket on which nothing arrives until it is closed."""

    def __init__(self, aviary: "Aviary", *, loses_announcements: bool) -> None:
        self._aviary = aviary
        self._loses_announcements = loses_announcements
        self._closed_with: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._keep_alive = None
        self.ws = SimpleNamespace(close_code=None)
        self.seq_ack = -1
        self.secret_key = [0] * 32
        self.broken = False
        self.told: list[discord.SpeakingState] = []
        """What Discord was told of whether we speak, or would have been were the wire not broken."""

    async def poll_event(self) -> None:
        code = await asyncio.shield(self._closed_with)
        raise discord.ConnectionClosed(None, shard_id=None, code=code)

    async def close(self, code: int = 1000) -> None:
        self.ws.close_code = code
        if not self._closed_with.done():
            self._closed_with.set_result(code)

    async def speak(self, state: discord.SpeakingState = discord.SpeakingState.voice) -> None:
        self.told.append(state)
        await self._aviary.tell()
        if self.broken or self._loses_announcements:
            raise ConnectionResetError("closing")


class FarDave:
    """A group key: there when `ready`."""

    def __init__(self, aviary: "Aviary") -> None:
        self._aviary = aviary

    @property
    def ready(self) -> bool:
        return self._aviary.group_ready

    def encrypt_opus(self, packet: bytes) -> bytes:
        return packet


class FarConnection(ChannelConnection):
    """Our handshake with a voice server that answers as the aviary is told to."""

    async def _connect_websocket(self, resume: bool) -> DiscordVoiceWebSocket:
        aviary = self.voice_client.client.aviary
        if aviary.voice_fault is not None:
            raise aviary.voice_fault
        self.state = ConnectionFlowState.websocket_connected
        loses = aviary.unannounced > 0
        aviary.unannounced -= loses
        return FarVoiceSocket(aviary, loses_announcements=loses)

    async def _handshake_websocket(self) -> None:
        aviary = self.voice_client.client.aviary
        self.mode, self.ssrc, self.secret_key = "aead_xchacha20_poly1305_rtpsize", 7, [0] * 32
        self.dave_protocol_version, self.dave_session = aviary.dave_version, FarDave(aviary)
        self.socket.connect(aviary.sink.getsockname())
        if aviary.cut_off > 0:
            aviary.cut_off -= 1
            self.cut_off()
        if not aviary.voice_falls_through:
            self.state = ConnectionFlowState.connected
            self._on_connected()

    def cut_off(self) -> None:
        """Have the system refuse every packet from now on."""
        self.socket.shutdown(socket.SHUT_WR)


class FarVoice(ChannelVoice):
    """Our connection, whose packets are noted as they leave."""

    def cut_off(self) -> None:
        """Have the system refuse every packet from now on."""
        self._handshake.cut_off()

    def create_connection_state(self) -> VoiceConnectionState:
        self._handshake = FarConnection(self, connected=self._speak_again, retire=self._pacer.retire)
        return self._handshake

    async def wait_encrypted(self, seconds: float = 0.3) -> None:
        await super().wait_encrypted(seconds)

    def create_sender(self, route: Route) -> PacketSender:
        return FarSender(route, self)


class FarOutbox(Outbox):
    """Our outbox, whose packets are noted as they leave."""

    def __init__(self) -> None:
        super().__init__()
        self._leaving: defaultdict[int, set[FarSender]] = defaultdict(set)

    def put(self, sender: Refused, number: int, datagrams: Sequence[bytes]) -> None:
        super().put(sender, number, datagrams)
        if isinstance(sender, FarSender):
            for place in range(len(datagrams)):
                self._leaving[self.moment + place * PHASES].add(sender)
            sender.take_up()

    def withdraw(self, sender: Refused, moment: int) -> bytes | None:
        self._leaving[moment] -= {sender}
        return super().withdraw(sender, moment)

    def dispatch(self) -> int:
        moment = self.moment
        count = super().dispatch()
        for sender in self._leaving.pop(moment, ()):
            sender.note()
        return count


class FarSender(PacketSender):
    """Our sender, whose packets are noted as they leave."""

    def __init__(self, route: Route, voice: FarVoice) -> None:
        super().__init__(route, voice.client.aviary.pacer.outbox)
        self._voice = voice
        self._sent: deque[tuple[bytes, bool]] | None = None
        """What is being sent, and whether it is in clear."""
        self._packets: deque[tuple[bytes, bool]] = deque()
        """What is on its way, or was taken back."""
        self._refused = False

    def send(self, packet: bytes, following: Sequence[bytes] = ()) -> int:
        if self._voice.client.aviary.send_fault is not None:
            raise self._voice.client.aviary.send_fault
        refused, clear = self.refused, not self._voice.encrypted
        self._sent = deque((each, clear) for each in (packet, *following))
        count = super().send(packet, following)
        if self.refused > refused:
            self._voice.client.aviary.note_refusal()
        return count

    def take_up(self) -> None:
        """Take note that packets are put: those that are being sent, or those that were taken back."""
        if self._sent is not None:
            self._packets, self._sent = self._sent, None

    def refuse(self, reason: int) -> None:
        super().refuse(reason)
        self._refused = True

    def note(self) -> None:
        """Note the next packet, which left or was refused just now."""
        packet, clear = self._packets.popleft()
        if self._refused:
            self._refused = False
            self._voice.client.aviary.note_refusal()
        else:
            self._voice.client.aviary.note(self._voice.channel.id, packet, clear=clear)


class FarGateway:
    """Discord's gateway: takes voice requests and answers with events."""

    open = False

    def __init__(self, aviary: "Aviary") -> None:
        self._aviary = aviary

    async def voice_state(self, guild_id: int, channel_id: int | None, mute: bool = False, deaf: bool = False) -> None:
        self._aviary.requests.append((channel_id, deaf))
        await self._aviary.tell()
        if self._aviary.answers:
            asyncio.get_running_loop().call_soon(self._answer, channel_id)

    def _answer(self, channel_id: int | None) -> None:
        """Tell where the bot is; who is out already is told nothing."""
        if channel_id is not None or self._aviary.place(BOT) is not None:
            self._aviary.move(BOT, channel_id)


class Aviary:
    """A server with two voice channels, a stage, two people and another bot. Owns what was heard."""

    def __init__(self) -> None:
        self.client = discord.Client(intents=discord.Intents(guilds=True, voice_states=True))
        self.client.aviary = self
        self.client.ws = FarGateway(self)
        self.requests: list[tuple[int | None, bool]] = []
        """What the bot asked for: channel and self_deaf."""
        self.heard: list[tuple[int, bytes]] = []
        """Packets that were not silence, with the channel they were sent to."""
        self.frames: list[bytes] = []
        """Every packet, silence included."""
        self.clear: list[bytes] = []
        """Packets that were not silence and were sent before the group had its key."""
        self.told: dict[int, int | None] = {}
        """Where the bot was last told that each member is."""
        self.answers = True
        self.voice_fault: BaseException | None = None
        self.voice_falls_through = False
        self.send_fault: BaseException | None = None
        self.unannounced = 0
        """So many of the next sessions do not learn that the bot speaks."""
        self.cut_off = 0
        """In so many of the next sessions the system refuses every packet."""
        self.dave_version = 1
        self.group_ready = True
        self.pacer = Pacer()
        self.pacer.outbox = FarOutbox()
        self.sink = _open_sink()
        """Where packets go; nobody reads them."""
        self._changed = asyncio.Condition()
        self._loop = asyncio.get_running_loop()

    async def __aenter__(self) -> Self:
        await self.pacer.__aenter__()
        await self.client.__aenter__()
        state = self.client._connection
        state.user = discord.ClientUser(state=state, data=user(BOT, bot=True))
        state.parse_guild_create(guild_payload())
        self.client.event(self._on_voice_state_update())
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.client.__aexit__(*details)
        await self.pacer.__aexit__(None, None, None)
        self.sink.close()

    def _on_voice_state_update(self) -> Callable[..., Any]:
        async def on_voice_state_update(
            member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
        ) -> None:
            for listener in self.listeners:
                listener(member, before, after)
            self.told[member.id] = after.channel.id if after.channel else None
            await self.tell()

        self.listeners: list[Callable[..., None]] = []
        return on_voice_state_update

    @property
    def guild(self) -> discord.Guild:
        return self.client.get_guild(GUILD)

    def channel(self, channel_id: int) -> discord.VoiceChannel:
        return self.guild.get_channel(channel_id)

    @property
    def connect(self) -> Connect:
        return partial(connect, pacer=self.pacer, cls=FarVoice, seconds=5.0)

    def move(self, user_id: int, channel_id: int | None, **flags: bool) -> None:
        """Put a member in a channel, or out of all, as Discord would tell it."""
        before = self.place(user_id)
        self.tell_place(user_id, channel_id, **flags)
        if user_id == BOT and channel_id not in {None, before}:
            self.tell_server(channel_id)

    def tell_place(self, user_id: int, channel_id: int | None, **flags: bool) -> None:
        """Tell the bot that a member is in a channel, and of no voice server there."""
        self.client._connection.parse_voice_state_update(voice_state(user_id, channel_id, **flags))

    def tell_server(self, channel_id: int) -> None:
        """Tell the bot the voice server of a channel."""
        server = {"token": "t", "guild_id": str(GUILD), "endpoint": f"voice-{channel_id}"}
        self.client._connection.parse_voice_server_update(server)

    def edit_channel(self, channel_id: int, **changes: object) -> None:
        payload = {**channel_payload(channel_id), **changes}
        self.client._connection.parse_channel_update(payload)

    def delete_channel(self, channel_id: int) -> None:
        self.client._connection.parse_channel_delete(channel_payload(channel_id))

    def note(self, channel_id: int, packet: bytes, *, clear: bool) -> None:
        self._loop.call_soon_threadsafe(self._note, channel_id, packet, clear)

    def note_refusal(self) -> None:
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self.tell()))

    def _note(self, channel_id: int, packet: bytes, clear: bool) -> None:
        self.frames.append(packet)
        if packet != SILENCE:
            self.heard.append((channel_id, packet))
            if clear:
                self.clear.append(packet)
        self._loop.create_task(self.tell())

    def move_sink(self) -> None:
        """Take packets somewhere else, to which those who join from now on send."""
        self.sink.close()
        self.sink = _open_sink()

    async def tell(self) -> None:
        """Let those who wait look again."""
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that a packet or a voice state update brings about."""
        async with self._changed:
            await self._changed.wait_for(condition)

    async def hears(self, packets: int) -> None:
        await self.until(lambda: len(self.heard) >= packets)

    async def sees(self, user_id: int, channel_id: int | None) -> None:
        """Wait until the bot was told that a member is in a channel, or in none."""
        await self.until(lambda: self.told.get(user_id, -1) == channel_id)

    def place(self, user_id: int) -> int | None:
        """Say in which channel a member is, None for in none."""
        voice = self.guild._voice_states.get(user_id)
        return voice.channel.id if voice and voice.channel else None


def _open_sink() -> socket.socket:
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    return sink


class Script:
    """What a line does when it is opened. Owns the signs of what happened to it."""

    def __init__(
        self, packets: int = 10, *, fault: BaseException | None = None, fault_after: BaseException | None = None
    ) -> None:
        self.packets = [bytes([0x78, index // 256, index % 256]) for index in range(packets)]
        self.fault = fault
        self.fault_after = fault_after
        self.opened = asyncio.Event()
        self.closed = asyncio.Event()
        self.hold_at: int | None = None
        """Make no more packets from this one on, until `go`."""
        self.go = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Packets]:
        self.opened.set()
        try:
            if self.fault is not None:
                raise self.fault
            yield self._packets()
        finally:
            self.closed.set()

    async def _packets(self) -> Packets:
        for index, packet in enumerate(self.packets):
            if index == self.hold_at:
                await self.go.wait()
            yield [packet]
        if self.fault_after is not None:
            raise self.fault_after

    def line(self, channel: discord.abc.GuildChannel, asker_id: int = ALICE) -> Line:
        return Line(asker_id=asker_id, channel=channel, open=lambda _: self.open(), sentences=("Some words.",))


def sentences(channel: discord.abc.GuildChannel, *sizes: int, **changes: Any) -> Line:
    """Make a line of alice's of sentences, each of so many packets: its number and theirs are in them."""

    @asynccontextmanager
    async def open_sentence(number: int) -> AsyncIterator[Packets]:
        async def each() -> Packets:
            for packet in range(sizes[number]):
                yield [bytes([0x78, number, packet])]

        yield each()

    texts = tuple(f"Sentence {number}." for number in range(len(sizes)))
    line = Line(asker_id=ALICE, channel=channel, open=open_sentence, sentences=texts, voice="Aki")
    return replace(line, **changes)


def user(user_id: int, *, bot: bool = False) -> dict[str, object]:
    names = {BOT: "mynah", ALICE: "alice", BOB: "bob", ROBOT: "robot"}
    return {"id": str(user_id), "username": names[user_id], "discriminator": "0", "avatar": None, "bot": bot}


def member(user_id: int) -> dict[str, object]:
    return {
        "user": user(user_id, bot=user_id in {BOT, ROBOT}),
        "roles": [],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def voice_state(user_id: int, channel_id: int | None, *, mute: bool = False, **flags: bool) -> dict[str, object]:
    return {
        "guild_id": str(GUILD),
        "channel_id": None if channel_id is None else str(channel_id),
        "user_id": str(user_id),
        "member": member(user_id),
        "session_id": f"session-{user_id}",
        "deaf": False,
        "mute": mute,
        "self_deaf": False,
        "self_mute": False,
        "self_video": False,
        "suppress": False,
        "request_to_speak_timestamp": None,
        **flags,
    }


def channel_payload(channel_id: int) -> dict[str, object]:
    return {
        "id": str(channel_id),
        "guild_id": str(GUILD),
        "type": 13 if channel_id == STAGE else 2,
        "name": {LOUNGE: "Lounge", ATTIC: "Attic", STAGE: "Stage"}[channel_id],
        "position": channel_id,
        "permission_overwrites": [],
        "bitrate": 64000,
        "user_limit": 0,
        "parent_id": None,
        "nsfw": False,
    }


def guild_payload() -> dict[str, object]:
    return {
        "id": str(GUILD),
        "name": "Aviary",
        "owner_id": str(ALICE),
        "roles": [
            {
                "id": str(GUILD),
                "name": "@everyone",
                "permissions": str(SPEAKING.value),
                "position": 0,
                "color": 0,
                "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
                "hoist": False,
                "managed": False,
                "mentionable": False,
                "flags": 0,
            }
        ],
        "emojis": [],
        "stickers": [],
        "features": [],
        "channels": [channel_payload(channel_id) for channel_id in (LOUNGE, ATTIC, STAGE)],
        "threads": [],
        "members": [member(user_id) for user_id in (BOT, ALICE, BOB, ROBOT)],
        "voice_states": [],
        "presences": [],
        "member_count": 4,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "afk_timeout": 300,
        "system_channel_flags": 0,
    }
