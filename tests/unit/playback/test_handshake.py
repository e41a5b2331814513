import asyncio
import gc
import socket
import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord.voice_state import ConnectionFlowState

from bot.playback.handshake import ChannelConnection
from bot.playback.heart import LoopHeart
from bot.playback.reader import LoopReader
from bot.playback.route import Route
from bot.playback.websocket import ChannelSocket


class FarWire:
    """Stands for aiohttp's websocket. Owns what was sent and with which code it was closed."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.closed_with: int | None = None
        self.broken = False
        self.close_code = None

    async def send_str(self, text: str) -> None:
        if self.broken:
            raise ConnectionResetError
        self.sent.append(text)

    async def close(self, *, code: int = 1000) -> None:
        self.closed_with = code


# The reader


@pytest.fixture
async def pair() -> AsyncIterator[tuple[socket.socket, socket.socket]]:
    near, far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    near.setblocking(False)
    far.bind(("127.0.0.1", 0))
    near.bind(("127.0.0.1", 0))
    near.connect(far.getsockname())
    far.connect(near.getsockname())
    yield near, far
    near.close()
    far.close()


async def test_a_reader_hands_datagrams_to_who_waits_and_has_no_thread(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    near, far = pair
    before = set(threading.enumerate())
    reader, got = LoopReader(SimpleNamespace(socket=near)), asyncio.Queue()
    reader.start()
    reader.register(got.put_nowait)

    far.send(b"hello")

    assert await asyncio.wait_for(got.get(), 2) == b"hello"
    assert set(threading.enumerate()) == before
    reader.stop()


async def test_a_reader_follows_to_a_socket_that_takes_the_place_of_another(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    near, far = pair
    state = SimpleNamespace(socket=discord.utils.MISSING)
    reader, got = LoopReader(state), asyncio.Queue()
    reader.register(got.put_nowait)
    state.socket = near
    reader.resume()

    far.send(b"hello")

    assert await asyncio.wait_for(got.get(), 2) == b"hello"
    reader.pause()
    near.close()
    reader.resume()
    reader.stop()


async def test_a_reader_reads_nothing_while_nobody_waits(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    reader, got = LoopReader(SimpleNamespace(socket=near)), asyncio.Queue()
    reader.register(got.put_nowait)
    reader.unregister(got.put_nowait)

    far.send(b"later")
    await asyncio.sleep(0.02)

    assert got.empty()
    assert near.recv(10) == b"later"


async def test_a_datagram_that_is_cut_short_costs_nothing_else(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    reader, got = LoopReader(SimpleNamespace(socket=near)), asyncio.Queue()
    reader.register(lambda data: data[100])
    reader.register(got.put_nowait)

    far.send(b"short")

    assert await asyncio.wait_for(got.get(), 2) == b"short"
    reader.stop()


async def test_a_socket_that_is_replaced_keeps_its_number_until_its_datagrams_have_left_and_is_read_no_more() -> None:
    retired: list[socket.socket] = []
    connection = ChannelConnection(SimpleNamespace(), connected=lambda: None, retire=retired.append)
    connection._create_socket()
    connection.add_socket_listener(lambda _: None)
    earlier, number = connection.socket, connection.socket.fileno()

    connection._create_socket()

    assert earlier.fileno() == -1
    [leaving] = retired
    assert leaving.fileno() == number
    assert connection.socket.fileno() not in {-1, number}
    assert not connection.socket.getblocking()
    assert not asyncio.get_running_loop().remove_reader(number)
    connection._socket_reader.stop()
    connection.socket.close()
    for each in retired:
        each.close()


# The heart


def _heart(wire: FarWire, *, interval: float) -> tuple[LoopHeart, list[Any]]:
    beats: list[Any] = []

    async def send_heartbeat(data: Any) -> None:
        if wire.broken:
            raise ConnectionResetError
        beats.append(data)

    ws = SimpleNamespace(
        ws=wire,
        send_heartbeat=send_heartbeat,
        HEARTBEAT=3,
        thread_id=0,
        seq_ack=3,
        _max_heartbeat_timeout=1.0,
        shard_id=None,
    )
    return LoopHeart(ws=ws, interval=interval), beats


async def test_a_heart_beats_in_its_period_without_a_thread_until_it_is_stopped() -> None:
    before = set(threading.enumerate())
    heart, beats = _heart(FarWire(), interval=0.02)

    heart.start()
    async with asyncio.timeout(2):
        while len(beats) < 3:
            heart.ack()
            await asyncio.sleep(0.005)
    heart.stop()
    count = len(beats)
    await asyncio.sleep(0.05)

    assert len(beats) == count
    assert beats[0]["d"]["seq_ack"] == 3
    assert set(threading.enumerate()) == before


async def test_a_heart_that_is_not_answered_closes_the_connection_as_broken() -> None:
    wire = FarWire()
    heart, _ = _heart(wire, interval=0.01)

    heart.start()
    await asyncio.wait_for(heart._beating, 2)

    assert wire.closed_with == 4000


async def test_a_heart_on_a_wire_that_breaks_stops_quietly() -> None:
    wire = FarWire()
    wire.broken = True
    heart, _ = _heart(wire, interval=0.1)

    heart.start()
    await asyncio.wait_for(heart._beating, 2)

    assert wire.closed_with is None


# The websocket


class FarConnection(ChannelConnection):
    """A connection whose taking up and joining anew go as they are told."""

    def __init__(self, *, takes_up: bool, joins: bool) -> None:
        self.route = Route()
        self._state = ConnectionFlowState.connected
        self._goes = {"take_up": takes_up, "join_again": joins}
        self.tried: list[str] = []

    async def take_up(self) -> bool:
        self.tried.append("take_up")
        return self._goes["take_up"]

    async def join_again(self) -> bool:
        self.tried.append("join_again")
        return self._goes["join_again"]


class ClosedWire(FarWire):
    """A wire on which the server's close arrives."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.close_code = code

    async def receive(self) -> Any:
        return SimpleNamespace(type=discord.gateway.aiohttp.WSMsgType.CLOSE, data=self.close_code)


async def _poll(code: int, *, takes_up: bool, joins: bool) -> list[str]:
    connection = FarConnection(takes_up=takes_up, joins=joins)
    websocket = ChannelSocket(ClosedWire(code), loop=asyncio.get_running_loop())
    websocket._connection, connection.ws = connection, websocket
    try:
        await websocket.poll_event()
    except discord.ConnectionClosed as error:
        return [*connection.tried, f"closed {error.code}"]
    return connection.tried


@pytest.mark.parametrize("code", [1006, 4015])
async def test_a_connection_that_broke_is_resumed(code: int) -> None:
    assert await _poll(code, takes_up=True, joins=True) == ["take_up"]


@pytest.mark.parametrize("code", [1006, 4015])
async def test_one_that_cannot_be_resumed_is_joined_anew(code: int) -> None:
    assert await _poll(code, takes_up=False, joins=True) == ["take_up", "join_again"]


@pytest.mark.parametrize("code", [4006, 4009, 4017])
async def test_a_session_that_is_void_is_not_resumed_but_joined_anew(code: int) -> None:
    assert await _poll(code, takes_up=True, joins=True) == ["join_again"]


async def test_what_cannot_be_joined_at_once_is_left_to_discord_py_and_its_pauses() -> None:
    assert await _poll(4006, takes_up=True, joins=False) == ["join_again", "closed 1006"]


@pytest.mark.parametrize("code", [1000, 4014, 4021, 4022])
async def test_who_was_sent_away_does_not_come_back_by_itself(code: int) -> None:
    assert await _poll(code, takes_up=True, joins=True) == [f"closed {code}"]
    gc.collect()
