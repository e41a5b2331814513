"""What Ace Data Cloud answers when it refuses: its own envelope, or Fish Audio's refusal passed on. Knows no routes."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from aiohttp import web

Trouble = Literal[
    "no_token",
    "invalid_token",
    "token_expired",
    "token_mismatched",
    "wrong_token_for_api",
    "api_not_implemented",
    "disabled",
    "bad_request",
    "used_up",
    "no_api",
    "not_found",
    "too_many_requests",
    "api_error",
]

_NO_API = "API does not exist, please make sure url is correct."
_TABLE: Mapping[Trouble, tuple[int, str, str]] = {
    "no_token": (400, "no_token", "No token specified for the request."),
    "invalid_token": (401, "invalid_token", "The specified token is invalid or wrong."),
    "token_expired": (401, "token_expired", "token expired."),
    "token_mismatched": (400, "token_mismatched", "The specified token is not matched with API."),
    "wrong_token_for_api": (401, "token_mismatched", "token and api does not match."),
    "api_not_implemented": (400, "api_not_implemented", "The API is not implemented."),
    "disabled": (
        400,
        "disabled",
        "Your application has been disabled by Ace Data Cloud due to abnormal usage behavior, please contact our "
        "support to get more information.",
    ),
    "bad_request": (400, "bad_request", "model is invalid."),
    "used_up": (
        403,
        "used_up",
        "Your balance is not sufficient for current request, please buy more in Ace Data Cloud.",
    ),
    "no_api": (404, "no_api", _NO_API),
    "not_found": (404, "not_found", _NO_API),
    "too_many_requests": (429, "too_many_requests", "You have exceeded the rate limit."),
    "api_error": (500, "api_error", "Internal server error."),
}


class RefusedError(Exception):
    """Owns one answer that is not what was asked for."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = dict(body)

    def response(self, *, bare: bool) -> web.Response:
        """Write the answer; a bare one does not say `success`, as in the OpenAPI examples."""
        body = {name: value for name, value in self.body.items() if not (bare and name == "success")}
        return web.json_response(body, status=self.status)


def envelope(trouble: Trouble, message: str | None = None, *, trace_id: str | None = None) -> dict[str, Any]:
    """Write what is wrong in the platform's own shape."""
    _, code, usual = _TABLE[trouble]
    return {
        "success": False,
        "error": {"code": code, "message": usual if message is None else message},
        "trace_id": trace_id or str(uuid.uuid4()),
    }


def told(trouble: Trouble, message: str | None = None) -> RefusedError:
    """Refuse as the platform does."""
    return RefusedError(_TABLE[trouble][0], envelope(trouble, message))


def upstream(message: str) -> RefusedError:
    """Pass on what Fish Audio refused, in its own shape."""
    return RefusedError(400, {"status": 400, "message": message})


def invalid(problems: Sequence[Mapping[str, Any]]) -> RefusedError:
    """Pass on which fields Fish Audio refused: a list, written as JSON once more."""
    return upstream(json.dumps(problems))


def problem(name: str, kind: str, message: str, value: Any) -> dict[str, Any]:
    """Name what is wrong with one field."""
    return {"type": kind, "loc": [name], "msg": message, "input": value}
