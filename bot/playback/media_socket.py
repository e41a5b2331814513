"""A UDP socket that is closed once what was put for it has left.

Datagrams leave a moment after they were put, by their socket's number: the system would give that number to the next
socket or file that is opened, and what was said would go there.
"""

import socket
from collections.abc import Callable

Retire = Callable[[socket.socket], None]
"""Closes a socket once what was sent before has left."""


class MediaSocket(socket.socket):
    """Takes the place of a socket, which is closed to everybody but those datagrams as soon as `close` returns."""

    def __init__(self, stock: socket.socket, retire: Retire) -> None:
        super().__init__(stock.family, stock.type, stock.proto, fileno=stock.detach())
        self._retire = retire

    def close(self) -> None:
        """Have it closed; it has no number any more."""
        if self.fileno() >= 0:
            self._retire(socket.socket(self.family, self.type, self.proto, fileno=self.detach()))
