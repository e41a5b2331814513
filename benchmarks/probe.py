"""How long an event loop was held: a timer that comes late was kept waiting."""

import asyncio
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

_PERIOD = 0.002


class Probe:
    """Asks for the loop every 2 ms while entered. Owns how late it was given since the last look, in seconds."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_PERIOD)
            self._late.append(max(0.0, time.perf_counter() - began - _PERIOD))

    def take(self) -> list[float]:
        """Return each hold, and start again."""
        late, self._late = self._late, []
        return late
