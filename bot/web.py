"""What the outside can reach of the bot: whether it is well, recordings laid out for a service, and where one rings.

Knows HTTP. Does not know any service, and believes nothing of what it is told but that somebody rang.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.errors import BotError
from bot.providers.doorstep import Callback, Doorstep

log = logging.getLogger(__name__)

_MOST_BODY = 64 * 1024
_MOST_EARLY = 16
"""Tasks that may ring before one of them is claimed."""
_SECRET_BYTES = 32
_CLOSING = 1.0


class Web(Doorstep):
    """Owns the server, open while entered, and what is laid out at secret addresses."""

    def __init__(
        self, port: int, host: str, *, public_url: str | None, healthy: Callable[[], bool], patience: float = 10.0
    ) -> None:
        self._port = port
        self._host = host
        self._public_url = public_url
        self._healthy = healthy
        self._patience = patience
        """Seconds in which a ring must have been told."""
        self._samples: dict[str, tuple[bytes, str]] = {}
        self._bells: dict[str, _Bell] = {}
        self._stack = AsyncExitStack()

    @property
    def port(self) -> int:
        """Where it listens; while it is open, what the system gave for a port of 0."""
        return self._port

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MOST_BODY)
        app.router.add_get("/healthz", self._health)
        app.router.add_post("/callbacks/{secret}", self._ring)
        app.router.add_get("/samples/{secret}", self._sample)
        app.router.add_route("*", "/{tail:.*}", _nothing)
        # addresses are secrets: they are not written down
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSING)
        async with AsyncExitStack() as stack:
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            try:
                await web.TCPSite(runner, self._host, self._port).start()
            except OSError as error:
                raise BotError(
                    f"The web server cannot listen on {self._host} port {self._port}: "
                    "put a free port into WEB_PORT, and an address of this machine into WEB_HOST."
                ) from error
            self._port = runner.addresses[0][1]
            self._stack = stack.pop_all()
        log.info("the web server listens on port %d", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @contextmanager
    def publish(self, data: bytes, media_type: str) -> Iterator[str]:
        """Serve these bytes at a secret address while entered; the address is not to be logged.

        Raises `BotError` where no public address is set.
        """
        base, secret = self._base(), secrets.token_urlsafe(_SECRET_BYTES)
        self._samples[secret] = data, media_type
        try:
            yield f"{base}/samples/{secret}"
        finally:
            del self._samples[secret]

    @contextmanager
    def expect(self) -> Iterator[Callback]:
        """Open a secret address to ring at while entered. Raises `BotError` where no public address is set."""
        base, secret = self._base(), secrets.token_urlsafe(_SECRET_BYTES)
        bell = self._bells[secret] = _Bell(f"{base}/callbacks/{secret}")
        try:
            yield bell
        finally:
            del self._bells[secret]

    def _base(self) -> str:
        if self._public_url is None:
            raise BotError("Nothing can reach me from outside: the operator must put my address into PUBLIC_URL.")
        return self._public_url.rstrip("/")

    async def _health(self, request: web.Request) -> web.Response:
        if self._healthy():
            return web.json_response({"status": "ok"})
        return web.json_response({"status": "failing"}, status=503)

    async def _sample(self, request: web.Request) -> web.Response:
        found = self._samples.get(request.match_info["secret"])
        if found is None:
            return await _nothing(request)
        data, media_type = found
        headers = {"Content-Type": media_type, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=data, headers=headers)

    async def _ring(self, request: web.Request) -> web.Response:
        bell = self._bells.get(request.match_info["secret"])
        if bell is None:
            return await _nothing(request)
        try:
            async with asyncio.timeout(self._patience):
                task_id = _read_task_id(await request.read())
        except TimeoutError:
            return web.json_response({"error": "too slow"}, status=408)
        if task_id is None:
            return web.json_response({"error": "not a JSON object with a task_id"}, status=400)
        if not bell.ring(task_id):
            return await _nothing(request)
        return web.json_response({"status": "ok"})


class _Bell:
    """Owns whether one task rang since it was last asked."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._task_id: str | None = None
        self._early: set[str] = set()
        self._rung = asyncio.Event()

    @property
    def url(self) -> str:
        """The address to hand to the service; not to be logged."""
        return self._url

    def claim(self, task_id: str) -> None:
        """Say which task was given the address; its ring counts even where it came before this."""
        self._task_id = task_id
        if task_id in self._early:
            self._rung.set()
        self._early.clear()

    def ring(self, task_id: str) -> bool:
        """Take a ring; say whether it may be of the task."""
        if self._task_id is None:
            if len(self._early) < _MOST_EARLY:
                self._early.add(task_id)
            return task_id in self._early
        if task_id != self._task_id:
            return False
        self._rung.set()
        return True

    async def rings(self, seconds: float) -> bool:
        """Wait until it rings, at most so long; say whether it did. Each call hears only what rang after the last."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


def _read_task_id(body: bytes) -> str | None:
    """Read what rings; None where it does not say."""
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    task_id = content.get("task_id") if isinstance(content, dict) else None
    return task_id if isinstance(task_id, str) and task_id else None


async def _nothing(_: web.Request) -> web.Response:
    return web.json_response({"error": "not found"}, status=404)
