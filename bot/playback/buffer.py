"""Packets between the event loop, which makes them, and the player's thread, which takes one every 20 ms."""

import asyncio
import threading
from collections import deque

CAPACITY = 500
"""Packets kept ready: 10 s. What is not yet made when somebody says stop is never paid for."""
HEAD = 8
"""Packets to have in hand before the first is played, or played again after a gap: 160 ms."""


class PacketBuffer:
    """Owns the packets of one line. `put`, `end` and `primed` belong to the event loop, `take` to any thread."""

    def __init__(self, *, capacity: int = CAPACITY, head: int = HEAD) -> None:
        self._capacity = capacity
        self._head = min(head, capacity)
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._packets: deque[bytes] = deque()
        self._room = asyncio.Event()
        self._primed = asyncio.Event()
        self._dry = True
        self._ended = False
        self._taken = 0

    @property
    def taken(self) -> int:
        """Packets handed out."""
        return self._taken

    def __len__(self) -> int:
        return len(self._packets)

    async def put(self, packet: bytes) -> None:
        """Add a packet, waiting for room. Empty packets are dropped: to a player they mean the end."""
        if not packet:
            return
        while not self._add(packet):
            await self._room.wait()
        if len(self._packets) >= self._head:
            self._primed.set()

    def end(self) -> None:
        """Say that no packet follows."""
        self._ended = True
        self._primed.set()

    async def primed(self) -> None:
        """Wait until there is enough to start with, or nothing more to come."""
        await self._primed.wait()

    def take(self) -> bytes | None:
        """Hand out the next packet, `b""` after the last, None while the maker lags behind. Never waits."""
        with self._lock:
            if self._dry and len(self._packets) < self._head and not self._ended:
                return None
            self._dry = not self._packets
            if self._dry:
                return b"" if self._ended else None
            packet = self._packets.popleft()
            self._taken += 1
            half_empty = len(self._packets) == self._capacity // 2
        if half_empty:
            self._loop.call_soon_threadsafe(self._room.set)
        return packet

    def _add(self, packet: bytes) -> bool:
        with self._lock:
            if len(self._packets) < self._capacity:
                self._packets.append(packet)
                return True
            self._room.clear()
            return False
