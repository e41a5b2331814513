"""Finding what a member typed among the commands offered, and writing it down as an interaction. Changes nothing."""

from collections.abc import Sequence

from playground.discord.actors.errors import ClientRefusedError
from playground.discord.actors.options import Filled
from playground.discord.limits.commands import CHAT, GROUP, SUBCOMMAND
from playground.discord.permissions import Permission
from playground.discord.wire import Json, JsonObject
from playground.discord.world.commands import Command

SERVER, DIRECT = 0, 1
"""Contexts of a command (discord.com/developers, "Interaction Context Types")."""


def find_command(
    offered: tuple[Command, ...], name: str, may: Permission, *, context: int = SERVER
) -> tuple[Command, tuple[JsonObject, ...]]:
    """Return the command of a path ("voices list") and the options it takes.

    Raises ClientRefusedError where there is none, or it is hidden in this context or from who may only this much.
    """
    known: list[str] = []
    for command in offered:
        if command.kind != CHAT:
            continue
        for path, options in command.paths():
            known.append(path)
            if path != name:
                continue
            if not _shows(command, may, context):
                raise ClientRefusedError(f"/{name} is hidden from this member")
            return command, options
    raise ClientRefusedError(f"there is no command /{name}; there are: {', '.join(known) or 'none'}")


def command_data(command: Command, path: str, filled: Filled) -> JsonObject:
    """Return the data of a command interaction, the options inside their subcommands."""
    options: list[dict[str, Json]] = filled.options
    steps = path.split()[1:]
    for depth, step in reversed(list(enumerate(steps))):
        kind = SUBCOMMAND if depth == len(steps) - 1 else GROUP
        options = [{"name": step, "type": kind, "options": options}]
    data: dict[str, Json] = {"id": str(command.id), "name": command.name, "type": CHAT, "options": options}
    if filled.resolved:
        data["resolved"] = filled.resolved
    if command.guild_id is not None:
        data["guild_id"] = str(command.guild_id)
    return data


def _shows(command: Command, may: Permission, context: int) -> bool:
    """Tell whether a command's contexts and permissions show it; "0" hides it from all but administrators."""
    contexts = command.body.get("contexts")
    if isinstance(contexts, Sequence) and context not in contexts:
        return False
    if context == DIRECT:
        return command.body.get("dm_permission") is not False
    needed = command.body.get("default_member_permissions")
    return needed is None or bool(may & Permission.ADMINISTRATOR) or (needed != "0" and not int(str(needed)) & ~may)
