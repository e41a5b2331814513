"""What tests of Fish Audio in this folder share: far ends that answer as they are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from playground.services.fish import FishService
from playground.services.service import Upload

JPEG = b"\xff\xd8\xff\xe0 a picture"
MAKE, SAY, HEAR = "POST /model", "POST /v1/tts", "POST /v1/asr"


def form_of(service: FishService, method: str = "POST", path: str = "/model") -> dict[str, list[str | Upload]]:
    form = service.last(method, path).form
    assert form is not None
    return dict(form)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def far_end(serve: Serve) -> AsyncIterator[str]:
    """Open a server of bare bytes; leaving waits until each of its connections is served."""
    served = asyncio.Event()
    served.set()
    open_ones = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_ones
        open_ones += 1
        served.clear()
        try:
            await serve(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            open_ones -= 1
            if not open_ones:
                served.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 22) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await served.wait()


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Open a server that reads one request, gives this answer and hangs up."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        heard.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()

    async with far_end(serve) as url:
        yield url, heard
