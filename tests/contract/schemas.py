"""Fish Audio's own schemas, where they lie beside the repository. Knows no provider and no server.

Sound and pictures are strings of format "binary" there, and bytes here: bytes are taken for strings.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from playground.services.service import Asked, Upload

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
OPENAPI = REFERENCE / "fish-openapi.json"
ASYNCAPI = REFERENCE / "fish-asyncapi.yml"

needs_openapi = pytest.mark.skipif(
    not OPENAPI.is_file(), reason="../shared/reference/fish-openapi.json is not beside the repository"
)
needs_asyncapi = pytest.mark.skipif(
    not ASYNCAPI.is_file(), reason="../shared/reference/fish-asyncapi.yml is not beside the repository"
)

_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("string", lambda _, value: isinstance(value, str | bytes)),
)


def request_schema(path: str, method: str, media_type: str) -> Mapping[str, Any]:
    """Give the schema of a request's body: ("/v1/tts", "post", "application/json")."""
    return _whole(_operation(path, method)["requestBody"]["content"][media_type]["schema"], _openapi())


def response_schema(path: str, method: str, status: int) -> Mapping[str, Any]:
    """Give the schema of an answer in JSON."""
    answer = _operation(path, method)["responses"][str(status)]
    return _whole(answer["content"]["application/json"]["schema"], _openapi())


def query_schema(path: str, method: str) -> Mapping[str, Any]:
    """Give the schema of a query as an object, one property for each parameter."""
    parameters = [each for each in _operation(path, method)["parameters"] if each["in"] == "query"]
    properties = {each["name"]: each["schema"] for each in parameters}
    return _whole({"type": "object", "properties": properties}, _openapi())


def websocket_message(name: str) -> Mapping[str, Any]:
    """Give the schema of an event: "StartEvent"."""
    return _whole(_asyncapi()["components"]["messages"][name]["payload"], _asyncapi())


def check(value: Any, schema: Mapping[str, Any], *, exact: bool = True) -> None:
    """Raise what is wrong with a value; where `exact`, a field that the schema does not name is wrong as well."""
    _Validator(schema).validate(value)
    if exact:
        known = set(_resolved(schema)["properties"])
        assert set(value) <= known, f"not in the schema: {sorted(set(value) - known)}"


def typed(values: Mapping[str, Sequence[Any]], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read a form or a query as the schema means it: lists where it wants lists, truth and numbers from their words."""
    properties = _resolved(schema)["properties"]
    return {name: _typed(list(each), properties.get(name, {})) for name, each in values.items()}


def form_values(asked: Asked) -> dict[str, list[Any]]:
    """Give what a form holds by its names, files as their bytes."""
    assert asked.form is not None
    return {
        name: [value.data if isinstance(value, Upload) else value for value in values]
        for name, values in asked.form.items()
    }


def _typed(values: list[Any], schema: Mapping[str, Any]) -> Any:
    kinds = {each.get("type") for each in schema.get("anyOf", [schema])}
    if "array" in kinds:
        return values
    assert len(values) == 1, "came more than once"
    match values[0]:
        case "true" | "false" as word if "boolean" in kinds:
            return word == "true"
        case str() as word if "integer" in kinds and word.isdigit():
            return int(word)
        case value:
            return value


def _whole(schema: Mapping[str, Any], source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put beside a schema what it refers to."""
    return {**schema, "components": source["components"]}


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Any = schema
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def _operation(path: str, method: str) -> Mapping[str, Any]:
    return _openapi()["paths"][path][method]


@cache
def _openapi() -> Mapping[str, Any]:
    return json.loads(OPENAPI.read_text("utf-8"))


@cache
def _asyncapi() -> Mapping[str, Any]:
    return yaml.safe_load(ASYNCAPI.read_text("utf-8"))
