"""Voice gateway messages and their fields. Knows types, no meaning."""

import json
from typing import TypeVar

from playground.discord.voice.breach import BreachError
from playground.discord.voice.opcodes import Close, Op

T = TypeVar("T")

Fields = dict[str, object]


def read_text(text: str) -> tuple[Op, object]:
    """Return a JSON message's opcode and data. Raises BreachError."""
    try:
        message: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise BreachError(f"a message is not JSON: {error}", code=Close.UNDECODABLE) from error
    if not isinstance(message, dict) or "op" not in message or "d" not in message:
        raise BreachError("a message has no op or no d", code=Close.UNDECODABLE)
    return read_opcode(message["op"]), message["d"]


def write_text(op: Op, data: object, *, sequence: int | None = None) -> str:
    """Return a JSON message; numbered where it may be sent again after a resume."""
    number = {} if sequence is None else {"seq": sequence}
    return json.dumps({"op": int(op), "d": data, **number})


def read_binary(data: bytes) -> tuple[Op, bytes]:
    """Return a binary message's opcode and payload. Raises BreachError."""
    if not data:
        raise BreachError("a binary message is empty", code=Close.UNDECODABLE)
    return read_opcode(data[0]), data[1:]


def read_opcode(number: object) -> Op:
    """Return an opcode. Raises BreachError for one nobody knows."""
    for op in Op:
        if op == number:
            return op
    raise BreachError(f"opcode {number!r} is unknown", code=Close.UNKNOWN_OPCODE)


def read_fields(op: Op, data: object) -> Fields:
    """Return the data of a message that must be an object. Raises BreachError."""
    if not isinstance(data, dict):
        raise BreachError(f"the data of {op.name} is not an object", code=Close.UNDECODABLE)
    return data


def read_field(fields: Fields, name: str, kind: type[T]) -> T:
    """Return a field of one type. Raises BreachError where it is missing or of another."""
    value = fields.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BreachError(f"field {name!r} is {value!r}, not {kind.__name__}", code=Close.UNDECODABLE)
    return value


def read_snowflake(fields: Fields, name: str) -> int:
    """Return an id, which Discord takes as a string. Raises BreachError."""
    text = read_field(fields, name, str)
    if not text.isdecimal():
        raise BreachError(f"field {name!r} is {text!r}, not an id", code=Close.UNDECODABLE)
    return int(text)
