import asyncio
import gc
import inspect
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import gateway, voice_client, voice_state
from packaging.requirements import Requirement

from bot.errors import PlaybackError
from bot.playback.buffer import SILENCE
from bot.playback.player import TAIL
from bot.playback.voice_client import ChannelVoice, connect
from tests.unit.playback.aviary import ATTIC, BOB, BOT, LOUNGE, STAGE, Aviary, FarVoice
from tests.unit.playback.aviary import voice_state as describe_place

PROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_discord_py_is_the_release_whose_private_parts_we_know() -> None:
    assert discord.__version__ == "2.7.1"


def test_no_discord_py_is_asked_for_that_cannot_encrypt_from_end_to_end() -> None:
    dependencies = map(Requirement, tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"])
    asked = {requirement.name: requirement for requirement in dependencies}

    library = asked["discord.py"]
    assert "voice" in library.extras
    assert discord.__version__ in library.specifier
    assert "2.6.4" not in library.specifier  # the last one without
    assert "davey" in asked


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (voice_client.VoiceProtocol.__init__, "self.channel: abc.Connectable = channel"),
        (voice_client.VoiceClient.__init__, "self._state: ConnectionState = "),
        (voice_client.VoiceClient.guild.fget, "return self.channel.guild"),
        (voice_client.VoiceClient.connect, "await self._connection.connect("),
        (voice_client.VoiceClient.__init__, "self._connection: VoiceConnectionState = self.create_connection_state()"),
        (voice_client.VoiceClient.disconnect, "await self._connection.disconnect(force=force, wait=True)"),
        (voice_state.VoiceConnectionState.__init__, "self._socket_reader = SocketReader(self)"),
        (voice_state.VoiceConnectionState.__init__, "self._socket_reader.start()"),
        (voice_state.VoiceConnectionState.__init__, "self.dave_protocol_version: int = 0"),
        (voice_state.VoiceConnectionState.can_encrypt.fget, "self.dave_session.ready"),
        (voice_state.VoiceConnectionState.disconnect, "await self._voice_disconnect()"),
        (voice_state.VoiceConnectionState._voice_disconnect, "change_voice_state(channel=None)"),
        (voice_state.VoiceConnectionState.disconnect, "force: bool = True, cleanup: bool = True, wait: bool = False"),
        (
            voice_state.VoiceConnectionState._connect,
            "reconnect: bool, timeout: float, self_deaf: bool, self_mute: bool",
        ),
        (voice_state.VoiceConnectionState._connect, "if not self._runner:"),
        (voice_state.VoiceConnectionState._connect_websocket, "self.state = ConnectionFlowState.websocket_connected"),
        (voice_state.VoiceConnectionState._handshake_websocket, "self.state = ConnectionFlowState.connected"),
        (voice_state.VoiceConnectionState._inner_connect, "self.ws = await self._connect_websocket(resume)"),
        (voice_state.VoiceConnectionState._poll_voice_ws, "await self.ws.poll_event()"),
        (voice_state.VoiceConnectionState._poll_voice_ws, "successful = await self._potential_reconnect()"),
        (voice_state.VoiceConnectionState._potential_reconnect, "ConnectionFlowState.got_both_voice_updates"),
        (voice_state.VoiceConnectionState._inner_connect, "await self._voice_connect(self_deaf=self_deaf, self_mute="),
        (voice_state.VoiceConnectionState.connect, "self._connector = self.voice_client.loop.create_task("),
        (voice_state.VoiceConnectionState._voice_disconnect, "self._expecting_disconnect = True"),
        (voice_state.VoiceConnectionState._wait_for_state, "timeout: Optional[float] = None"),
        (voice_state.VoiceConnectionState._wait_for_state, "sane_wait_for([self._state_event.wait()], timeout=timeout"),
        (voice_state.VoiceConnectionState.state.fset, "self._state_event.set()\n        self._state_event.clear()"),
        (voice_state.VoiceConnectionState._update_voice_channel, "self.voice_client.channel = "),
        (voice_state.VoiceConnectionState.__init__, "self.secret_key: List[int] = MISSING"),
        (voice_state.VoiceConnectionState.__init__, "self.ssrc: int = MISSING"),
        (voice_state.VoiceConnectionState.__init__, "self.mode: SupportedModes = MISSING"),
        (voice_state.VoiceConnectionState.supported_modes.fget, "return self.voice_client.supported_modes"),
        (
            gateway.DiscordVoiceWebSocket.received_message,
            "self._connection.mode = data['mode']\n            await self.load_secret_key(data)",
        ),
        (gateway.DiscordVoiceWebSocket.initial_connection, "mode = modes[0]"),
        (voice_state.VoiceConnectionState.__init__, "self.socket: socket.socket = MISSING"),
        (voice_state.VoiceConnectionState.__init__, "self.ws: DiscordVoiceWebSocket = MISSING"),
        (voice_state.VoiceConnectionState.__init__, "self._state: ConnectionFlowState"),
        (voice_state.VoiceConnectionState.__init__, "self.dave_session: Optional[davey.DaveSession]"),
        (voice_state.VoiceConnectionState.self_voice_state.fget, "return self.guild.me.voice"),
        (gateway.DiscordVoiceWebSocket.from_connection_state, "ws._connection = state"),
        (gateway.DiscordVoiceWebSocket.from_connection_state, "ws._max_heartbeat_timeout = 60.0"),
        (gateway.DiscordVoiceWebSocket.from_connection_state, "ws.thread_id = threading.get_ident()"),
        (gateway.DiscordVoiceWebSocket.from_connection_state, "await http.ws_connect(gateway, compress=15)"),
        (gateway.DiscordVoiceWebSocket.received_message, "self._keep_alive = VoiceKeepAliveHandler("),
        (gateway.DiscordVoiceWebSocket.received_message, "await self._hook(self, msg)"),
        (gateway.DiscordVoiceWebSocket.discover_ip, "fut.add_done_callback("),
        (gateway.DiscordVoiceWebSocket.received_message, "self._keep_alive.ack()"),
        (gateway.DiscordVoiceWebSocket.__init__, "self.ws: aiohttp.ClientWebSocketResponse = socket"),
        (voice_state.SocketReader.register, "self._callbacks.append(callback)"),
        (voice_state.SocketReader.__init__, "self._running = threading.Event()"),
        (voice_state.SocketReader.__init__, "self._end = threading.Event()"),
        (voice_state.SocketReader.stop, "self._end.set()\n        self._running.set()"),
        (voice_state.SocketReader.register, "self._running.set()"),
        (voice_state.SocketReader.unregister, "self._running.clear()"),
    ],
)
def test_what_we_touch_of_discord_py_is_as_we_know_it(where: Callable[..., Any], words: str) -> None:
    assert words in inspect.getsource(where)


async def test_no_answer_is_told_and_leaves_nothing(aviary: Aviary) -> None:
    aviary.answers = False
    with pytest.raises(PlaybackError, match="did not let me into #Lounge in time"):
        await connect(aviary.channel(LOUNGE), pacer=aviary.pacer, cls=FarVoice, seconds=0.1)
    assert aviary.guild.voice_client is None


async def test_a_bot_that_is_sent_away_while_it_joins_says_so_and_leaves_nothing(aviary: Aviary) -> None:
    aviary.answers = False
    joining = asyncio.create_task(aviary.connect(aviary.channel(LOUNGE)))
    await aviary.until(lambda: bool(aviary.requests))
    aviary.client._connection.parse_voice_state_update(describe_place(BOT, LOUNGE))  # and no server to go to yet
    await aviary.sees(BOT, LOUNGE)

    aviary.move(BOT, None)

    with pytest.raises(PlaybackError, match="I was sent away while I joined #Lounge"):
        await joining
    assert aviary.guild.voice_client is None


async def test_who_gives_up_joining_is_not_told_that_the_bot_was_sent_away(aviary: Aviary) -> None:
    aviary.answers = False
    joining = asyncio.create_task(aviary.connect(aviary.channel(LOUNGE)))
    await aviary.until(lambda: bool(aviary.requests))

    joining.cancel()

    with pytest.raises(asyncio.CancelledError):
        await joining


async def test_attempts_that_all_fail_are_told_though_discord_py_returns(aviary: Aviary) -> None:
    aviary.voice_falls_through = True
    with pytest.raises(PlaybackError, match="refused every attempt to join #Lounge"):
        await aviary.connect(aviary.channel(LOUNGE))
    assert aviary.guild.voice_client is None
    aviary.voice_falls_through = False
    voice = await aviary.connect(aviary.channel(LOUNGE))
    assert voice.is_connected()
    await voice.disconnect(force=True)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (discord.ClientException("no"), "Discord broke off while I joined #Lounge"),
        (ConnectionRefusedError("no"), "Discord broke off while I joined #Lounge"),
        (IndexError("no mode"), "wants an encryption I do not know"),
        (RuntimeError("davey library needed in order to use voice"), r"must install discord.py\[voice\]"),
    ],
)
async def test_what_breaks_while_joining_is_told_in_words(aviary: Aviary, fault: Exception, sentence: str) -> None:
    aviary.voice_fault = fault
    with pytest.raises(PlaybackError, match=sentence):
        await aviary.connect(aviary.channel(LOUNGE))
    assert aviary.guild.voice_client is None
    gc.collect()


async def test_a_connection_left_over_is_replaced(aviary: Aviary) -> None:
    old = await aviary.connect(aviary.channel(LOUNGE))
    new = await aviary.connect(aviary.channel(ATTIC))
    assert not old.is_connected()
    assert new.is_connected()
    assert aviary.guild.voice_client is new
    await new.disconnect(force=True)


async def test_an_old_connection_never_removes_a_new_one(aviary: Aviary) -> None:
    old = await aviary.connect(aviary.channel(LOUNGE))
    new = await aviary.connect(aviary.channel(LOUNGE))
    requests = list(aviary.requests)
    await old.disconnect(force=True)
    assert aviary.guild.voice_client is new
    assert aviary.requests == requests
    await new.disconnect(force=True)


async def test_leaving_is_asked_of_discord_once(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    await voice.disconnect(force=True)
    for _ in range(20):
        await asyncio.sleep(0)
    assert aviary.requests == [(LOUNGE, True), (None, False)]


async def test_discord_that_never_confirms_leaving_is_not_waited_for_long(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    voice._connection.timeout = 0.1
    aviary.answers = False
    with pytest.raises(PlaybackError, match="in time"):
        await connect(aviary.channel(ATTIC), pacer=aviary.pacer, cls=FarVoice, seconds=0.1)
    assert not voice.is_connected()


async def test_nothing_is_audible_once_the_websocket_broke(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    assert voice.live_session() is not None
    await voice.ws.close(4009)
    assert voice.is_connected()
    assert voice.live_session() is None
    await voice.disconnect(force=True)


async def test_the_wait_for_keys_ends_with_the_connection(aviary: Aviary) -> None:
    aviary.group_ready = False
    voice = await aviary.connect(aviary.channel(LOUNGE))
    await voice.disconnect(force=True)
    await voice.wait_encrypted()
    assert voice.live_session() is None


async def test_playing_on_a_lost_connection_is_told_in_words(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    await voice.disconnect(force=True)
    with pytest.raises(PlaybackError, match="I lost the connection to #Lounge"):
        voice.play(discord.AudioSource(), after=None)


async def test_a_connection_renewed_by_discord_py_goes_on(aviary: Aviary) -> None:
    aviary.move(BOB, ATTIC)
    voice = await aviary.connect(aviary.channel(LOUNGE))
    aviary.move(BOT, ATTIC)
    await aviary.sees(BOT, ATTIC)
    assert voice.channel == aviary.channel(ATTIC)
    assert isinstance(voice, ChannelVoice)
    await voice.disconnect(force=True)


class Packets:
    """So many packets of a sound of its own."""

    def __init__(self, sound: bytes, count: int = 5) -> None:
        self._packets = [sound] * count

    def read(self) -> bytes:
        return self._packets.pop() if self._packets else b""


SPEAKS, SILENT = discord.SpeakingState.voice, discord.SpeakingState.none


async def test_discord_is_told_that_the_bot_speaks_and_that_it_is_silent(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))

    voice.play(Packets(b"a"))
    await aviary.hears(5)
    await aviary.until(lambda: len(voice.ws.told) == 2)

    assert voice.ws.told == [SPEAKS, SILENT]
    await voice.disconnect(force=True)


async def test_a_source_that_follows_at_once_is_not_mixed_with_the_end_of_the_one_before(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    voice.play(Packets(b"a"))
    while voice.is_playing():
        time.sleep(0.001)  # noqa: ASYNC251 - nothing else is to happen before the next source

    voice.play(Packets(b"b"))
    await aviary.hears(10)
    await aviary.until(lambda: aviary.frames[-TAIL:] == [SILENCE] * TAIL)

    assert aviary.frames[aviary.frames.index(b"b") :] == [b"b"] * 5 + [SILENCE] * TAIL
    await aviary.until(lambda: len(voice.ws.told) >= 3)
    assert voice.ws.told == [SPEAKS, SPEAKS, SILENT]
    await voice.disconnect(force=True)


async def test_a_source_that_plays_is_not_cut_off_by_another(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    voice.play(Packets(b"a", count=10))

    with pytest.raises(PlaybackError, match="ask again"):
        voice.play(Packets(b"b"))
    await aviary.hears(10)
    await aviary.until(lambda: aviary.frames[-TAIL:] == [SILENCE] * TAIL)

    assert aviary.frames == [b"a"] * 10 + [SILENCE] * TAIL
    await voice.disconnect(force=True)


async def test_a_session_that_begins_in_mid_sentence_is_told_that_the_bot_speaks(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    voice.play(Packets(b"a", count=1000))
    await aviary.hears(1)

    before = voice.ws
    await before.close(4009)
    await aviary.until(lambda: voice.ws is not before and bool(voice.ws.told))

    assert voice.ws.told == [SPEAKS]
    voice.stop()
    await voice.disconnect(force=True)


async def test_a_websocket_that_breaks_under_an_announcement_costs_no_packet_and_no_complaint(aviary: Aviary) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    voice = await aviary.connect(aviary.channel(LOUNGE))
    voice.ws.broken = True

    voice.play(Packets(b"a"))
    await aviary.hears(5)
    await aviary.until(lambda: len(voice.ws.told) == 2)
    await voice.disconnect(force=True)
    gc.collect()

    assert not voice.announced
    assert complaints == []


async def test_a_connection_takes_the_channel_for_its_own_that_it_is_told(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    aviary.delete_channel(ATTIC)
    anew = aviary.channel(STAGE)

    voice.rebind(anew)

    assert voice.channel is anew
    await voice.disconnect(force=True)
