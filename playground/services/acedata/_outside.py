"""What the service itself does on the network: it fetches recordings and rings back. Knows no voice and no task."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

_T = TypeVar("_T")
_PATIENCE = aiohttp.ClientTimeout(total=30)


class UnreachableError(Exception):
    """A recording could not be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """One delivery at a callback address."""

    task_id: str
    status: int | None
    """None: nobody was there."""


class Outside:
    """Owns a session to the outside, closed with its connector, and the work that goes on behind the answers."""

    def __init__(self, connector: aiohttp.BaseConnector | None) -> None:
        self.rings: list[Ring] = []
        """Every delivery, in order."""
        self._connector = connector
        self._session: aiohttp.ClientSession | None = None
        self._under_way: set[asyncio.Task[Any]] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            session = aiohttp.ClientSession(
                connector=self._connector, timeout=_PATIENCE, cookie_jar=aiohttp.DummyCookieJar()
            )
            self._session = await stack.enter_async_context(session)
            stack.push_async_callback(self._stop)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def fetch(self, link: str) -> bytes:
        """Fetch a recording, following redirects. Raises `UnreachableError`."""
        try:
            async with self._open().get(link) as response:
                response.raise_for_status()
                return await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnreachableError(link) from error

    async def ring(self, address: str, body: Mapping[str, Any]) -> None:
        """Post a callback, once, and write down what came of it."""
        status: int | None = None
        try:
            async with self._open().post(address, json=body, allow_redirects=False) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            status = None
        self.rings.append(Ring(task_id=str(body["task_id"]), status=status))

    def begin(self, work: Coroutine[Any, Any, _T]) -> "asyncio.Task[_T]":
        """Let work go on behind the answer."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def quiet(self) -> None:
        """Wait until nothing goes on any more."""
        while self._under_way:
            await asyncio.wait(set(self._under_way))

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the stand-in is not open")
        return self._session

    async def _stop(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
