"""Ways over loopback that datagrams leave by, and whoever puts them."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.playback.outbox import FEW

MANY = FEW * 2
Way = tuple[socket.socket, socket.socket]
"""The near end and the far end."""
OpenWays = Callable[[int], Sequence[Way]]


class Sender:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.refusals: list[int] = []

    def refuse(self, reason: int) -> None:
        self.refusals.append(reason)


def taken() -> int:
    """Count what the system has set up for this process."""
    return Path("/proc/self/maps").read_text(encoding="utf-8").count("[aio]")
