"""What a packet needs of a connection on its way out, all in one place. Knows no packet, and nothing of discord.py.

The event loop writes it as the handshake goes on; the pacer's thread reads it as it sends, for a thousand channels in
turn: what lies apart in memory costs more there than what is done with it.
"""

import socket
from collections.abc import Callable, Sequence
from typing import Protocol


class MediaSession(Protocol):
    """The end-to-end encryption of a call (davey's `DaveSession`)."""

    @property
    def ready(self) -> bool:
        """Whether the call has agreed on a key."""

    def encrypt_opus(self, packet: bytes) -> bytes:
        """Encrypt one Opus packet for those who listen."""


class Websocket(Protocol):
    """The connection by which a voice server is spoken to."""

    @property
    def close_code(self) -> int | None:
        """Why it is closed, None while it is not."""


class Route:
    """Owns what was agreed on with a voice server last."""

    __slots__ = (
        "_connected",
        "dave_protocol_version",
        "dave_session",
        "lost",
        "mode",
        "secret_key",
        "sessions",
        "socket",
        "ssrc",
        "websocket",
    )

    lost: Callable[[], None]
    """Called by the event loop when the connection is lost: what was put for it must wait."""
    websocket: Websocket
    sessions: int
    """How often the handshake was done; a session that is resumed is the same."""
    mode: str
    """The transport's encryption, by Discord's name; it is there before its key."""
    secret_key: Sequence[int]
    """The transport's key, another object whenever it is another key."""
    ssrc: int
    socket: socket.socket
    dave_session: MediaSession | None
    dave_protocol_version: int
    """0 in a call without end-to-end encryption."""

    def __init__(self) -> None:
        self._connected = False
        self.lost = lambda: None
        self.sessions = 0

    @property
    def connected(self) -> bool:
        """Whether the handshake is done."""
        return self._connected

    @connected.setter
    def connected(self, connected: bool) -> None:
        lost, self._connected = self._connected and not connected, connected
        if lost:
            self.lost()

    def live_session(self) -> int | None:
        """Say in which session a packet sent now would be heard: its number, None where it would not be."""
        media = self.dave_session
        live = (
            self.connected
            and self.websocket.close_code is None
            and (self.dave_protocol_version == 0 or (media is not None and media.ready))
        )
        return self.sessions if live else None


class Routed:
    """An attribute that a connection keeps in its `route`, under the same name."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, connection: "HasRoute", _owner: type) -> object:
        return getattr(connection.route, self._name)

    def __set__(self, connection: "HasRoute", value: object) -> None:
        setattr(connection.route, self._name, value)


class HasRoute(Protocol):
    """A connection with attributes in its route."""

    route: Route
