"""Reads a UDP port off the event loop, for more channels than a loop can follow: notes who sent which packet when.

The kernel stamps each datagram as it comes in, so it matters little when it is read: a thread takes what came by
`recvmmsg`, hundreds in one call, and reads nothing but the RTP header. Linux on 64 bit only. Knows no keys; what
belongs on the loop (discoveries, the packets of those who are to be heard) is handed on.
"""

import ctypes
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOTE = np.dtype([("arrived", "i8"), ("ssrc", "u4"), ("sequence", "u2"), ("size", "u2")])
"""One packet: nanoseconds of the real-time clock when the kernel took it in, RTP header fields, bytes as sent."""

Datagram = tuple[bytes, tuple[str, int], float]
"""What was sent, by which address, and the seconds of the real-time clock when it arrived."""

_AT_ONCE = 512
_LARGEST = 2048
_PAUSE = 0.004
_BUFFER = 1 << 26
_RTP = np.dtype([("flags", ">u2"), ("sequence", ">u2"), ("timestamp", ">u4"), ("ssrc", ">u4")])
_DISCOVERY = 74
_RCVBUFFORCE, _MEMINFO = 33, 55
"""Socket options of Linux that the socket module does not name."""
_DROPS = 8
"""Place of the dropped datagrams in SO_MEMINFO (linux/sock_diag.h)."""
_MMSGHDR = np.dtype(
    {
        "names": ["name", "name_size", "parts", "part_count", "control", "control_size", "size"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 56],
        "itemsize": 64,
    }
)


class _Batch:
    """Owns the memory that one call of `recvmmsg` fills."""

    def __init__(self) -> None:
        self._call = ctypes.CDLL(None, use_errno=True).recvmmsg
        self.data = np.zeros((_AT_ONCE, _LARGEST), dtype=np.uint8)
        self.names = np.zeros((_AT_ONCE, 16), dtype=np.uint8)
        self._control = np.zeros((_AT_ONCE, 8), dtype=np.int64)
        self._parts = np.zeros((_AT_ONCE, 2), dtype=np.uint64)
        self._heads = np.zeros(_AT_ONCE, dtype=_MMSGHDR)
        self._parts[:, 0], self._parts[:, 1] = _addresses(self.data), _LARGEST
        self._heads["name"], self._heads["control"] = _addresses(self.names), _addresses(self._control)
        self._heads["parts"], self._heads["part_count"] = _addresses(self._parts), 1

    def receive(self, port: socket.socket) -> int:
        """Take what is there, without waiting; return how many datagrams."""
        self._heads["name_size"], self._heads["control_size"] = self.names.shape[1], self._control.strides[0]
        taken: int = self._call(
            port.fileno(), ctypes.c_void_p(self._heads.ctypes.data), _AT_ONCE, socket.MSG_DONTWAIT, None
        )
        return max(taken, 0)

    def notes(self, count: int) -> NDArray[Any]:
        """Read the first `count` datagrams as RTP."""
        notes = np.zeros(count, dtype=NOTE)
        heads = np.ascontiguousarray(self.data[:count, : _RTP.itemsize]).view(_RTP)[:, 0]
        # a control message is its length, level and kind, then the timespec; there is none but this
        notes["arrived"] = self._control[:count, 2] * 1_000_000_000 + self._control[:count, 3]
        notes["ssrc"], notes["sequence"], notes["size"] = heads["ssrc"], heads["sequence"], self._heads["size"][:count]
        return notes


def _addresses(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """Return where each row begins."""
    return rows.ctypes.data + np.arange(len(rows), dtype=np.uint64) * np.uint64(rows.strides[0])


class Tap:
    """Owns the reading thread of one port, and the notes. Hands on the first `heard` SSRCs that ask for discovery."""

    def __init__(self, *, heard: int = 0) -> None:
        self._places = heard
        self._heard: list[int] = []
        self._notes: list[NDArray[Any]] = []
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._port: socket.socket | None = None

    @property
    def dropped(self) -> int:
        """Datagrams that the kernel threw away because they were not read in time: a loss that is nobody else's."""
        if self._port is None:
            raise RuntimeError("the tap is not open")
        return int(struct.unpack("9I", self._port.getsockopt(socket.SOL_SOCKET, _MEMINFO, 36))[_DROPS])

    def open(self, port: socket.socket, hand_on: Callable[[list[Datagram]], None]) -> None:
        """Begin to read a port that stamps what arrives; `hand_on` is called in the reading thread."""
        if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
            raise OSError("many channels can be followed on 64-bit Linux only")
        try:
            port.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _BUFFER)
        except PermissionError:
            port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._port = port
        self._thread = threading.Thread(target=self._run, args=(port, hand_on), name="tap", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def notes(self) -> NDArray[Any]:
        """Return a `NOTE` of each packet so far, in the order they came."""
        return np.concatenate(self._notes) if self._notes else np.zeros(0, dtype=NOTE)

    def _run(self, port: socket.socket, hand_on: Callable[[list[Datagram]], None]) -> None:
        batch = _Batch()
        while not self._ending.is_set():
            count = batch.receive(port)
            if count:
                datagrams = self._take(batch, count)
                if datagrams:
                    hand_on(datagrams)
            if count < _AT_ONCE:
                time.sleep(_PAUSE)

    def _take(self, batch: _Batch, count: int) -> list[Datagram]:
        """Note the packets and return what belongs on the loop."""
        notes = batch.notes(count)
        asks = (notes["size"] == _DISCOVERY) & (batch.data[:count, 0] == 0) & (batch.data[:count, 1] == 1)
        for place in np.flatnonzero(asks) if len(self._heard) < self._places else ():
            ssrc = int.from_bytes(batch.data[place, 4:8].tobytes(), "big")
            if ssrc not in self._heard and len(self._heard) < self._places:
                self._heard.append(ssrc)
        self._notes.append(notes[~asks])
        wanted = asks | np.isin(notes["ssrc"], self._heard) if self._heard else asks
        return [_datagram(batch, int(place), notes[place]) for place in np.flatnonzero(wanted)]


def _datagram(batch: _Batch, place: int, note: Any) -> Datagram:
    name = batch.names[place].tobytes()
    address = socket.inet_ntoa(name[4:8]), int.from_bytes(name[2:4], "big")
    return batch.data[place, : note["size"]].tobytes(), address, int(note["arrived"]) / 1e9
