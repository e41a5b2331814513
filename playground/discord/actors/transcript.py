"""What was said, as its readers saw it: every command, every answer, who joined and left. Changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from playground.discord.actors.drawing import draw
from playground.discord.actors.marks import read_marks
from playground.discord.wire import maybe_id, number
from playground.discord.world import World
from playground.discord.world.events import Event


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said or done, by whom; `lines` are never empty."""

    who: str
    lines: tuple[str, ...]

    def text(self) -> str:
        """Return it as it is printed."""
        first, *rest = self.lines
        return "\n".join([f"{self.who} {first}", *(f"    {line}" for line in rest)])


class Transcript:
    """Owns what was said, in order."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._entries: list[Entry] = []
        self._calls: dict[int, int | None] = {}
        world.events.subscribe(self._see)

    def text(self) -> str:
        """Return everything, readable."""
        return "\n".join(entry.text() for entry in self._entries)

    def lines(self) -> list[str]:
        """Return everything, line by line."""
        return self.text().splitlines()

    def add(self, who: str, lines: Iterable[str]) -> None:
        """Note what somebody did or saw."""
        read = tuple(read_marks(line, self._world) for line in lines)
        self._entries.append(Entry(who, read or ("(nothing)",)))

    def _see(self, event: Event) -> None:
        match event.name:
            case "MESSAGE_CREATE":
                self._message(event, "")
            case "MESSAGE_UPDATE":
                self._message(event, " (edited)")
            case "MESSAGE_DELETE":
                self.add(self._name(event.about), ["(took a message away)"])
            case "VOICE_STATE_UPDATE":
                self._call(event)
            case _:
                pass

    def _message(self, event: Event, change: str) -> None:
        message = self._world.messages.get(number(event.data, "id"))
        shown = change if message.edited_at is not None else ""
        direct = self._world.directs.find(message.channel_id)
        only = " (only you can see this)" if message.ephemeral else ""
        only = only if direct is None else f" (directly to {direct.user.name})"
        self.add(f"{self._name(event.about)}{only}{shown}:", draw(message))

    def _call(self, event: Event) -> None:
        user_id, channel_id = number(event.data, "user_id"), maybe_id(event.data, "channel_id")
        before = self._calls.get(user_id)
        if before == channel_id:
            return
        self._calls[user_id] = channel_id
        if channel_id is not None:
            self.add("*", [f"{self._name(user_id)} joins {self._world.guilds.channel(channel_id).name}"])
        elif before is not None:
            self.add("*", [f"{self._name(user_id)} leaves {self._world.guilds.channel(before).name}"])

    def _name(self, user_id: int | None) -> str:
        return "?" if user_id is None else self._world.guilds.users[user_id].name
