"""The voice server's UDP port: IP discovery and packets with their time of arrival. Knows no keys and no sessions."""

import asyncio
import socket
import struct
import sys
import time
from collections.abc import Callable

from playground.discord.voice.tap import Datagram, Tap

_DISCOVERY = struct.Struct(">HHI64sH")
_REQUEST, _ANSWER, _LENGTH = 1, 2, 70
_TIMESTAMPNS = 35
"""SO_TIMESTAMPNS of Linux, which the socket module does not name."""
_BUFFER = 1 << 21

Address = tuple[str, int]


class UdpPort:
    """Owns a bound UDP socket on loopback, read on the loop, or by a `tap` where there is one."""

    def __init__(
        self,
        *,
        discovered: Callable[[int, Address], bool],
        received: Callable[[bytes, float], None],
        tap: Tap | None = None,
    ) -> None:
        self._discovered, self._received, self._tap = discovered, received, tap
        self._socket: socket.socket | None = None

    @property
    def address(self) -> Address:
        """Where clients send to."""
        if self._socket is None:
            raise RuntimeError("the voice server is not open")
        host, port = self._socket.getsockname()
        return host, port

    def open(self) -> None:
        """Bind to a free port and listen on the running loop."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if sys.platform == "linux":
            self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        self._socket.bind(("127.0.0.1", 0))
        loop = asyncio.get_running_loop()
        if self._tap is None:
            loop.add_reader(self._socket, self._drain, self._socket)
        else:

            def hand_on(datagrams: list[Datagram]) -> None:
                loop.call_soon_threadsafe(self._take_all, datagrams)

            self._tap.open(self._socket, hand_on)

    def move(self) -> None:
        """Listen on another port; whoever sends to the earlier one is told by the system that nobody is there."""
        earlier = self._socket
        if self._tap is not None or earlier is None:
            raise RuntimeError("only an open port that no tap reads can move")
        self.open()
        asyncio.get_running_loop().remove_reader(earlier)
        earlier.close()

    def close(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            if self._tap is None:
                asyncio.get_running_loop().remove_reader(self._socket)
            else:
                self._tap.close()
            self._socket.close()
            self._socket = None

    def _take_all(self, datagrams: list[Datagram]) -> None:
        for data, sender, taken in datagrams:
            if self._socket is not None:
                self._take(self._socket, data, sender, _monotonic(taken))

    def _drain(self, port: socket.socket) -> None:
        while True:
            try:
                data, ancillary, _flags, sender = port.recvmsg(4096, 64)
            except BlockingIOError:
                return
            self._take(port, data, sender, _arrival(ancillary))

    def _take(self, port: socket.socket, data: bytes, sender: Address, arrived: float) -> None:
        if len(data) == _DISCOVERY.size and data[:2] == _REQUEST.to_bytes(2, "big"):
            self._discover(port, data, sender)
        else:
            self._received(data, arrived)

    def _discover(self, port: socket.socket, data: bytes, sender: Address) -> None:
        _type, length, ssrc, _address, _port = _DISCOVERY.unpack(data)
        if length == _LENGTH and self._discovered(ssrc, sender):
            port.sendto(_DISCOVERY.pack(_ANSWER, _LENGTH, ssrc, sender[0].encode(), sender[1]), sender)


def _arrival(ancillary: list[tuple[int, int, bytes]]) -> float:
    """Return when the kernel took the datagram in, on the monotonic clock: a busy event loop does not blur it."""
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == _TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", value)
            return _monotonic(float(seconds) + float(nanoseconds) / 1e9)
    return time.monotonic()


def _monotonic(taken: float) -> float:
    """Return the time on the monotonic clock of a moment ago on the real-time clock."""
    return time.monotonic() - max(0.0, time.time() - taken)
