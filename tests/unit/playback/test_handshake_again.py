"""A voice connection that broke: taken up on a new websocket, or joined anew; and who threw the bot out."""

import asyncio
import json
import socket
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord.voice_state import ConnectionFlowState

from bot.playback.ciphers import AES, XCHACHA
from bot.playback.handshake import ChannelConnection
from bot.playback.route import Route
from bot.playback.voice_client import ChannelVoice
from bot.playback.websocket import ChannelSocket
from tests.unit.playback.aviary import ATTIC, BOB, BOT, LOUNGE, Aviary, FarVoice
from tests.unit.playback.test_handshake import FarWire


class Heart:
    """Owns whether it beats."""

    beats = True

    def stop(self) -> None:
        self.beats = False


class FarSocket(ChannelSocket):
    """A websocket on which the server lets the session go on, or does not."""

    def __init__(self, *, resumes: bool = True) -> None:
        super().__init__(FarWire(), loop=asyncio.get_running_loop())
        self._keep_alive = self.heart = Heart()
        self._resumes = resumes

    async def poll_event(self) -> None:
        if not self._resumes:
            raise discord.ConnectionClosed(None, shard_id=None, code=4006)
        self.resumed = True


class Broken(ChannelConnection):
    """A connection whose websocket broke. Owns what it did about that."""

    self_voice_state = None

    def __init__(self, *, resumes: bool = True) -> None:
        self.route = Route()
        self._state = ConnectionFlowState.connected
        self._state_event, self._connected = asyncio.Event(), asyncio.Event()
        self._on_connected = lambda: self.did.append("was told")
        self._rejoined = float("-inf")
        self.self_deaf, self.self_mute, self.reconnect, self.timeout = True, False, True, 1.0
        self.did: list[str] = []
        self.broken = self.ws = FarSocket()
        self.following = FarSocket(resumes=resumes)
        self.beat_meanwhile: bool | None = None

    async def _connect_websocket(self, resume: bool) -> ChannelSocket:
        assert resume
        self.beat_meanwhile = self.broken.heart.beats
        return self.following

    async def _connect(self, *_: Any, resume: bool) -> None:
        assert not resume
        self.did.append("joined")
        self.state = ConnectionFlowState.connected

    async def disconnect(self, *, force: bool = True, cleanup: bool = True, wait: bool = False) -> None:
        assert not cleanup
        self.did.append("left")
        self.state = ConnectionFlowState.disconnected


async def test_a_session_goes_on_on_a_new_websocket_and_is_told_so_and_the_old_one_is_closed() -> None:
    connection = Broken()

    assert await connection.take_up()

    assert connection.ws is connection.following
    assert connection.is_connected()
    assert connection.did == ["was told"]
    assert connection.broken.ws.closed_with == 1000
    assert connection.following.ws.closed_with is None
    assert connection.beat_meanwhile is False


async def test_a_session_that_the_server_does_not_let_go_on_is_told_to_nobody() -> None:
    connection = Broken(resumes=False)

    assert not await connection.take_up()

    assert connection.did == []
    assert connection.broken.ws.closed_with == 1000


async def test_whatever_sees_that_a_connection_is_there_sees_which_session_that_is() -> None:
    class Witness(Route):
        """Notes the session as soon as packets may leave."""

        noted: int | None = None

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name == "connected" and value:
                self.noted = self.sessions

    connection = Broken()
    connection.state = ConnectionFlowState.websocket_connected
    connection.route = Witness()
    connection.ip, connection.ws = "192.0.2.1", SimpleNamespace(ws=None, secret_key=[0] * 32)

    await connection._handshake_websocket()

    assert connection.is_connected()
    assert connection.route.noted == connection.route.sessions == 1


async def test_a_lost_channel_is_joined_anew_and_not_again_at_once() -> None:
    connection = Broken()

    assert await connection.join_again()
    assert not await connection.join_again()

    assert connection.did == ["left", "joined"]


# Opening a websocket


def _state(wire: FarWire, *, earlier: ChannelSocket | None = None) -> Any:
    async def ws_connect(url: str, *, compress: int) -> FarWire:
        assert (url, compress) == ("wss://voice.discord.media/?v=8", 0)
        return wire

    http = SimpleNamespace(ws_connect=ws_connect)
    client = SimpleNamespace(_state=SimpleNamespace(http=http), loop=asyncio.get_running_loop())
    return SimpleNamespace(
        voice_client=client,
        endpoint="voice.discord.media",
        hook=None,
        ws=earlier or discord.utils.MISSING,
        token="t",
        server_id=1,
        session_id="s",
        user=SimpleNamespace(id=2),
        max_dave_protocol_version=1,
        supported_modes=ChannelVoice.supported_modes,
    )


async def test_a_session_is_resumed_after_the_last_message_that_came() -> None:
    earlier, wire = FarSocket(), FarWire()
    earlier.seq_ack = 41

    websocket = await ChannelSocket.open(_state(wire, earlier=earlier), resume=True)

    (asked,) = map(json.loads, wire.sent)
    assert (asked["op"], asked["d"]["seq_ack"], asked["d"]["session_id"]) == (7, 41, "s")
    assert websocket.seq_ack == 41
    assert not websocket.resumed


class AnsweringWire(FarWire):
    """A wire at whose far end each heartbeat is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.near: ChannelSocket | None = None
        self.beats: asyncio.Queue[None] = asyncio.Queue()

    async def send_str(self, text: str) -> None:
        await super().send_str(text)
        if json.loads(text)["op"] == ChannelSocket.HEARTBEAT:
            await self.near.received_message({"op": ChannelSocket.HEARTBEAT_ACK, "d": {"t": 1}})
            self.beats.put_nowait(None)


async def test_a_websocket_on_which_nothing_else_happens_is_kept_alive_from_its_first_message_on() -> None:
    wire = AnsweringWire()
    wire.near = await ChannelSocket.open(_state(wire), resume=False)

    await wire.near.received_message({"op": ChannelSocket.HELLO, "d": {"heartbeat_interval": 100.0}})
    async with asyncio.timeout(5):
        for _ in range(6):
            await wire.beats.get()

    assert wire.closed_with is None
    wire.near.fall_silent()


async def test_a_websocket_that_breaks_while_it_opens_is_closed() -> None:
    wire = FarWire()
    wire.broken = True

    with pytest.raises(ConnectionResetError):
        await ChannelSocket.open(_state(wire), resume=False)

    assert wire.closed_with is not None


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [((AES, XCHACHA), AES), ((XCHACHA, "a cipher of tomorrow", AES), AES), (("of tomorrow", XCHACHA), XCHACHA)],
)
async def test_of_the_modes_that_a_server_offers_the_faster_is_chosen_in_whatever_order(
    offered: tuple[str, ...], chosen: str
) -> None:
    wire = FarWire()
    websocket = await ChannelSocket.open(_state(wire), resume=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far, socket.socket(type=socket.SOCK_DGRAM) as near:
        far.bind(("127.0.0.1", 0))
        far.setblocking(False)
        near.setblocking(False)
        websocket._connection.socket = near
        websocket._connection.add_socket_listener = lambda hand_on: hand_on(
            bytes((0, 2, *bytes(6), *b"::1", *bytes(63)))
        )
        websocket._connection.remove_socket_listener = lambda _: None
        ready = {"ssrc": 7, "ip": "127.0.0.1", "port": far.getsockname()[1], "modes": offered}

        await websocket.initial_connection(ready)

    assert json.loads(wire.sent[-1])["d"]["data"]["mode"] == chosen


# Whose doing it is


async def test_who_is_moved_is_not_thrown_out_and_who_is_kicked_is(aviary: Aviary) -> None:
    aviary.move(BOB, ATTIC)
    voice = await aviary.connect(aviary.channel(LOUNGE))
    aviary.move(BOT, ATTIC)
    await aviary.sees(BOT, ATTIC)
    assert not voice.expelled

    aviary.move(BOT, None)
    await aviary.sees(BOT, None)

    assert voice.expelled
    await voice.disconnect(force=True)


async def test_a_bot_that_leaves_by_itself_was_not_thrown_out(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))

    await voice.disconnect(force=True)
    await aviary.sees(BOT, None)

    assert voice.parted
    assert not voice.expelled


async def test_a_connection_that_is_left_while_it_joins_anew_does_not_throw_out_the_one_after_it(
    aviary: Aviary,
) -> None:
    former = await aviary.connect(aviary.channel(LOUNGE))
    aviary.voice_fault = ConnectionResetError("closing")  # so that it does not come further than to ask
    again = asyncio.create_task(former._handshake.join_again())
    await aviary.until(lambda: [where for where, _ in aviary.requests] == [LOUNGE, None, LOUNGE])

    await former.disconnect(force=True)
    aviary.voice_fault = None
    voice = await aviary.connect(aviary.channel(LOUNGE))
    await aviary.sees(BOT, LOUNGE)

    assert (former.parted, voice.parted, voice.expelled) == (True, False, False)
    assert voice.is_connected()
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    await voice.disconnect(force=True)


async def test_that_the_bot_has_left_is_no_answer_to_a_connection_that_was_not_let_in_yet(aviary: Aviary) -> None:
    aviary.answers = False
    joining = asyncio.create_task(aviary.connect(aviary.channel(LOUNGE)))
    await aviary.until(lambda: bool(aviary.requests))
    aviary.move(BOT, None)
    await aviary.sees(BOT, None)

    aviary.move(BOT, LOUNGE)

    voice = await joining
    assert not voice.expelled
    assert voice.is_connected()
    await voice.disconnect(force=True)


async def test_whoever_throws_the_bot_out_after_a_leave_that_got_no_answer_is_noticed(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    aviary.answers = False
    again = asyncio.create_task(voice._handshake.join_again())
    await aviary.until(lambda: [where for where, _ in aviary.requests] == [LOUNGE, None, LOUNGE])
    aviary.tell_place(BOT, LOUNGE)  # and not that it was in none before
    aviary.tell_server(LOUNGE)
    assert await again

    aviary.move(BOT, None)
    await aviary.sees(BOT, None)

    assert voice.expelled
    await voice.disconnect(force=True)


async def test_whoever_throws_the_bot_out_after_a_wish_that_got_no_answer_is_noticed(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    connection = voice._handshake
    aviary.answers = False
    again = asyncio.create_task(connection.join_again())
    await aviary.until(lambda: len(aviary.requests) == 3)
    aviary.move(BOT, None)
    await aviary.sees(BOT, None)
    aviary.tell_place(BOT, LOUNGE)
    aviary.tell_place(BOT, ATTIC)  # so that it asks to be in the attic, where it is
    await aviary.until(lambda: len(aviary.requests) == 4)
    aviary.tell_server(ATTIC)
    await connection.wait_async(5)

    aviary.move(BOT, None)
    await aviary.sees(BOT, None)

    assert voice.expelled
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    await voice.disconnect(force=True)


async def test_a_connection_is_left_also_where_nobody_waits_for_that_any_more(aviary: Aviary) -> None:
    aviary.answers = False
    voice = FarVoice(aviary.client, aviary.channel(LOUNGE), pacer=aviary.pacer)
    joining = asyncio.create_task(voice.connect(reconnect=True, timeout=5))
    await aviary.until(lambda: bool(aviary.requests))
    leaving = asyncio.create_task(voice.disconnect(force=True))
    await asyncio.sleep(0)
    assert voice.parted

    leaving.cancel()
    await asyncio.gather(leaving, joining, return_exceptions=True)

    assert [where for where, _ in aviary.requests] == [LOUNGE, None]


async def test_a_connection_that_was_left_asks_for_nothing_more(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    await voice.disconnect(force=True)
    asked = len(aviary.requests)

    with pytest.raises(asyncio.CancelledError):
        await voice._handshake.join_again()

    assert len(aviary.requests) == asked


async def test_a_websocket_that_opens_when_the_connection_was_left_meanwhile_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection, websocket = Broken(), FarSocket()
    connection.parted = False

    async def open_late(_state: ChannelConnection, *, resume: bool) -> ChannelSocket:
        assert not resume
        connection.parted = True
        return websocket

    monkeypatch.setattr(ChannelSocket, "open", open_late)
    with pytest.raises(asyncio.CancelledError):
        await ChannelConnection._connect_websocket(connection, False)

    assert websocket.ws.closed_with is not None


async def test_a_state_that_is_waited_for_in_vain_leaves_no_task_behind(aviary: Aviary) -> None:
    voice = await aviary.connect(aviary.channel(LOUNGE))
    running = asyncio.all_tasks()

    with pytest.raises(TimeoutError):
        await voice._handshake._wait_for_state(ConnectionFlowState.got_ip_discovery, timeout=0.01)

    assert asyncio.all_tasks() <= running
    await voice.disconnect(force=True)
