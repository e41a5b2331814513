"""A TLS server on loopback that carries the voice server's websockets, and the way to it. Knows hosts, no more."""

import functools
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trustme
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.abc import AbstractResolver, ResolveResult

from playground.discord.voice import Faults, VoiceProtocolError, VoiceServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HOSTS = ("discord.com", "*.discord.com", "gateway.discord.gg", "*.discord.media")


class _Loopback(AbstractResolver):
    """Owns nothing but the port everything leads to."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        where = ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=socket.AF_INET, proto=0, flags=0)
        return [where]

    async def close(self) -> None:
        pass


@dataclass(frozen=True)
class House:
    """A voice server that is open, and how clients reach it."""

    voice: VoiceServer
    port: int
    trust: ssl.SSLContext
    http: ClientSession

    def connector(self) -> TCPConnector:
        return TCPConnector(limit=0, resolver=_Loopback(self.port), ssl=self.trust)


@functools.cache
def _tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make what a server shows and what its clients trust: one authority for all houses."""
    authority = trustme.CA()
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*_HOSTS).configure_cert(server_tls)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trust)
    return server_tls, trust


@asynccontextmanager
async def open_house(voice: VoiceServer, other: Handler | None = None) -> AsyncIterator[House]:
    """Serve `voice` for *.discord.media and `other` for every other host."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if (request.url.host or "").endswith(".discord.media") or other is None:
            return await voice.handle(request)
        return await other(request)

    server_tls, trust = _tls()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=2.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_tls)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with voice, ClientSession(connector=TCPConnector(limit=0, resolver=_Loopback(port), ssl=trust)) as http:
            yield House(voice, port, trust, http)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def complaining(words: str, faults: Faults | None = None) -> AsyncIterator[House]:
    """Open a house whose voice server must name `words` in its complaint when it closes."""
    try:
        async with open_house(VoiceServer(faults)) as house:
            yield house
    except VoiceProtocolError as complaint:
        if not re.search(words, str(complaint)):
            raise AssertionError(f"{words} is not in the complaint") from complaint
    else:
        raise AssertionError(f"nobody complained of {words}")
