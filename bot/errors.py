"""Everything that can go wrong on purpose, as one tree.

Two questions are answered here and nowhere else. May the member read it? It is a `BotError`, and its text is written
for them and says what to do next. May we ask again? `ProviderError.retryable`.

    * BotError
      + SampleError      the recording cannot be cloned
      + VoiceError       no such voice, name taken, not yours, not ready
      + SpeechError      text empty or too long, nothing to say after cleaning
      + PlaybackError    not in a voice channel, may not speak there, cannot join
      + QuotaError       the allowance is spent
      + StoreError       the database is locked, read-only or gone
      + ProviderError    the engine said no

Anything else is a bug: it is logged with its traceback under an id and shown as one neutral sentence with that id.
"""

from typing import Literal

ProviderFault = Literal[
    "auth", "no_credit", "not_found", "invalid", "too_large", "rate_limited", "server", "network", "unknown_outcome"
]

RETRYABLE: frozenset[ProviderFault] = frozenset({"rate_limited", "server", "network"})


class BotError(Exception):
    """A failure whose text a member may read: one or two plain lines that say what to do next."""


class SampleError(BotError):
    """The recording cannot be cloned."""


class VoiceError(BotError):
    """No such voice, name taken, not yours, or not ready."""


class SpeechError(BotError):
    """There is nothing to say: the text is empty, too long, or empty after cleaning."""


class PlaybackError(BotError):
    """The line cannot be heard: no voice channel, no right to speak there, or no way to join."""


class QuotaError(BotError):
    """The allowance is spent."""


class StoreError(BotError):
    """The database did not do what was asked, and nothing was changed."""


class ProviderError(BotError):
    """A voice service or the embedded engine said no.

    `kind` says why; `unknown_outcome` means a create was sent and its answer was lost, so it must be looked for before
    anything is sent again.
    """

    def __init__(self, text: str, *, kind: ProviderFault, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.kind: ProviderFault = kind
        self.retry_after = retry_after
        """Seconds the service asked us to wait, where it said so."""

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed if it is sent again. Never true of a create."""
        return self.kind in RETRYABLE
