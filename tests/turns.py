"""Something else that wants to run in the event loop: counts how often it does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def others() -> AsyncIterator[Callable[[], int]]:
    """Run beside what is inside; what is given tells how many turns there were so far."""
    turns = 0

    async def run() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(run())
    try:
        yield lambda: turns
    finally:
        running.cancel()
