"""The fields of a request to /model, read from whichever body they came in. Knows no voice."""

from collections.abc import Mapping, Sequence
from typing import Any

from playground.services.fish import _refusals as refusals
from playground.services.service import Asked, Upload

_FLAGS: Mapping[Any, bool] = {
    True: True, False: False, "true": True, "false": False, "True": True, "False": False, "1": True, "0": False
}  # fmt: skip


class Fields:
    """Owns what was sent under each name, and what is wrong with it."""

    def __init__(self, values: Mapping[str, list[Any]], *, where: str) -> None:
        self._values = values
        self._where = where
        self._problems: list[dict[str, Any]] = []

    def has(self, name: str) -> bool:
        """Say whether a field came, and not as null."""
        return bool(self._values.get(name))

    def came(self, name: str) -> bool:
        """Say whether a field came, be it an empty list."""
        return name in self._values

    def complain(self, name: str, kind: str, message: str) -> None:
        """Note what is wrong with a field."""
        self._problems.append(refusals.problem(self._where, name, kind, message))

    def settle(self) -> None:
        """Refuse everything that is wrong, at once."""
        if self._problems:
            raise refusals.wrong(self._problems)

    def need(self, *names: str) -> None:
        """Note the fields that did not come."""
        for name in names:
            if not self.has(name):
                self.complain(name, "missing", "Field required")

    def texts(self, name: str) -> list[str]:
        """Give all values of a field that holds text."""
        values = self._values.get(name, [])
        if all(isinstance(value, str) for value in values):
            return values
        self.complain(name, "string_type", "Input should be a valid string")
        return []

    def text(self, name: str, default: str = "") -> str:
        """Give the last value of a field that holds text."""
        return [default, *self.texts(name)][-1]

    def choice(self, name: str, options: Sequence[str], default: str) -> str:
        """Give one of some words."""
        value = self.text(name, default)
        if value not in options:
            quoted = [f"'{option}'" for option in options]
            words = " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
            self.complain(name, "literal_error", f"Input should be {words}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Give yes or no."""
        value = self._values[name][-1] if self.has(name) else default
        if isinstance(value, bool | str) and value in _FLAGS:
            return _FLAGS[value]
        self.complain(name, "bool_parsing", "Input should be a valid boolean, unable to interpret input")
        return default

    def whole(self, name: str, default: int, *, least: int, most: int | None = None) -> int:
        """Give a number within its bounds."""
        text = self.text(name, str(default))
        if not text.lstrip("-").isdigit():
            self.complain(name, "int_parsing", "Input should be a valid integer, unable to parse string as an integer")
            return default
        value = int(text)
        if value < least:
            self.complain(name, "greater_than_equal", f"Input should be greater than or equal to {least}")
        elif most is not None and value > most:
            self.complain(name, "less_than_equal", f"Input should be less than or equal to {most}")
        return value

    def files(self, name: str) -> list[Upload]:
        """Give the files of a field."""
        values = self._values.get(name, [])
        if not all(isinstance(value, Upload) for value in values):
            self.complain(name, "value_error", "Value error, Expected UploadFile")
            return []
        return values


def read_fields(asked: Asked, known: frozenset[str], route: str) -> Fields:
    """Read a body of any of the four kinds. Unknown fields are a breach."""
    values = _form(asked) if asked.form is not None else _map(asked)
    if names := set(values) - known:
        raise refusals.unknown_fields(route, names)
    return Fields(values, where="body")


def read_query(asked: Asked, known: frozenset[str], route: str) -> Fields:
    """Read the query of a listing. Unknown names are a breach."""
    if names := set(asked.query) - known:
        raise refusals.unknown_fields(route, names)
    return Fields(asked.query, where="query")


def _form(asked: Asked) -> Mapping[str, list[Any]]:
    seek_length(asked)
    return asked.form or {}


def seek_length(asked: Asked) -> None:
    """Fail on a form whose length was not told, as its parser does."""
    chunked = "chunked" in asked.headers.get("transfer-encoding", "").casefold()
    if chunked and asked.media_type == "multipart/form-data":
        raise refusals.told(500, "Internal Server Error")


def _map(asked: Asked) -> Mapping[str, list[Any]]:
    try:
        content = asked.content()
    except ValueError as error:
        raise refusals.unparsed("Failed to parse the request body") from error
    if not isinstance(content, dict):
        raise refusals.unparsed("Failed to parse the request body: expected a map")
    return {str(name): [_file(each) for each in _listed(value)] for name, value in content.items()}


def _listed(value: Any) -> list[Any]:
    match value:
        case None:
            return []
        case list():
            return value
        case _:
            return [value]


def _file(value: Any) -> Any:
    return Upload(value, None, None) if isinstance(value, bytes) else value
