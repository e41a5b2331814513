"""Sound read on to its end, whatever the pace of its listener. Knows no service."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace

from bot.errors import ProviderError
from bot.providers.base import AudioStream

log = logging.getLogger(__name__)

_Queue = asyncio.Queue[bytes | None]


@asynccontextmanager
async def read_ahead(opening: AbstractAsyncContextManager[AudioStream]) -> AsyncIterator[AudioStream]:
    """Open sound and keep what has arrived, so that what it holds is given back when it ends and not when it was heard.

    Who listens meets the error that ended it after what came before. Leaving stops the reading and waits for it.
    """
    opened: asyncio.Future[AudioStream] = asyncio.get_running_loop().create_future()
    queue: _Queue = asyncio.Queue()
    reading = asyncio.create_task(_read(opening, opened, queue))
    reading.add_done_callback(_look)
    try:
        await asyncio.wait((reading, opened), return_when=asyncio.FIRST_COMPLETED)
        if not opened.done():
            reading.result()
        async with aclosing(_chunks(queue, reading)) as chunks:
            yield replace(opened.result(), chunks=chunks)
    finally:
        reading.cancel()
        await asyncio.wait((reading,))


async def _read(
    opening: AbstractAsyncContextManager[AudioStream], opened: asyncio.Future[AudioStream], queue: _Queue
) -> None:
    try:
        async with opening as stream:
            opened.set_result(stream)
            async for chunk in stream.chunks:
                queue.put_nowait(chunk)
    finally:
        queue.put_nowait(None)


async def _chunks(queue: _Queue, reading: asyncio.Task[None]) -> AsyncGenerator[bytes]:
    while (chunk := await queue.get()) is not None:
        yield chunk
    # what it held is given back, and what ended it is raised here
    await asyncio.wait((reading,))
    reading.result()


def _look(reading: asyncio.Task[None]) -> None:
    """See what ended the reading: whoever left early does not."""
    error = None if reading.cancelled() else reading.exception()
    if error is not None and not isinstance(error, ProviderError):
        log.error("reading sound failed", exc_info=error)
