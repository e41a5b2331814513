"""The application's commands as they were last synced. Knows not whether they are valid: the limits do."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from playground.discord.snowflakes import Snowflakes
from playground.discord.wire import Json, JsonObject, number, objects, text

_SUBCOMMANDS = frozenset({1, 2})


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `body` is what the application sent, `guild_id` None for a global one."""

    id: int
    kind: int
    name: str
    version: int
    application_id: int
    body: JsonObject
    guild_id: int | None = None

    def payload(self) -> JsonObject:
        """Return the application command object."""
        data: dict[str, Json] = {
            "description": "",
            "default_member_permissions": None,
            "nsfw": False,
            **self.body,
            "id": str(self.id),
            "application_id": str(self.application_id),
            "version": str(self.version),
        }
        if self.guild_id is not None:
            data["guild_id"] = str(self.guild_id)
        return data

    def paths(self) -> Iterator[tuple[str, tuple[JsonObject, ...]]]:
        """Yield everything a member can type ("voices list"), with its options."""
        return _paths(self.name, objects(self.body, "options"))


def _paths(name: str, options: tuple[JsonObject, ...]) -> Iterator[tuple[str, tuple[JsonObject, ...]]]:
    inner = [option for option in options if number(option, "type") in _SUBCOMMANDS]
    for option in inner:
        yield from _paths(f"{name} {text(option, 'name')}", objects(option, "options"))
    if not inner:
        yield name, options


class Commands:
    """Owns the synced commands."""

    def __init__(self, snowflakes: Snowflakes, application_id: int) -> None:
        self._snowflakes = snowflakes
        self._application_id = application_id
        self._commands: tuple[Command, ...] = ()
        self.synced = False

    def replace(self, bodies: Iterable[JsonObject], *, guild_id: int | None = None) -> tuple[Command, ...]:
        """Put `bodies` in place of the global commands, or of one server's; a known name keeps its id."""
        known = {(command.kind, command.name): command.id for command in self.known(guild_id)}
        version = self._snowflakes.next()
        made = []
        for body in bodies:
            kind, name = number(body, "type", 1), text(body, "name")
            command_id = known.get((kind, name)) or self._snowflakes.next()
            made.append(Command(command_id, kind, name, version, self._application_id, body, guild_id))
        others = tuple(command for command in self._commands if command.guild_id != guild_id)
        self._commands = (*others, *made)
        self.synced = True
        return tuple(made)

    def known(self, guild_id: int | None = None) -> tuple[Command, ...]:
        """Return the global commands, or the ones of one server alone."""
        return tuple(command for command in self._commands if command.guild_id == guild_id)

    def offered(self, guild_id: int | None) -> tuple[Command, ...]:
        """Return what members of a server can use, its own commands before the global ones; None is no server."""
        return (*(() if guild_id is None else self.known(guild_id)), *self.known())
