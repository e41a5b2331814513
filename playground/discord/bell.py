"""A bell that rings whenever something changed, for those who wait for a state. Knows nothing of the state."""

import asyncio
from collections.abc import Callable


class Bell:
    """Owns the futures of those who wait."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def ring(self) -> None:
        """Let everybody who waits look again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, met: Callable[[], bool]) -> None:
        """Return once `met` is true, looking each time the bell rings."""
        while not met():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
