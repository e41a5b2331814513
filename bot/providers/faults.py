"""What a service refuses, and the sentence a member reads for it. One way to fail for all of them.

No sentence quotes what a service wrote: it may hold the member's words, and sentences are logged.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ormsgpack

from bot.errors import ProviderError, ProviderFault

_BY_STATUS: Mapping[int, ProviderFault] = {
    401: "auth",
    402: "no_credit",
    403: "auth",
    404: "not_found",
    408: "network",
    413: "too_large",
    429: "rate_limited",
}

_SENTENCES: Mapping[ProviderFault, str] = {
    "auth": "{label} refuses the key{code}: the operator must put a valid one into {setting}.",
    "no_credit": "The credit at {label} is used up: ask the operator to add some. Nothing was charged.",
    "not_found": "{label} has no such voice any more: delete it here and clone it again.",
    "invalid": "{label} did not take that{code}: change the words or the recording and try again.",
    "too_large": "That is more than {label} takes{code}: send a shorter recording or fewer words.",
    "rate_limited": "{label} is busy with other requests of this bot: try again in a minute.",
    "server": "{label} is not working properly{code}: try again in a few minutes.",
    "network": "{label} cannot be reached or did not answer in time: try again in a few minutes.",
    "unknown_outcome": (
        "{label} did not say whether the voice was made: I am looking for it, and nothing is sent twice. "
        "/voices show tells how it went."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom a sentence speaks of."""

    label: str
    """The service's name."""
    key_setting: str
    """The setting that holds its key."""

    def fault(self, kind: ProviderFault, *, status: int | None = None, wait: float | None = None) -> ProviderError:
        """Say what went wrong in a member's words, and what to do."""
        code = "" if status is None else f" (HTTP {status})"
        sentence = _SENTENCES[kind].format(label=self.label, code=code, setting=self.key_setting)
        return ProviderError(sentence, kind=kind, retry_after=wait)

    def broke_off(self, kind: ProviderFault = "network") -> ProviderError:
        """Say that sound was heard and its end will not be."""
        return ProviderError(f"The sound from {self.label} broke off in the middle: say it again.", kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is not what was asked for."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    @property
    def content(self) -> Any:
        """The body as JSON or msgpack where it is either, else as text."""
        return parse(self.body)

    @property
    def words(self) -> str:
        """All that the body says, in small letters: to look for a service's known phrases in."""
        return self.body.decode("utf-8", errors="replace").casefold()

    @property
    def wait(self) -> float | None:
        """Seconds after which the service wants to be asked again (RFC 9110 section 10.2.3; a date is not read)."""
        value = next((value for name, value in self.headers.items() if name.casefold() == "retry-after"), "")
        return float(value) if value.strip().isdecimal() else None


class DeclinedError(Exception):
    """The service said that it failed: the cause of a `ProviderError` that came of its own words.

    So nothing of what was asked was done or charged.
    """


Reading = Callable[[Refusal, Account], ProviderError | None]
"""A dialect's own understanding of a refusal; None: what its HTTP status says."""


def parse(body: bytes) -> Any:
    """Read a body as JSON, else as a msgpack map or list, else as text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    try:
        unpacked = ormsgpack.unpackb(body)
    except ValueError:
        unpacked = None
    return unpacked if isinstance(unpacked, dict | list) else body.decode("utf-8", errors="replace")


def understand(refusal: Refusal, account: Account, reading: Reading) -> ProviderError:
    """Turn a refusal into the failure it means."""
    error = reading(refusal, account)
    if error is None:
        error = account.fault(kind_of(refusal.status), status=refusal.status)
    if error.retry_after is None:
        error.retry_after = refusal.wait
    return error


def kind_of(status: int) -> ProviderFault:
    """Say what an HTTP status means where the body says no more."""
    return _BY_STATUS.get(status, "invalid" if 400 <= status < 500 else "server")
