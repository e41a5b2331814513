"""Datagrams of many channels that leave together. Knows no packet and no connection but its socket's number."""

import ctypes
import mmap
import socket
from typing import Protocol

from bot.playback.aio import BLOCK_SIZE, Context, pack_write, unpack_write
from bot.playback.native import send

MOST = 512
"""Datagrams that leave together."""
LONGEST = 2080
"""Bytes of the longest datagram: 12 of header, 2,048 of payload, 16 of tag, 4 of count."""


class Refused(Protocol):
    """Whoever has to know that its datagram was not sent."""

    def refuse(self, reason: int) -> None:
        """Take note of it: the system's error number. From any thread."""


class Batch:
    """Owns datagrams until they are sent. Belongs to one thread at a time."""

    def __init__(self) -> None:
        self._senders: list[Refused] = []
        self._retired: list[socket.socket] = []
        # of which memory is taken only where something was written
        self._room, self._writes = mmap.mmap(-1, MOST * LONGEST), mmap.mmap(-1, MOST * BLOCK_SIZE)
        self._end = 0
        self._held = [ctypes.c_char.from_buffer(each) for each in (self._room, self._writes)]
        """Holds them to their sizes and places: the system is told where they are."""
        self._address, first = map(ctypes.addressof, self._held)
        self._blocks = (ctypes.c_void_p * MOST)(*range(first, first + len(self._writes), BLOCK_SIZE))

    def __len__(self) -> int:
        return len(self._senders)

    def put(self, sender: Refused, number: int, datagram: bytes) -> bool:
        """Add one, of at most `LONGEST` bytes, for the socket with this number; False where there is no more room."""
        if len(self._senders) == MOST:
            return False
        start, size = self._end, len(datagram)
        end = start + size
        self._room[start:end] = datagram
        self._end = end
        pack_write(self._writes, len(self._senders), number, self._address + start, size)
        self._senders.append(sender)
        return True

    def withdraw(self, sender: Refused) -> bytes | None:
        """Take back what this sender put first, None where there is nothing of it."""
        if sender not in self._senders:
            return None
        taken = self._senders.index(sender)
        _, address, size = unpack_write(self._writes, taken)
        last = self._senders.pop()
        if taken < len(self._senders):  # the last one takes its place
            pack_write(self._writes, taken, *unpack_write(self._writes, len(self._senders)))
            self._senders[taken] = last
        start = address - self._address
        return self._room[start : start + size]

    def retire(self, retired: socket.socket) -> None:
        """Close this socket once all has left."""
        self._retired.append(retired)

    def send(self) -> None:
        """Send them one by one, holding on to the interpreter lock."""
        try:
            for number, sender in enumerate(self._senders):
                file, address, size = unpack_write(self._writes, number)
                if send(file, ctypes.c_void_p(address), ctypes.c_size_t(size), 0) < 0:
                    sender.refuse(ctypes.get_errno())
        finally:
            self._clear()

    def submit(self, context: Context) -> None:
        """Send them all at once, without the interpreter lock."""
        try:
            for number, reason in context.submit(self._blocks, len(self._senders)):
                self._senders[number].refuse(reason)
        finally:
            self._clear()

    def _clear(self) -> None:
        self._senders.clear()
        self._end = 0
        while self._retired:
            self._retired.pop().close()
