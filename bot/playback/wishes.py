"""Where Discord was asked to have the bot, in order, as long as it has not answered. Knows no connection."""

import asyncio
import time
from collections import deque

ANSWER_SECONDS = 2.0
"""Time for Discord to answer. It answers nothing to who may not come in, or is out already."""


class Wishes:
    """Owns the wishes of one connection that wait for their answers, which come in the same order."""

    def __init__(self, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._answer_seconds = answer_seconds
        self._open: deque[tuple[bool, float]] = deque()
        """For each whether the bot is to be in a channel, and when that was asked for."""
        self._changed = asyncio.Event()

    @property
    def open(self) -> bool:
        """Whether an answer may still come."""
        return bool(self._open)

    @property
    def entering(self) -> bool:
        """Whether the bot was not let in yet: that it is in no channel answers somebody else's wish then."""
        return bool(self._open) and self._open[0][0]

    def ask(self, *, inside: bool) -> None:
        """Take note that Discord is asked to have the bot in a channel, or in none."""
        self._open.append((inside, time.monotonic()))

    def answer(self, *, inside: bool) -> None:
        """Take note of where Discord has the bot: the wishes before the one that this answers get no answer."""
        if any(wanted == inside for wanted, _ in self._open):
            while self._open.popleft()[0] != inside:
                pass
            self._changed.set()

    def clear(self) -> None:
        """Take note that nothing is answered any more."""
        self._open.clear()
        self._changed.set()

    async def settled(self) -> None:
        """Wait for the last answer, as long as one may still come."""
        while self._open:
            left = self._open[-1][1] + self._answer_seconds - time.monotonic()
            if left <= 0:
                self._open.clear()
                return
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                self._open.clear()
