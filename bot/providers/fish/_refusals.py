"""What Fish Audio says when it refuses, and what each of its phrases means. Asks nothing.

A body is a JSON object, a bare JSON array (422) or plain text: all of them are searched for known phrases, and none is
quoted.
"""

from collections.abc import Mapping
from typing import Any

from bot.errors import ProviderError, ProviderFault
from bot.providers.faults import Account, Refusal

_CODE = "x-fish-error-code"
_CODES: Mapping[str, ProviderFault] = {"insufficient_balance": "no_credit", "invalid_api_key": "auth"}
_GONE = ("reference not found", "must be 1..=128 chars", "model not found")
_BUSY = "concurrency limit"
_EMPTY_WALLET = (
    "The API credit at {label} is used up (it is kept apart from the credit of the website): ask the operator to add "
    "some. Nothing was charged."
)
_FORBIDDEN = (
    "{label} does not let this account do that (HTTP 403): ask the operator whose voice it is and what the key may do."
)
_NO_SUCH_SOUND = "{label} does not make the kind of sound that is set: ask the operator to change FISH_FORMAT."
_INVALID: Mapping[str, str] = {
    "reference audio too long": "The recording is too long for {label}: send one of less than six minutes.",
    "reference audio is not valid": (
        "{label} finds the recording not valid: record one voice that speaks clearly for 10 seconds or more, and try "
        "again."
    ),
    "invalid audio input": "{label} cannot read the recording: record it again, as wav or mp3.",
    "speed must be in": "{label} speaks at half to twice its usual speed: choose a speed from 0.5 to 2.",
    "invalid sample rate": _NO_SUCH_SOUND,
    "unknown variant": _NO_SUCH_SOUND,
    "missing field `text`": "There is nothing to say in that: write some words.",
}
_DOWN: Mapping[str, str] = {
    "failed to preprocess audio": "{label} takes no recordings just now: try again in a few minutes.",
    "failed to transcribe audio": (
        "{label} could not write down what is said: make sure that somebody speaks in the recording, and try again."
    ),
}
_FIELDS: Mapping[str, str] = {
    "title": "name",
    "description": "description",
    "tags": "tags",
    "voices": "recording",
    "texts": "transcript",
    "cover_image": "picture",
    "visibility": "visibility",
}
"""What a member calls the fields of a voice."""


def read_refusal(refusal: Refusal, account: Account) -> ProviderError | None:
    """Understand a refusal by its code, then by its words; None: what its HTTP status says."""
    words = refusal.words
    kind = _CODES.get(next((value for name, value in refusal.headers.items() if name.casefold() == _CODE), ""))
    if kind == "no_credit" or refusal.status == 402:
        return ProviderError(_EMPTY_WALLET.format(label=account.label), kind="no_credit")
    if kind is not None:
        return account.fault(kind, status=refusal.status)
    if refusal.status == 403:
        return ProviderError(_FORBIDDEN.format(label=account.label), kind="auth")
    if refusal.status >= 500:
        return _said(words, _DOWN, account, kind="server")
    return read_words(words, account) or _fields(refusal.content, account)


def read_words(words: str, account: Account) -> ProviderError | None:
    """Understand what is said without a status, in small letters; None where no phrase is known."""
    if _BUSY in words:
        return account.fault("rate_limited")
    if any(phrase in words for phrase in _GONE):
        return account.fault("not_found")
    return _said(words, _INVALID, account, kind="invalid")


def _said(words: str, phrases: Mapping[str, str], account: Account, *, kind: ProviderFault) -> ProviderError | None:
    sentence = next((sentence for phrase, sentence in phrases.items() if phrase in words), None)
    return None if sentence is None else ProviderError(sentence.format(label=account.label), kind=kind)


def _fields(content: Any, account: Account) -> ProviderError | None:
    """Name what is wrong with a voice's fields, where an array tells."""
    faults = content if isinstance(content, list) else ()
    places = [fault.get("loc") for fault in faults if isinstance(fault, Mapping)]
    names = {str(name) for place in places if isinstance(place, list) for name in place}
    wrong = [word for name, word in _FIELDS.items() if name in names]
    if not wrong:
        return None
    return ProviderError(
        f"{account.label} did not take the {' and the '.join(wrong)}: change that and try again.", kind="invalid"
    )
