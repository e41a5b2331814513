"""A server of result links behind TLS, and a resolver that names what it is told."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import aiohttp
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

SOUND = b"ID3" + bytes(range(256)) * 80


class Names(AbstractResolver):
    """Owns what each name leads to, and what was asked."""

    def __init__(self, known: Mapping[str, list[str]], *, port: int | None = None) -> None:
        self.known = known
        self.port = port
        self.asked: list[str] = []
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=self.port or port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.known[host]
        ]

    async def close(self) -> None:
        self.closed = True


class Cdn:
    """Owns a TLS server on loopback that is cdn.example.com and mirror.example.com, and what was asked of it."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[web.BaseRequest] = []
        self.closing = asyncio.Event()
        self.names = Names({name: ["127.0.0.1"] for name in ("cdn.example.com", "mirror.example.com")})
        self._authority = trustme.CA()
        self._stack = AsyncExitStack()

    def answer(self, path: str, *answers: Answer) -> str:
        """Answer a path so, one after the other and the last for ever; return its link."""
        self.answers[path] = list(answers)
        return f"https://cdn.example.com{path}?Signature=SECRET%2Fsig~"

    @property
    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    @property
    def client_tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(context)
        return context

    def connector(self, resolver: AbstractResolver | None = None) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(resolver=resolver or self.names, ssl=self.client_tls)

    async def __aenter__(self) -> Self:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert("cdn.example.com", "mirror.example.com", "127.0.0.1").configure_cert(tls)
        runner = web.ServerRunner(web.Server(self._respond, access_log=None), shutdown_timeout=1.0)
        async with AsyncExitStack() as stack:
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.callback(self.closing.set)
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
            self.names.port = runner.addresses[0][1]
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request)
        answers = self.answers[request.path]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return await answer(request)
