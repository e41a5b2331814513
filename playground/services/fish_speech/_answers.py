"""What its routes answer that is no sound. Knows no voice."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import ormsgpack
from aiohttp import web
from pydantic import ValidationError

from playground.services.service import Asked


class RefusedError(Exception):
    """What is answered as {"statusCode", "message", "error"}."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def answer(self) -> web.Response:
        """Write it."""
        body = {"statusCode": self.status.value, "message": self.message, "error": self.status.phrase}
        return web.json_response(body, status=self.status)


def answer_faults(error: ValidationError) -> web.Response:
    """Say what is wrong with a body, as kui does."""
    faults = [{**each, "in": "body"} for each in error.errors(include_url=False, include_input=False)]
    return web.json_response(faults, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def answer_reference(asked: Asked, status: int, message: str, about: Mapping[str, Any]) -> web.Response:
    """Answer as /v1/references/* does: in MessagePack, unless JSON and nothing else is wanted."""
    body = {"success": status < 400, "message": message, **about}
    if _wants_json(asked):
        return web.json_response(body, status=status)
    return web.Response(body=ormsgpack.packb(body), status=status, content_type="application/msgpack")


def _wants_json(asked: Asked) -> bool:
    wanted = asked.query.get("format", [""])[-1].strip().lower()
    if wanted in {"json", "msgpack", "application/msgpack"}:
        return wanted == "json"
    accepted = asked.headers.get("accept", "").lower()
    return "application/json" in accepted and "application/msgpack" not in accepted
