"""The connections to one service. Knows its key and where it lives; asks nothing of it."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy


class Sessions:
    """Owns two sessions: one whose connections are used again, and one that opens a connection for each request.

    A connection that was kept may just have been closed at the other end, and whoever finds that out does not know
    whether the request was read.
    """

    def __init__(self, headers: Mapping[str, str], timeout: aiohttp.ClientTimeout) -> None:
        self._headers = {"User-Agent": "Mynah", **headers}
        self._timeout = timeout
        self._open: tuple[aiohttp.ClientSession, aiohttp.ClientSession] | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            kept = await stack.enter_async_context(self._session(aiohttp.TCPConnector(limit=0)))
            fresh = await stack.enter_async_context(self._session(aiohttp.TCPConnector(limit=0, force_close=True)))
            self._open = (kept, fresh)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open = None
        await self._stack.aclose()

    def pick(self, *, fresh: bool = False) -> aiohttp.ClientSession:
        """Give a session: one that opens a connection for each request where `fresh`."""
        if self._open is None:
            raise RuntimeError("the service is not open: use `async with`")
        return self._open[fresh]

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            trace_configs=[_stay_here()],
        )


def forget_headers(error: aiohttp.ClientResponseError) -> None:
    """Take out of an error, which may be shown, the headers it keeps: the key is one of them."""
    asked = error.request_info
    error.request_info = aiohttp.RequestInfo(asked.url, asked.method, CIMultiDictProxy(CIMultiDict()), asked.real_url)
    error.args = ()


def _stay_here() -> aiohttp.TraceConfig:
    """Refuse redirects where aiohttp follows them unasked: at the handshake of a WebSocket."""

    async def refuse(*_: object) -> None:
        raise aiohttp.RedirectClientError("not followed")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace
