"""What happened, told to whoever listens: the gateway is one projection of it. Knows no listener."""

from collections.abc import Callable
from dataclasses import dataclass

from playground.discord.bell import Bell
from playground.discord.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, under the name of its gateway event.

    `guild_id` is None for what belongs to no server, `about` is the user it concerns, `private` marks an
    ephemeral message, which the gateway tells nobody.
    """

    name: str
    data: JsonObject
    guild_id: int | None = None
    about: int | None = None
    private: bool = False


class Events:
    """Owns the listeners and the bell that rings after each event."""

    def __init__(self) -> None:
        self.bell = Bell()
        self._listeners: list[Callable[[Event], None]] = []

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on."""
        self._listeners.append(listener)

    def emit(self, event: Event) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener(event)
        self.bell.ring()
