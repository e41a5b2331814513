"""The tap: what it notes of packets, what it hands on, and that it tells when it lost some."""

import asyncio
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from playground.discord.bell import Bell
from playground.discord.voice.tap import Tap
from playground.discord.voice.udp import Address, UdpPort

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the tap is for Linux")

_DISCOVERY = struct.Struct(">HHI64sH")


class Wiretap:
    """A port with a tap, one client's socket, and what was handed on."""

    def __init__(self, tap: Tap) -> None:
        self.tap, self.bell = tap, Bell()
        self.asked: list[tuple[int, Address]] = []
        self.received: list[tuple[bytes, float]] = []
        self.port = UdpPort(discovered=self._discover, received=self._receive, tap=tap)
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.bind(("127.0.0.1", 0))
        self.client.setblocking(False)

    def send(self, sequence: int, ssrc: int, payload: bytes = b"sealed") -> bytes:
        packet = struct.pack(">BBHII", 0x80, 0x78, sequence, 960 * sequence, ssrc) + payload
        self.client.sendto(packet, self.port.address)
        return packet

    async def discover(self, ssrc: int) -> bytes:
        self.client.sendto(_DISCOVERY.pack(1, 70, ssrc, b"", 0), self.port.address)
        return await asyncio.get_running_loop().sock_recv(self.client, 100)

    async def noted(self, count: int) -> None:
        for _ in range(500):
            if len(self.tap.notes()) >= count:
                return
            await asyncio.sleep(0.01)
        raise TimeoutError(f"{len(self.tap.notes())} of {count} packets were noted")

    def _discover(self, ssrc: int, address: Address) -> bool:
        self.asked.append((ssrc, address))
        return True

    def _receive(self, datagram: bytes, arrived: float) -> None:
        self.received.append((datagram, arrived))
        self.bell.ring()


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wiretap]:
    wiretap = Wiretap(Tap(heard=1))
    wiretap.port.open()
    yield wiretap
    wiretap.port.close()
    wiretap.client.close()


async def test_each_packet_is_noted_with_its_sender_number_size_and_time_of_arrival(wire: Wiretap) -> None:
    before = time.time()
    sent = [wire.send(number, ssrc=0xFEDC0001 + number % 2) for number in (65534, 65535, 0)]
    await wire.noted(3)

    notes = wire.tap.notes()

    assert notes["sequence"].tolist() == [65534, 65535, 0]
    assert notes["ssrc"].tolist() == [0xFEDC0001, 0xFEDC0002, 0xFEDC0001]
    assert notes["size"].tolist() == [len(packet) for packet in sent]
    assert all(before - 0.01 <= arrived / 1e9 <= time.time() for arrived in notes["arrived"].tolist())
    assert sorted(notes["arrived"].tolist()) == notes["arrived"].tolist()


async def test_discoveries_are_answered_and_are_no_packets(wire: Wiretap) -> None:
    answer = await wire.discover(7)

    assert _DISCOVERY.unpack(answer)[:3] == (2, 70, 7)
    assert wire.asked == [(7, wire.client.getsockname())]
    assert not len(wire.tap.notes())


async def test_only_the_packets_of_the_first_to_be_discovered_are_handed_on(wire: Wiretap) -> None:
    await wire.discover(7)
    await wire.discover(8)
    now = time.monotonic()

    wire.send(1, ssrc=8)
    heard = wire.send(1, ssrc=7)
    await wire.noted(2)
    await asyncio.wait_for(wire.bell.until(lambda: bool(wire.received)), 5)

    ((datagram, arrived),) = wire.received
    assert datagram == heard
    assert abs(arrived - now) < 1


async def test_hundreds_of_packets_at_once_are_all_noted(wire: Wiretap) -> None:
    for number in range(2000):
        wire.send(number, ssrc=9)
    await wire.noted(2000)

    assert wire.tap.notes()["sequence"].tolist() == list(range(2000))
    assert wire.tap.dropped == 0


async def test_what_the_kernel_threw_away_is_told() -> None:
    tap = Tap()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        port.bind(("127.0.0.1", 0))
        tap.open(port, lambda _datagrams: None)
        tap.close()
        port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        for _ in range(100):
            client.sendto(bytes(1000), port.getsockname())

        assert tap.dropped > 50
