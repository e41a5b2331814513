"""A voice connection's UDP socket, read from the event loop. Knows no handshake, and nothing private of discord.py."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from discord.voice_state import SocketReader, VoiceConnectionState

log = logging.getLogger(__name__)

_DATAGRAM = 2048


class LoopReader(SocketReader):
    """Reads a connection's UDP socket from the event loop, and only while somebody waits for a datagram.

    discord.py's own is a thread that sleeps up to 30 s in `select()` on a socket that was replaced meanwhile, so that a
    move is not noticed, and spins where the process holds more than 1,024 files.
    """

    def __init__(self, state: VoiceConnectionState) -> None:
        super().__init__(state)
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Callable[[bytes], Any]] = []
        self._watched: socket.socket | None = None

    def start(self) -> None:
        """Start nothing: the loop is there already."""

    def register(self, callback: Callable[[bytes], Any]) -> None:
        """Hand datagrams to `callback`."""
        self._listeners.append(callback)
        self.resume()

    def unregister(self, callback: Callable[[bytes], Any]) -> None:
        """Hand it no more; without anybody to hand them to, datagrams are left unread."""
        if callback in self._listeners:
            self._listeners.remove(callback)
        if not self._listeners:
            self.pause()

    def pause(self) -> None:
        """Let go of the socket. To be called before it is closed."""
        watched, self._watched = self._watched, None
        if watched is not None and watched.fileno() >= 0:
            self._loop.remove_reader(watched)

    def resume(self, *, force: bool = False) -> None:
        """Read the socket that is there now, if anybody waits for it."""
        current: object = self.state.socket  # discord.py's MISSING before the first socket exists
        self.pause()
        if self._listeners and isinstance(current, socket.socket) and current.fileno() >= 0:
            self._watched = current
            self._loop.add_reader(current, self._read, current)

    def stop(self) -> None:
        """Read no more."""
        self._listeners.clear()
        self.pause()

    def _read(self, current: socket.socket) -> None:
        try:
            datagram = current.recv(_DATAGRAM)
        except OSError as error:
            log.debug("A voice socket could not be read: %r", error)
            return
        for callback in tuple(self._listeners):
            try:
                callback(datagram)
            except IndexError as error:  # cut short on the way
                log.debug("A voice datagram was dropped: %r", error)
