"""A gateway session: one shard's events, numbered, kept for a resume. Knows no websocket."""

import secrets
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from playground.discord.gateway.intents import told
from playground.discord.wire import Json, JsonObject
from playground.discord.world.events import Event

_KEPT = 2000


class Frames(Protocol):
    """Where a session's frames go while its client is there."""

    def send(self, frame: JsonObject) -> None:
        """Queue a frame."""

    def close(self, code: int) -> None:
        """Close the connection after what is queued."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Which part of the servers a session is told of."""

    id: int = 0
    count: int = 1

    def holds(self, guild_id: int | None) -> bool:
        """Tell whether a server's events belong here; what belongs to no server goes to shard 0."""
        return self.id == 0 if guild_id is None else (guild_id >> 22) % self.count == self.id


class Session:
    """Owns the numbering of one shard's events, and those a resuming client may have missed."""

    def __init__(self, shard: Shard, intents: int, application_id: int) -> None:
        self.id = secrets.token_hex(16)
        self.shard = shard
        self.intents = intents
        self._application_id = application_id
        self._sequence = 0
        self._kept: deque[tuple[int, JsonObject]] = deque(maxlen=_KEPT)
        self.frames: Frames | None = None

    def tell(self, event: Event) -> None:
        """Send an event, or keep it for when the client is back."""
        if not self.shard.holds(event.guild_id):
            return
        data = told(event, self.intents, self._application_id)
        if data is not None:
            self.dispatch(event.name, data)

    def dispatch(self, name: str, data: Json) -> None:
        """Send a numbered event."""
        self._sequence += 1
        frame: JsonObject = {"op": 0, "t": name, "s": self._sequence, "d": data}
        self._kept.append((self._sequence, frame))
        if self.frames is not None:
            self.frames.send(frame)

    def resumable(self, sequence: int) -> bool:
        """Tell whether everything after `sequence` is still kept."""
        return sequence <= self._sequence and (not self._kept or self._kept[0][0] <= sequence + 1)

    def replay(self, sequence: int) -> None:
        """Send again what came after `sequence`."""
        if self.frames is not None:
            for number, frame in self._kept:
                if number > sequence:
                    self.frames.send(frame)
