"""What HighwayAPI, MyRouter and Novita AI say when they refuse. Asks nothing.

Their own shape is {"code", "reason", "message", "metadata"}, and the reason tells more than the HTTP status: an empty
account is 400 or 403 here. What Fish Audio behind them refuses may come through as {"status", "message"}, which is
searched for known phrases. Nothing is quoted. Sources: https://docs.jiekou.ai and https://novita.ai/docs, error codes.
"""

from collections.abc import Mapping

from bot.errors import ProviderError, ProviderFault
from bot.providers.faults import Account, Refusal

_KINDS: Mapping[str, ProviderFault] = {
    "FAILED_TO_AUTH": "auth",
    "INVALID_API_KEY": "auth",
    "MISSING_API_KEY": "auth",
    "NOT_ENOUGH_BALANCE": "no_credit",
    "BILLING_BALANCE_NOT_ENOUGH": "no_credit",
    "RATE_LIMIT_EXCEEDED": "rate_limited",
    "TOKEN_LIMIT_EXCEEDED": "rate_limited",
    "SERVICE_NOT_AVAILABLE": "server",
    "TASK_FAILED": "server",
}
_UNREAD = "INVALID_REQUEST_BODY"
_NO_ROUTE = "API_NOT_FOUND"
_SENTENCES: Mapping[str, tuple[ProviderFault, str]] = {
    "ACCESS_DENY": (
        "auth",
        "{label} does not let this account do that: the operator should look whether it is verified there.",
    ),
    "MODEL_NOT_FOUND": (
        "not_found",
        "{label} lacks this voice or the model that is set: clone it again, or ask the operator to check {model}.",
    ),
    _NO_ROUTE: (
        "not_found",
        "{label} does not know that request: the operator should check {route} and {base_url}.",
    ),
    "INVALID_AUDIO_FILE": (
        "invalid",
        "{label} cannot use the recording: record one voice that speaks clearly for 10 seconds or more, and try again.",
    ),
}
_OTHER_SOUND = "{label} does not make the kind of sound that is set: ask the operator to change {format}."
_PASSED_THROUGH: Mapping[str, tuple[ProviderFault, str | None]] = {
    "concurrency limit": ("rate_limited", None),
    "reference not found": ("not_found", None),
    "must be 1..=128 chars": ("not_found", None),
    "model not found": ("not_found", None),
    "reference audio too long": (
        "invalid",
        "The recording is too long for {label}: send one of less than six minutes.",
    ),
    "reference audio is not valid": _SENTENCES["INVALID_AUDIO_FILE"],
    "speed must be in": (
        "invalid",
        "{label} speaks at half to twice its usual speed: choose a speed from 0.5 to 2.",
    ),
    "invalid sample rate": ("invalid", _OTHER_SOUND),
    "unknown variant": ("invalid", _OTHER_SOUND),
}


class UnreadError(ProviderError):
    """What was sent was not understood as a request."""


def setting(account: Account, name: str) -> str:
    """Name another setting of the service whose key this account's is."""
    return account.key_setting.removesuffix("API_KEY") + name


def read_refusal(refusal: Refusal, account: Account) -> ProviderError | None:
    """Understand a refusal by its reason, then by its words; None: what its HTTP status says."""
    reason = _reason(refusal)
    if reason in _KINDS:
        return account.fault(_KINDS[reason], status=refusal.status)
    if reason in _SENTENCES:
        return _say(*_SENTENCES[reason], account)
    if refusal.status < 500 and (known := _passed_through(refusal.words, account)) is not None:
        return known
    if reason == _UNREAD or refusal.status == 415:
        return UnreadError(str(account.fault("invalid", status=refusal.status)), kind="invalid")
    return _say(*_SENTENCES[_NO_ROUTE], account) if refusal.status == 404 else None


def _reason(refusal: Refusal) -> str:
    content = refusal.content
    return str(content.get("reason") or "").upper() if isinstance(content, Mapping) else ""


def _passed_through(words: str, account: Account) -> ProviderError | None:
    """Understand what Fish Audio says."""
    for phrase, (kind, sentence) in _PASSED_THROUGH.items():
        if phrase in words:
            return account.fault(kind) if sentence is None else _say(kind, sentence, account)
    return None


def _say(kind: ProviderFault, sentence: str, account: Account) -> ProviderError:
    names = {name: setting(account, name.upper()) for name in ("model", "route", "base_url", "format")}
    return ProviderError(sentence.format(label=account.label, **names), kind=kind)
