"""Sound that a service lays out at a link: fetched from the open Internet only, with nothing of ours sent along.

Knows HTTP. Does not know any service, and trusts no link: services take them from requests that strangers can make.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from bot.errors import RETRYABLE, ProviderError
from bot.providers.addresses import PrivateAddressError, PublicResolver, is_public_host
from bot.providers.base import AudioStream, Encoding
from bot.providers.faults import Account, Refusal, kind_of, understand
from bot.providers.patience import Patience, Tries
from bot.providers.sound import is_text, open_sound

log = logging.getLogger(__name__)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3


class DeadLinkError(ProviderError):
    """A link that leads nowhere good. Following it again does not help."""

    @property
    def retryable(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """What is fetched, and for whom."""

    url: str = field(repr=False)
    account: Account
    asked: Encoding
    rate: int


class Downloads:
    """Owns the session that links are fetched with: no key, no cookies, public addresses only.

    A connector that is handed in is closed with it; where it leads is then its giver's affair, and the links are still
    looked at.
    """

    def __init__(
        self,
        connector: aiohttp.BaseConnector | None = None,
        *,
        patience: Patience | None = None,
        most: int = 128_000_000,
        longest: float = 120.0,
    ) -> None:
        self._connector = connector
        self._patience = patience or Patience()
        self._most = most
        """Bytes of one download."""
        self._longest = longest
        """Seconds that one download is waited for in all; how long its listener takes is not counted."""
        self._session: aiohttp.ClientSession | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            connector = self._connector
            if connector is None:
                resolver = PublicResolver(aiohttp.DefaultResolver())
                stack.push_async_callback(resolver.close)
                connector = aiohttp.TCPConnector(limit=0, resolver=resolver)
            self._session = await stack.enter_async_context(
                aiohttp.ClientSession(
                    connector=connector,
                    # what is packed can be a thousand times as long as it seems
                    headers={"User-Agent": "Mynah", "Accept-Encoding": "identity"},
                    auto_decompress=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._patience.connect),
                )
            )
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session = None
        await self._stack.aclose()

    @asynccontextmanager
    async def open(
        self, url: str, *, account: Account, asked: Encoding, rate: int = 44_100
    ) -> AsyncIterator[AudioStream]:
        """Fetch sound; entered when its first bytes are there. Tries again before that, and never after it.

        Raises `ProviderError` (`server`, `network`, `rate_limited`, `too_large`), in which the link is never named.
        """
        errand = _Errand(url=url, account=account, asked=asked, rate=rate)
        async with AsyncExitStack() as stack:
            yield await self._insist(stack, errand)

    async def _insist(self, stack: AsyncExitStack, errand: _Errand) -> AudioStream:
        tries = Tries(self._patience, errand.account.label)
        while True:
            try:
                return await stack.enter_async_context(self._fetch(errand))
            except ProviderError as error:
                await tries.wait(error)

    @asynccontextmanager
    async def _fetch(self, errand: _Errand) -> AsyncIterator[AudioStream]:
        clock = _Clock(self._longest)
        async with AsyncExitStack() as stack:
            response = await self._follow(stack, errand, clock)
            sound = self._chunks(response, errand.account, clock)
            yield await stack.enter_async_context(
                open_sound(sound, account=errand.account, asked=errand.asked, rate=errand.rate)
            )

    async def _follow(self, stack: AsyncExitStack, errand: _Errand, clock: "_Clock") -> aiohttp.ClientResponse:
        """Go where the link leads, looking at each step before it is taken; return an answer of 2xx."""
        account, target = errand.account, _target(errand.url, errand.account)
        for _ in range(1 + _MOST_REDIRECTS):
            response = await self._get(stack, target, account, clock)
            if 200 <= response.status < 300:
                return response
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or location is None:
                raise _refused(response, account)
            response.close()
            target = _target(location, account, base=target)
        raise _forbidden(account, "it leads on and on")

    async def _get(
        self, stack: AsyncExitStack, target: URL, account: Account, clock: "_Clock"
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("downloads are not open: use `async with`")
        with _translated(account):
            async with clock.wait(self._patience.first_byte):
                return await stack.enter_async_context(self._session.get(target, allow_redirects=False))

    async def _chunks(
        self, response: aiohttp.ClientResponse, account: Account, clock: "_Clock"
    ) -> AsyncGenerator[bytes]:
        if is_text(response.content_type):
            raise account.fault("server", status=response.status)
        if (response.content_length or 0) > self._most:
            raise _too_large(account)
        size, patience = 0, self._patience.first_byte
        while True:
            with _translated(account, heard=size > 0):
                async with clock.wait(patience):
                    chunk = await response.content.readany()
            if not chunk:
                return
            size += len(chunk)
            if size > self._most:
                raise _too_large(account)
            patience = self._patience.between
            yield chunk


class _Clock:
    """Owns how long one download has been waited for."""

    def __init__(self, longest: float) -> None:
        self._left = longest

    @asynccontextmanager
    async def wait(self, longest: float) -> AsyncIterator[None]:
        """Wait for so many seconds at most, and no longer than is left in all. Raises `TimeoutError`."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(longest, self._left)):
                yield
        finally:
            self._left -= time.monotonic() - began


def _target(link: str, account: Account, *, base: URL | None = None) -> URL:
    """Read a link, relative to the one before it. Raises `DeadLinkError` for one that must not be followed."""
    link = link.strip()
    try:
        # a signature does not survive that a link is spelled anew
        target = URL(link, encoded=link.isascii() and link.isprintable() and " " not in link)
        target = target if base is None else base.join(target)
        port, host = target.port, target.raw_host
    except ValueError:
        raise _forbidden(account, "it cannot be read") from None
    if target.scheme != "https" or port != 443:
        raise _forbidden(account, "it is not https at its own port")
    if host is None or "@" in target.raw_authority:
        raise _forbidden(account, "it names no host, or a user")
    if not is_public_host(host):
        raise _forbidden(account, "its host is not public")
    return target


def _forbidden(account: Account, why: str) -> DeadLinkError:
    log.warning("a link from %s is not followed: %s", account.label, why)
    return DeadLinkError(
        f"{account.label} gave me a link that I must not follow: try again, and tell the operator if it stays.",
        kind="server",
    )


def _refused(response: aiohttp.ClientResponse, account: Account) -> ProviderError:
    """Say what a refusal means: what is gone stays gone, what is busy may be asked again."""
    log.info("a link from %s was refused: HTTP %d", account.label, response.status)
    refusal = Refusal(status=response.status, headers=dict(response.headers))
    if kind_of(refusal.status) in RETRYABLE and refusal.status >= 400:
        return understand(refusal, account, lambda *_: None)
    return DeadLinkError(str(account.fault("server", status=refusal.status)), kind="server")


def _too_large(account: Account) -> ProviderError:
    return ProviderError(f"{account.label} sends more sound than I take: say fewer words at once.", kind="too_large")


@contextmanager
def _translated(account: Account, *, heard: bool = False) -> Iterator[None]:
    """Say in a member's words what the network did; its own words hold the link."""
    try:
        yield
    except UnicodeError:
        # a name that passes for one and cannot be looked up
        raise _forbidden(account, "its host cannot be read") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        log.info("a link from %s could not be fetched: %s", account.label, type(error).__name__)
        if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, PrivateAddressError):
            raise _forbidden(account, "its host is not public") from None
        raise (account.broke_off() if heard else account.fault("network")) from None
