"""What the family answers when it refuses: by reason, and in the words of Fish Audio behind it. Knows no routes.

Sources: docs.jiekou.ai/en/docs/models/reference-error-code, novita.ai/docs/api-reference/basic-error-code.
"""

from collections.abc import Mapping
from typing import Any, Literal

from aiohttp import web

Reason = Literal[
    "FAILED_TO_AUTH",
    "INVALID_API_KEY",
    "MISSING_API_KEY",
    "NOT_ENOUGH_BALANCE",
    "BILLING_BALANCE_NOT_ENOUGH",
    "ACCESS_DENY",
    "MODEL_NOT_FOUND",
    "API_NOT_FOUND",
    "INVALID_REQUEST_BODY",
    "INVALID_AUDIO_FILE",
    "RATE_LIMIT_EXCEEDED",
    "TOKEN_LIMIT_EXCEEDED",
    "TASK_FAILED",
    "SERVICE_NOT_AVAILABLE",
]

_TABLE: Mapping[Reason, tuple[int, str]] = {
    "FAILED_TO_AUTH": (401, "failed to authenticate api key"),
    "INVALID_API_KEY": (403, "invalid api key"),
    "MISSING_API_KEY": (400, "missing api key"),
    "NOT_ENOUGH_BALANCE": (403, "not enough balance"),
    "BILLING_BALANCE_NOT_ENOUGH": (400, "billing balance not enough"),
    "ACCESS_DENY": (403, "access denied"),
    "MODEL_NOT_FOUND": (404, "model not found"),
    "API_NOT_FOUND": (404, "api not found"),
    "INVALID_REQUEST_BODY": (400, "invalid request body"),
    "INVALID_AUDIO_FILE": (400, "invalid audio file"),
    "RATE_LIMIT_EXCEEDED": (429, "rate limit exceeded"),
    "TOKEN_LIMIT_EXCEEDED": (429, "token limit exceeded"),
    "TASK_FAILED": (500, "task failed"),
    "SERVICE_NOT_AVAILABLE": (503, "service not available"),
}


class RefusedError(Exception):
    """Owns one answer that is not what was asked for."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = dict(body)

    def response(self) -> web.Response:
        """Write the answer."""
        return web.json_response(self.body, status=self.status)


def because(reason: Reason, message: str | None = None) -> RefusedError:
    """Refuse as the family does; a status can have many reasons, and a reason its own status at each brand."""
    status, usual = _TABLE[reason]
    return RefusedError(
        status, {"code": status, "reason": reason, "message": usual if message is None else message, "metadata": {}}
    )


def through(message: str) -> RefusedError:
    """Pass on what Fish Audio refused, in its own shape."""
    return RefusedError(400, {"message": message, "status": 400})
