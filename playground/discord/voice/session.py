"""A client's session on the voice server: what it may do, its transport key, and messages kept for a resume.

Knows no websocket: messages go to whatever connection is attached.
"""

import asyncio
import secrets
import struct
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from playground.discord.voice.opcodes import UNNUMBERED, Op
from playground.discord.voice.payload import write_text
from playground.discord.voice.transport import Seal
from playground.discord.voice.udp import Address

_BUFFER = 512


class Wire(Protocol):
    """The websocket a session is attached to."""

    def post(self, message: str | bytes) -> None:
        """Send a message after those posted before."""

    def close(self, code: int) -> None:
        """Close after what was posted before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Somebody who may connect: what the main gateway told the client."""

    guild_id: int
    channel_id: int
    user_id: int
    session_id: str
    token: str
    endpoint: str

    @property
    def host(self) -> str:
        """The endpoint without its port."""
        return self.endpoint.rsplit(":", 1)[0]


class Session:
    """Owns a client's transport key, sequence numbers and unacknowledged messages."""

    remote = True

    def __init__(self, ticket: Ticket, *, ssrc: int) -> None:
        self.ticket, self.ssrc = ticket, ssrc
        self.address: Address | None = None
        self.seal: Seal | None = None
        self.announced = False
        self.misheard = False
        """Its announcements are lost on the server."""
        self.wire: Wire | None = None
        self.expiry: asyncio.TimerHandle | None = None
        self._sequence = 0
        self._sent: deque[tuple[int, str | bytes]] = deque(maxlen=_BUFFER)

    @property
    def user_id(self) -> int:
        """Whose session it is."""
        return self.ticket.user_id

    @property
    def described(self) -> bool:
        """Whether the client knows its transport key."""
        return self.seal is not None

    def choose(self, mode: str) -> bytes:
        """Make a transport key for `mode` and return it."""
        key = secrets.token_bytes(32)
        self.seal = Seal(mode, key)
        return key

    def tell(self, op: Op, data: object) -> None:
        """Send a message; bytes as a binary one. Numbered ones are kept until a resume asks for them."""
        message: str | bytes
        if op in UNNUMBERED:
            message = write_text(op, data)
        else:
            self._sequence = (self._sequence + 1) & 0xFFFF
            if isinstance(data, bytes):
                message = struct.pack(">HB", self._sequence, op) + data
            else:
                message = write_text(op, data, sequence=self._sequence)
            self._sent.append((self._sequence, message))
        if self.wire is not None:
            self.wire.post(message)

    def missed(self, acknowledged: int) -> list[str | bytes] | None:
        """Return the messages after `acknowledged` (-1: none was seen); None where they are not kept any more."""
        numbers = [number for number, _ in self._sent]
        if acknowledged in numbers:
            return [message for _, message in list(self._sent)[numbers.index(acknowledged) + 1 :]]
        if acknowledged == -1 and len(numbers) == self._sequence:
            return [message for _, message in self._sent]
        return None
