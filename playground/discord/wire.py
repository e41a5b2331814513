"""JSON as it travels: the `Json` alias and small typed readers. Knows no noun of Discord."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
JsonObject: TypeAlias = Mapping[str, Json]


class WireError(ValueError):
    """What arrived is not the JSON that was expected."""


def parse(text: str | bytes) -> Json:
    """Read JSON; raises WireError."""
    try:
        value: Json = json.loads(text)
    except ValueError as error:
        raise WireError("not JSON") from error
    return value


def render(value: Json) -> str:
    """Write compact JSON."""
    return json.dumps(value, separators=(",", ":"))


def as_object(value: Json) -> JsonObject:
    """Return `value` if it is an object; raises WireError."""
    if not isinstance(value, Mapping):
        raise WireError(f"expected an object, got {value!r}")
    return value


def as_list(value: Json) -> Sequence[Json]:
    """Return `value` if it is an array; raises WireError."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise WireError(f"expected an array, got {value!r}")
    return value


def section(data: JsonObject, key: str) -> JsonObject:
    """Return the object at `key`, empty where it is missing or null."""
    value = data.get(key)
    return {} if value is None else as_object(value)


def objects(data: JsonObject, key: str) -> tuple[JsonObject, ...]:
    """Return the objects in the array at `key`, empty where it is missing or null."""
    value = data.get(key)
    return () if value is None else tuple(as_object(item) for item in as_list(value))


def texts(data: JsonObject, key: str) -> tuple[str, ...]:
    """Return the array at `key` as strings, empty where it is missing or null."""
    value = data.get(key)
    return () if value is None else tuple(str(item) for item in as_list(value))


def text(data: JsonObject, key: str, default: str = "") -> str:
    """Return the string at `key`; `default` where it is missing or null; raises WireError for another type."""
    value = data.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise WireError(f"{key}: expected a string, got {value!r}")
    return value


def number(data: JsonObject, key: str, default: int = 0) -> int:
    """Return the integer at `key`, also where it travels as a string (ids, permissions)."""
    value = data.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise WireError(f"{key}: expected an integer, got {value!r}")
    try:
        return int(value)
    except ValueError as error:
        raise WireError(f"{key}: expected an integer, got {value!r}") from error


def real(data: JsonObject, key: str) -> float | None:
    """Return the number at `key`, None where it is missing or null."""
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WireError(f"{key}: expected a number, got {value!r}")
    return float(value)


def flag(data: JsonObject, key: str, *, default: bool = False) -> bool:
    """Return the boolean at `key`."""
    value = data.get(key)
    return default if value is None else bool(value)


def maybe_id(data: JsonObject, key: str) -> int | None:
    """Return the id at `key`, None where it is missing or null."""
    return None if data.get(key) is None else number(data, key)
