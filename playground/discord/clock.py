"""The playground's time: real time which a test can push forward. Knows nothing of what is timed."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta


class Clock:
    """Owns the distance between this Discord's time and the machine's."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Return the time here, in UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once: deadlines in between are over."""
        self._ahead += timedelta(seconds=seconds)
        self._moved.set()
        self._moved = asyncio.Event()

    async def until(self, moment: datetime) -> None:
        """Return when `moment` has come, by waiting or by `advance`."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._moved.wait()
