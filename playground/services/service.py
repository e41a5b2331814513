"""What all stand-ins share: a server on loopback, a record of what was asked, and faults on demand.

Knows HTTP. What is asked that a stand-in does not know is a breach, told when it closes.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

import ormsgpack
from aiohttp import web

from playground.services.gate import CutError, Gate, Way
from playground.services.sound import Speak, babble

Handler = Callable[["Asked"], Awaitable[web.StreamResponse]]

_PORTION = 4096
_MOST_REQUEST = 128 << 20


class ServiceBreachError(AssertionError):
    """Something was asked that the service does not know."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form."""

    data: bytes = field(repr=False)
    filename: str | None
    media_type: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read whole."""

    request: web.Request
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """By their names in small letters."""
    body: bytes = field(repr=False)
    form: Mapping[str, list[str | Upload]] | None = None
    """Of a multipart or urlencoded body, values in order."""
    way: Way = field(default_factory=Way, repr=False)
    """How far its sound is sent."""

    @property
    def media_type(self) -> str:
        """What the body calls itself, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().casefold()

    def content(self) -> Any:
        """The body as JSON or msgpack, as it calls itself; raises ValueError."""
        return ormsgpack.unpackb(self.body) if "msgpack" in self.media_type else json.loads(self.body)

    @property
    def key(self) -> str:
        """The bearer token, or nothing."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.casefold() == "bearer" else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a route does instead of its work, or after it."""

    status: int | None = None
    """Answer this."""
    body: bytes | str | dict[str, Any] | list[Any] = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    """Never answer, until the client goes or the service closes."""
    drops: bool = False
    """Close the connection without an answer."""
    works_first: bool = False
    """Do the work before the fault: what was asked happens, its answer is lost."""
    cuts_after: int | None = None
    """Send this many bytes of the right answer's sound, then close the connection in the middle."""
    endless: bool = False
    """Send sound without end."""
    gate: Gate | None = None
    """Answer rightly, and hold the sound at this gate; nothing else of the fault counts then."""


class Service:
    """Owns one server on 127.0.0.1, open while entered. Subclasses add routes and what stands behind them."""

    def __init__(self, *, speak: Speak = babble) -> None:
        self.speak = speak
        self.asked: list[Asked] = []
        self.breaches: list[str] = []
        self.faults: dict[str, list[Fault | None]] = {}
        self.gate: asyncio.Event | None = None
        """Where set, sound is sent after its first portion only when this is."""
        self.portion = _PORTION
        self.open_sounds = 0
        """Answers of sound that are on their way now."""
        self.most_sounds = 0
        self._routes: list[tuple[str, str, Handler]] = []
        self._closing = asyncio.Event()
        self._port = 0
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def route(self, method: str, path: str, handler: Handler) -> None:
        """Answer `method` on `path`, written as aiohttp writes routes: /model/{id}."""
        self._routes.append((method, path, handler))

    def fail(self, route: str, *faults: Fault | None) -> None:
        """Have the next requests of a route ("POST /v1/tts", as it was added) fail, one after the other.

        None: that one is answered rightly.
        """
        known = {f"{method} {path}" for method, path, _ in self._routes}
        if route not in known:
            raise ServiceBreachError(f"there is no route {route}, only {sorted(known)}")
        self.faults.setdefault(route, []).extend(faults)

    def count(self, method: str, path: str) -> int:
        """Say how often something was asked."""
        return sum((each.method, each.path) == (method, path) for each in self.asked)

    def last(self, method: str, path: str) -> Asked:
        """Give the latest request of this kind."""
        return next(each for each in reversed(self.asked) if (each.method, each.path) == (method, path))

    def breach(self, what: str) -> None:
        """Write down what no real service would have been asked."""
        self.breaches.append(what)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MOST_REQUEST)
        for method, path, handler in self._routes:
            app.router.add_route(method, path, self._wrap(f"{method} {path}", handler))
        app.router.add_route("*", "/{tail:.*}", self._unknown)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
        async with AsyncExitStack() as stack:
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.callback(self._closing.set)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self._port = runner.addresses[0][1]
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)
        if self.breaches and error is None:
            raise ServiceBreachError("; ".join(self.breaches))

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        return self.unknown(await read(request))

    def unknown(self, asked: Asked) -> web.StreamResponse:
        """Answer a route that does not exist; a breach."""
        self.breach(f"no such route: {asked.method} {asked.path}")
        return web.json_response({"message": "Not Found", "status": 404}, status=404)

    def _wrap(self, name: str, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            asked = await read(request)
            self.asked.append(asked)
            waiting = self.faults.get(name)
            fault = waiting.pop(0) if waiting else None
            if fault is None:
                return await self._work(asked, handler)
            if fault.gate is not None:
                return await self._work(replace(asked, way=Way(fault.gate)), handler)
            if fault.works_first:
                await self._work(asked, handler)
            return await self._fail(asked, fault)

        return answer

    async def _work(self, asked: Asked, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(asked)
        except CutError:
            # not aborted: what was sent before is to arrive
            if asked.request.transport is not None:
                asked.request.transport.close()
            return web.Response()
        except ServiceBreachError as breach:
            self.breach(str(breach))
            raise web.HTTPNotImplemented(text=str(breach)) from breach

    async def _fail(self, asked: Asked, fault: Fault) -> web.StreamResponse:
        if fault.hangs:
            await self._closing.wait()
        if fault.drops or fault.hangs:
            if asked.request.transport is not None:
                asked.request.transport.abort()
            return web.Response()
        if fault.cuts_after is not None or fault.endless:
            return await self._break(asked, fault)
        body, kind = _spell(fault.body)
        headers = {"Content-Type": fault.content_type or kind, **fault.headers}
        return web.Response(status=fault.status or 500, body=body, headers=headers)

    async def _break(self, asked: Asked, fault: Fault) -> web.StreamResponse:
        """Send sound that ends in the middle, or never."""
        response = web.StreamResponse(headers={"Content-Type": fault.content_type or "application/octet-stream"})
        await response.prepare(asked.request)
        data, _ = _spell(fault.body)
        if fault.endless:
            while not self._closing.is_set():
                await response.write(data)
                # a write to nobody does not wait
                await asyncio.sleep(0)
        elif fault.cuts_after is not None:
            await response.write(data[: fault.cuts_after])
        if asked.request.transport is not None:
            asked.request.transport.close()
        return response

    async def send_sound(
        self, asked: Asked, data: bytes, *, content_type: str, headers: Mapping[str, str] | None = None
    ) -> web.StreamResponse:
        """Send sound in portions, chunked and without its length, as it would be made."""
        response = web.StreamResponse(headers={"Content-Type": content_type, **(headers or {})})
        response.enable_chunked_encoding()
        self.open_sounds += 1
        self.most_sounds = max(self.most_sounds, self.open_sounds)
        try:
            await asked.way.begin()
            await response.prepare(asked.request)
            async for portion in self.portions(asked, data):
                await response.write(portion)
            await response.write_eof()
        finally:
            self.open_sounds -= 1
        return response

    async def portions(self, asked: Asked, data: bytes) -> AsyncIterator[bytes]:
        """Give sound portion by portion; all but the first wait for `gate` where there is one.

        Raises CutError where the answer to `asked` shall die.
        """
        for start in range(0, len(data), self.portion):
            async for part in asked.way.send(data[start : start + self.portion]):
                yield part
            if self.gate is not None:
                await self.gate.wait()


def _spell(body: bytes | str | dict[str, Any] | list[Any]) -> tuple[bytes, str]:
    match body:
        case bytes():
            return body, "application/octet-stream"
        case str():
            return body.encode(), "text/plain"
        case _:
            return json.dumps(body).encode(), "application/json"


async def read(request: web.Request) -> Asked:
    """Read a request whole."""
    form: dict[str, list[str | Upload]] | None = None
    body = b""
    if request.content_type in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        form = {}
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                with value.file as file:
                    part: str | Upload = Upload(file.read(), value.filename, value.content_type)
            else:
                part = value if isinstance(value, str) else Upload(bytes(value), None, None)
            form.setdefault(name, []).append(part)
    else:
        body = await request.read()
    return Asked(
        request=request,
        method=request.method,
        path=request.path,
        query={name: request.query.getall(name) for name in request.query},
        headers={name.casefold(): value for name, value in request.headers.items()},
        body=body,
        form=form,
    )
