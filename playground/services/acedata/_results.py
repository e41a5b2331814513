"""The host that results are fetched from: https, signed links, the extension .mp3 whatever is in them. Knows no task.

It needs no key, so a key that comes along is a breach, as is the cookie it offers.
"""

import asyncio
import base64
import secrets
import uuid
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Literal, Self, assert_never
from urllib.parse import quote

import aiohttp
from aiohttp import web
from yarl import URL

from playground.services.acedata._way import HOST, OTHER_HOST, Resolver, connector, server_tls
from playground.services.service import Asked, Service, read

Serving = Literal["sound", "page", "disguised_page", "endless", "cut", "missing"]
"""The sound; an error page with 200, called HTML or sound; sound without end; half of it; 404."""

_PAGE = b"<!DOCTYPE html><html><head><title>Error</title></head><body>The service is being maintained.</body></html>"


class Results:
    """Owns the server behind both hosts, what is laid out there, and how it behaves."""

    def __init__(self, service: Service) -> None:
        self.asked: list[Asked] = []
        """Every request that came."""
        self.strangers: list[str] = []
        """Hosts that were asked for by the way to the results and are none of theirs."""
        self.serves: Serving = "sound"
        self.content_type = "audio/mpeg"
        """As the extension says, whatever is in the file."""
        self.redirect_to: str | None = None
        """Where the first host sends everybody: an address, or only its https://host, at which the path stays the
        same."""
        self.reads: int | None = None
        """How often a link can be fetched until it has expired; None: any number of times."""
        self._service = service
        self._sounds: dict[str, bytes] = {}
        self._reads: dict[str, int] = {}
        self._port = 0
        self._closing = asyncio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
        async with AsyncExitStack() as stack:
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.callback(self._closing.set)
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_tls()).start()
            self._port = runner.addresses[0][1]
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def lay_out(self, sound: bytes) -> str:
        """Serve sound at a new signed link."""
        signature = quote(base64.b64encode(secrets.token_bytes(24) + b"\xfb\xff\xfe").decode(), safe="")
        place = f"/fish/{uuid.uuid4()}.mp3?signature={signature}"
        self._sounds[place] = sound
        return f"https://{HOST}{place}"

    def connector(self) -> aiohttp.TCPConnector:
        """Return a connector that reaches the results and nothing else."""
        return connector(Resolver(lambda: self._port, self._service.breach, self.strangers))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = await read(request)
        self.asked.append(asked)
        for name in {"authorization", "cookie"} & asked.headers.keys():
            self._service.breach(f"the host of the results was sent a header {name}")
        place = request.rel_url.raw_path_qs
        if self.redirect_to is not None and request.host != OTHER_HOST:
            return _labelled(web.Response(status=302, headers={"Location": _target(self.redirect_to, place)}))
        sound = self._sounds.get(place)
        if request.method != "GET" or sound is None or self.serves == "missing":
            return _labelled(_complaint(404, "NoSuchKey", "The specified key does not exist."))
        reads = self._reads[place] = self._reads.get(place, 0) + 1
        if self.reads is not None and reads > self.reads:
            return _labelled(_complaint(403, "AccessDenied", "Request has expired"))
        return await self._serve(asked, sound)

    async def _serve(self, asked: Asked, sound: bytes) -> web.StreamResponse:
        match self.serves:
            case "page":
                return _labelled(web.Response(body=_PAGE, content_type="text/html"))
            case "disguised_page":
                return _labelled(web.Response(body=_PAGE, content_type=self.content_type))
            case "endless":
                return await self._pour(asked, sound)
            case "sound" | "cut" | "missing":
                return await self._send(asked, sound)
            case _:
                assert_never(self.serves)

    async def _pour(self, asked: Asked, sound: bytes) -> web.StreamResponse:
        response = _labelled(web.StreamResponse(headers={"Content-Type": self.content_type}))
        await response.prepare(asked.request)
        with suppress(ConnectionResetError):
            while not self._closing.is_set():
                await response.write(sound)
                # behind TLS a write to nobody does not wait, and that nobody is there is learnt only from the loop
                await asyncio.sleep(0)
        return response

    async def _send(self, asked: Asked, sound: bytes) -> web.StreamResponse:
        headers = {"Content-Type": self.content_type, "Content-Length": str(len(sound))}
        response = _labelled(web.StreamResponse(headers=headers))
        await response.prepare(asked.request)
        async for portion in self._service.portions(asked, sound[: len(sound) // 2] if self.serves == "cut" else sound):
            await response.write(portion)
        if self.serves == "cut" and asked.request.transport is not None:
            asked.request.transport.close()
        return response


def _target(where: str, place: str) -> str:
    return f"{where.rstrip('/')}{place}" if URL(where).raw_path == "/" else where


def _complaint(status: int, code: str, message: str) -> web.StreamResponse:
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return web.Response(status=status, text=text, content_type="application/xml")


def _labelled(response: web.StreamResponse) -> web.StreamResponse:
    """Offer a cookie with every answer, as a CDN does."""
    response.set_cookie("__cf_bm", secrets.token_hex(8), path="/", secure=True, httponly=True)
    return response
