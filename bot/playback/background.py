"""What is done beside the queue of one server, and ends with it. Knows neither."""

import asyncio
from collections.abc import Awaitable


class Background:
    """Owns tasks that nobody waits for until the end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[None]] = set()

    def run(self, work: Awaitable[None]) -> None:
        """Have something done."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until all of it is done."""
        if self._tasks:
            await asyncio.wait(self._tasks)
