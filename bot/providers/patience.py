"""How long a service is waited for, and how often it is asked. Sends nothing."""

import asyncio
import logging
import random
import time
from dataclasses import dataclass

from bot.errors import ProviderError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a service is waited for and how often it is asked, in seconds."""

    connect: float = 10.0
    first_byte: float = 90.0
    between: float = 30.0
    create: float = 240.0
    attempts: int = 4
    base: float = 0.5
    """Longest wait before the second attempt; doubled for each after it, and drawn at random below that."""
    cap: float = 8.0
    longest_wait: float = 20.0
    """A service that asks for more is not waited for."""
    poll: float = 3.0
    """The wait before the first look at a task that runs there; later ones are longer."""
    total: float = 45.0
    """After this no new attempt begins."""

    def pause(self, attempt: int, error: ProviderError) -> float | None:
        """Give the seconds to wait after so many attempts; None: give up."""
        if attempt >= self.attempts or not error.retryable:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.longest_wait else None
        return random.uniform(0, min(self.cap, self.base * 2 ** (attempt - 1)))  # noqa: S311 - jitter, no secret


class Tries:
    """Counts the attempts at one request to a service of this name."""

    def __init__(self, patience: Patience, service: str) -> None:
        self._patience = patience
        self._service = service
        self._began = time.monotonic()
        self._made = 0

    async def wait(self, error: ProviderError, *, spent: bool = False) -> None:
        """Wait before the next attempt; raises the error where there is none.

        `spent`: what was asked may have been done, and must not be asked for again.
        """
        self._made += 1
        pause = None if spent else self._patience.pause(self._made, error)
        if pause is None or time.monotonic() - self._began + pause > self._patience.total:
            raise error
        log.info("%s: attempt %d failed (%s)", self._service, self._made, error.kind)
        await asyncio.sleep(pause)
