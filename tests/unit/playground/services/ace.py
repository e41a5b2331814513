"""A bare client of the stand-in of Ace Data Cloud, and a server that has recordings and takes callbacks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from playground.services.acedata import AceDataService
from tests.sounds import babble, to_wav

WAV = to_wav(babble(1.0, rate=16_000), rate=16_000)


class Porch:
    """Owns a server: recordings to fetch, and an address to be rung at."""

    def __init__(self) -> None:
        self.rung: list[dict[str, Any]] = []
        self.fetched = 0
        self.status = 200
        self.callback = asyncio.Event()
        app = web.Application()
        app.router.add_get("/sample.wav", self._fetch)
        app.router.add_get("/empty.wav", self._empty)
        app.router.add_post("/ring", self._ring)
        self.server = TestServer(app)

    def url(self, path: str) -> str:
        """Give an address here."""
        return str(self.server.make_url(path))

    async def _fetch(self, _: web.Request) -> web.Response:
        self.fetched += 1
        return web.Response(body=WAV, content_type="audio/wav")

    async def _empty(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _ring(self, request: web.Request) -> web.Response:
        self.rung.append(await request.json())
        self.callback.set()
        return web.Response(status=self.status)


class Client:
    """Owns the sessions to the stand-in and to its results."""

    def __init__(
        self, service: AceDataService, porch: Porch, session: aiohttp.ClientSession, downloads: aiohttp.ClientSession
    ) -> None:
        self.service = service
        self.porch = porch
        self.session = session
        self.downloads = downloads

    async def ask(self, method: str, path: str, *, key: str = "good-key", **sent: Any) -> tuple[int, Any]:
        """Give status and JSON."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= sent.pop("headers", {})
        async with self.session.request(method, self.service.url + path, headers=headers, **sent) as response:
            return response.status, await response.json()

    async def clone(self, **fields: Any) -> tuple[int, Any]:
        """Ask for a voice."""
        body = {"title": "Aki", "voices": [self.porch.url("/sample.wav")], **fields}
        return await self.ask("POST", "/fish/model", json=body)

    async def voice(self, **fields: Any) -> dict[str, Any]:
        """Make a voice."""
        status, voice = await self.clone(**fields)
        assert status == 200, voice
        return dict(voice)

    async def say(self, *, model: str = "s2-pro", **fields: Any) -> tuple[int, Any]:
        """Ask for a line."""
        return await self.ask("POST", "/fish/tts", json={"text": "Hello", **fields}, headers={"model": model})

    async def task(self, task_id: str) -> Any:
        """Ask after a task."""
        status, told = await self.ask("POST", "/fish/tasks", json={"id": task_id})
        assert status == 200, told
        return told

    async def fetch(self, link: str, **sent: Any) -> tuple[aiohttp.ClientResponse, bytes]:
        """Fetch a result, its link spelled as it is."""
        async with self.downloads.get(URL(link, encoded=True), **sent) as response:
            return response, await response.read()


@asynccontextmanager
async def open_client(service: AceDataService) -> AsyncIterator[Client]:
    """Open a stand-in and everything around it."""
    porch = Porch()
    async with porch.server, service, aiohttp.ClientSession() as session:
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=service.downloads_connector(), cookie_jar=jar) as downloads:
            yield Client(service, porch, session, downloads)
