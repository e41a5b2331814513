"""A far end that answers as it is told, and questions for it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from aiohttp import web
from pydantic import SecretStr

from bot.providers.base import AudioStream
from bot.providers.faults import Account
from bot.providers.http import Http
from bot.providers.limiter import Limiter
from bot.providers.patience import Patience
from bot.providers.question import Question
from playground.services.service import Asked, Service

ACCOUNT = Account(label="Fish Audio", key_setting="FISH_API_KEY")
KEY = "sk-SECRET-KEY"
QUICK = Patience(base=0.001, cap=0.002)
HASTY = Patience(base=0.001, cap=0.002, first_byte=0.1, between=0.1, create=0.1, attempts=2)
SOUND = b"ID3\4" + bytes(range(256)) * 100
GET = Question(method="GET", path="/voice")
MAKE = Question(method="POST", path="/voice", json={"title": "Aki"})
SPEAK = Question(method="POST", path="/speech", json={"text": "Hello."})


class Far(Service):
    """A service of one voice. Owns when it is made, whether it ever spoke, and how many requests it says it allows."""

    def __init__(self) -> None:
        super().__init__()
        self.made = asyncio.Event()
        self.made.set()
        self.spoke = asyncio.Event()
        self.allows = ""
        self.sound = SOUND
        self.route("PATCH", "/voice", self._show)
        self.route("GET", "/voice", self._show)
        self.route("POST", "/voice", self._show)
        self.route("POST", "/speech", self._speak)

    async def _show(self, asked: Asked) -> web.StreamResponse:
        await self.made.wait()
        headers = {"Ratelimit-Limit-Concurrency": self.allows} if self.allows else {}
        return web.json_response({"_id": "v"}, headers=headers)

    async def _speak(self, asked: Asked) -> web.StreamResponse:
        self.spoke.set()
        return await self.send_sound(asked, self.sound, content_type="audio/mpeg")


@asynccontextmanager
async def opened(url: str, patience: Patience = QUICK, *, limit: int = 5) -> AsyncIterator[Http]:
    async with Http(
        ACCOUNT, url, SecretStr(KEY), reading=lambda *_: None, patience=patience, limiter=Limiter(limit)
    ) as http:
        yield http


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


async def collect(stream: AudioStream, heard: bytearray) -> None:
    async for chunk in stream.chunks:
        heard += chunk


async def listen(http: Http, heard: bytearray | None = None) -> bytes:
    heard = bytearray() if heard is None else heard
    async with http.speak(SPEAK, asked="mp3") as stream:
        await collect(stream, heard)
    return bytes(heard)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """Open a server that treats each connection so; give its address."""
    async with asyncio.TaskGroup() as group:

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            group.create_task(handle(reader, writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
