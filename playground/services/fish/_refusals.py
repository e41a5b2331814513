"""What Fish Audio answers when it refuses: an object, a bare array, or plain text. Knows no routes."""

import json
from typing import Any

from aiohttp import web

from playground.services.service import ServiceBreachError

_NO_CREDIT = (
    "Insufficient API credit. API credit is managed independently from platform credit. Please visit "
    "https://fish.audio/app/developers to view your API credit balance or add funds."
)


class RefusalError(Exception):
    """Owns one answer that is not what was asked for."""

    def __init__(self, status: int, body: str | dict[str, Any] | list[dict[str, Any]], *, code: str = "") -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.code = code

    def response(self) -> web.Response:
        """Write the answer."""
        headers = {"x-fish-error-code": self.code, "x-fish-error-source": "gateway"} if self.code else {}
        if isinstance(self.body, str):
            return web.Response(status=self.status, text=self.body, headers=headers)
        return web.Response(
            status=self.status, text=json.dumps(self.body), content_type="application/json", headers=headers
        )


def told(status: int, message: str, *, code: str = "") -> RefusalError:
    """Refuse with the documented object."""
    return RefusalError(status, {"message": message, "status": status}, code=code)


def invalid_token() -> RefusalError:
    """Refuse a key, on the routes below /v1 and /wallet."""
    return told(401, "Invalid Token", code="invalid_api_key")


def no_permission() -> RefusalError:
    """Refuse a key, on the routes below /model."""
    return RefusalError(401, "No permission -- see authorization schemes")


def no_credit() -> RefusalError:
    """Refuse an empty wallet."""
    return told(402, _NO_CREDIT, code="insufficient_balance")


def busy(limit: int) -> RefusalError:
    """Refuse one request too many at once; says nothing of when to come again."""
    return told(429, f"You have exceeded your current concurrency limit of {limit}.")


def forbidden() -> RefusalError:
    """Refuse a voice of somebody else."""
    return told(403, "Forbidden")


def no_model() -> RefusalError:
    """Refuse an id that no voice has, on the routes below /model."""
    return told(404, "Model not found")


def no_reference() -> RefusalError:
    """Refuse to speak with an id that no voice has."""
    return told(400, "Reference not found")


def unparsed(what: str) -> RefusalError:
    """Refuse a body that cannot be read: in plain text."""
    return RefusalError(400, what)


def too_large() -> RefusalError:
    """Refuse a body over 50 MiB."""
    return RefusalError(413, "Payload too large")


def wrong(problems: list[dict[str, Any]]) -> RefusalError:
    """Refuse fields, as a bare array."""
    return RefusalError(422, problems)


def problem(where: str, field: str, kind: str, message: str) -> dict[str, Any]:
    """Name what is wrong with a field of the body or the query."""
    return {"loc": [where, field], "type": kind, "msg": message, "in": where}


def unknown_fields(route: str, names: set[str]) -> ServiceBreachError:
    """Say that a client sent fields that do not exist."""
    return ServiceBreachError(f"{route} has no field {', '.join(sorted(names))}")
