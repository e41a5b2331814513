"""What Ace Data Cloud refuses, in both shapes it does so. Knows no route.

Its own is {"error": {"code", "message"}}; what Fish Audio behind it refuses comes through as {"status", "message"},
where the message may be a list written as JSON. Source: AceDataCloud/Docs, en/guides/fish.
"""

import json
from collections.abc import Mapping
from typing import Any

from bot.errors import ProviderError, ProviderFault
from bot.providers.faults import Account, Refusal

_KINDS: Mapping[str, ProviderFault] = {
    "no_token": "auth",
    "invalid_token": "auth",
    "token_expired": "auth",
    "token_mismatched": "auth",
    "used_up": "no_credit",
    "not_found": "not_found",
    "bad_request": "invalid",
    "too_many_requests": "rate_limited",
    "api_error": "server",
}
_SENTENCES: Mapping[str, tuple[ProviderFault, str]] = {
    "disabled": ("auth", "{label} has switched this account off: the operator must write to their support."),
    "no_api": ("invalid", "{label} does not know that request: the operator should check ACEDATA_BASE_URL."),
    "api_not_implemented": (
        "invalid",
        "{label} does not offer that for this account: the operator should check what it is subscribed to.",
    ),
}
_NO_VOICE = ("reference not found", "model not found", "voice not found")


def read_refusal(refusal: Refusal, account: Account) -> ProviderError | None:
    """Understand an answer that is not 2xx; None where its status says all."""
    return read_fault(refusal.content, account, status=refusal.status)


def read_fault(content: Any, account: Account, *, status: int | None = None) -> ProviderError | None:
    """Understand either shape, also within an answer of 200 or a task; None where it is neither."""
    if not isinstance(content, Mapping):
        return None
    error = content.get("error")
    if isinstance(error, Mapping):
        return _own(str(error.get("code")), account, status)
    return _passed_through(content, account, status)


def _own(code: str, account: Account, status: int | None) -> ProviderError | None:
    if code in _SENTENCES:
        kind, sentence = _SENTENCES[code]
        return ProviderError(sentence.format(label=account.label), kind=kind)
    return account.fault(_KINDS[code], status=status) if code in _KINDS else None


def _passed_through(content: Mapping[str, Any], account: Account, status: int | None) -> ProviderError | None:
    message = content.get("message")
    if not isinstance(message, str) or not isinstance(content.get("status"), int):
        return None
    if any(words in message.casefold() for words in _NO_VOICE):
        return account.fault("not_found", status=status)
    if content["status"] in {400, 422} or _is_list(message):
        return account.fault("invalid", status=content["status"])
    return None


def _is_list(message: str) -> bool:
    try:
        return isinstance(json.loads(message), list)
    except ValueError:
        return False
