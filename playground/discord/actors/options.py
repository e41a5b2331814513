"""What a member types after a slash command, checked as Discord's client checks it. Changes nothing.

Source: discord.com/developers, "Application Command Option Structure".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol, TypeAlias

from playground.discord.actors.errors import ClientRefusedError
from playground.discord.wire import Json, JsonObject, flag, number, objects, real, text
from playground.discord.world.drafts import Upload


class OptionKind(IntEnum):
    """The types an option can have."""

    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


class Pickable(Protocol):
    """Something a member picks from a list: a member, a channel, a role."""

    @property
    def id(self) -> int:
        """Its id."""

    @property
    def name(self) -> str:
        """What a member reads."""

    def picked(self) -> Mapping[str, JsonObject]:
        """Return what is resolved for it, by section ("users", "members", "channels", "roles")."""


Value: TypeAlias = str | bool | int | float | Upload | Pickable
_PICKED = {
    OptionKind.USER: "users",
    OptionKind.CHANNEL: "channels",
    OptionKind.ROLE: "roles",
}


@dataclass(slots=True)
class Filled:
    """Options on their way: what is sent, and what it refers to. `uploads` wait for their ids, by option name."""

    options: list[dict[str, Json]] = field(default_factory=list)
    resolved: dict[str, dict[str, Json]] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def refer(self, picked: Mapping[str, JsonObject], item_id: int) -> None:
        """Add what an id in the options stands for."""
        for name, payload in picked.items():
            self.resolved.setdefault(name, {})[str(item_id)] = payload

    def attach(self, name: str, attachment: JsonObject) -> None:
        """Put an uploaded file in its option."""
        self.refer({"attachments": attachment}, number(attachment, "id"))
        next(option for option in self.options if option["name"] == name)["value"] = attachment["id"]


def fill(
    offered: tuple[JsonObject, ...], given: Mapping[str, Value], *, upload_limit: int, focused: str | None = None
) -> Filled:
    """Fill in options; `focused` is the one being typed, and then nothing else has to be there yet.

    Raises ClientRefusedError for what Discord's client would not send.
    """
    known = {text(option, "name"): option for option in offered}
    strangers = sorted(set(given) - set(known))
    if strangers:
        raise ClientRefusedError(f"there is no option {', '.join(strangers)}; there are: {', '.join(known)}")
    missing = [name for name, option in known.items() if flag(option, "required") and name not in given]
    if missing and focused is None:
        raise ClientRefusedError(f"the option {', '.join(missing)} is required")
    filled = Filled()
    for name, value in given.items():
        sent = _value(filled, known[name], value, upload_limit, checked=focused is None)
        entry: dict[str, Json] = {"name": name, "type": number(known[name], "type"), "value": sent}
        if name == focused:
            if not flag(known[name], "autocomplete"):
                raise ClientRefusedError(f"the option {name} does not autocomplete")
            entry["focused"] = True
        filled.options.append(entry)
    return filled


def shown(given: Mapping[str, Value]) -> str:
    """Return options as a member sees them in the message box."""
    return " ".join(f"{name}:{_shown(value)}" for name, value in given.items())


def _shown(value: Value) -> str:
    match value:
        case Upload():
            return value.filename
        case str() | bool() | int() | float():
            return str(value)
        case _:
            return value.name


def _value(filled: Filled, option: JsonObject, value: Value, upload_limit: int, *, checked: bool) -> Json:
    name, kind = text(option, "name"), OptionKind(number(option, "type"))
    match kind, value:
        case OptionKind.ATTACHMENT, Upload():
            if len(value.data) > upload_limit:
                raise ClientRefusedError(f"{name}: your files are too powerful (above {upload_limit} bytes)")
            filled.uploads[name] = value
            return None
        case OptionKind.BOOLEAN, bool():
            return value
        case OptionKind.STRING, str():
            if checked:
                _check_string(option, value)
            return _chosen(option, value)
        case (OptionKind.INTEGER, int() as amount) | (OptionKind.NUMBER, (int() | float()) as amount) if not isinstance(
            amount, bool
        ):
            _check_number(option, amount)
            return _chosen(option, amount)
        case (_, str()) if not checked:
            return value
        case ((OptionKind.USER | OptionKind.CHANNEL | OptionKind.ROLE | OptionKind.MENTIONABLE), _) if not isinstance(
            value, str | bool | int | float | Upload
        ):
            return _pick(filled, option, kind, value)
        case _:
            raise ClientRefusedError(f"{name}: {value!r} is no {kind.name.lower()}")


def _pick(filled: Filled, option: JsonObject, kind: OptionKind, value: Pickable) -> Json:
    picked = value.picked()
    wanted = _PICKED.get(kind)
    if wanted is not None and wanted not in picked:
        raise ClientRefusedError(f"{text(option, 'name')}: {value.name} is no {kind.name.lower()}")
    kinds = option.get("channel_types")
    if kind is OptionKind.CHANNEL and isinstance(kinds, list | tuple) and picked["channels"]["type"] not in kinds:
        raise ClientRefusedError(f"{text(option, 'name')}: {value.name} is not a channel of the right kind")
    filled.refer(picked, value.id)
    return str(value.id)


def _check_string(option: JsonObject, value: str) -> None:
    low, high = max(1, number(option, "min_length")), number(option, "max_length", 6000)
    if not low <= len(value) <= high:
        raise ClientRefusedError(f"{text(option, 'name')}: must be {low} to {high} characters, not {len(value)}")


def _check_number(option: JsonObject, value: float) -> None:
    low, high = real(option, "min_value"), real(option, "max_value")
    if (low is not None and value < low) or (high is not None and value > high):
        raise ClientRefusedError(f"{text(option, 'name')}: must be between {low} and {high}, not {value}")


def _chosen(option: JsonObject, value: str | float) -> Json:
    """Return the value of the choice a member picked, by its name or its value."""
    choices = objects(option, "choices")
    if not choices:
        return value
    for choice in choices:
        if value in (choice.get("value"), text(choice, "name")):
            return choice.get("value")
    names = ", ".join(_names(choices))
    raise ClientRefusedError(f"{text(option, 'name')}: {value!r} is none of {names}")


def _names(choices: Iterable[JsonObject]) -> Iterable[str]:
    return (text(choice, "name") for choice in choices)
