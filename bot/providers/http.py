"""One way to ask a voice service, one way to fail, one retry.

Knows HTTP. Does not know any service's routes or fields: those are the dialects'.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from types import TracebackType
from typing import Self

import aiohttp
from pydantic import SecretStr

from bot.errors import ProviderError
from bot.providers.ahead import read_ahead
from bot.providers.base import AudioStream, Encoding
from bot.providers.faults import Account, DeclinedError, Reading, Refusal, understand
from bot.providers.limiter import Limiter
from bot.providers.patience import Patience, Tries
from bot.providers.question import Question, Reply
from bot.providers.sessions import Sessions, forget_headers
from bot.providers.sound import is_text, open_sound

log = logging.getLogger(__name__)

_MOST_REPLY = 8_000_000
_CONCURRENCY = "ratelimit-limit-concurrency"
_MOST_DIGITS = 4


class Http:
    """Owns the sessions of one account: its key, its places, its patience.

    The key goes as a bearer token (RFC 6750), or in `key_header` where the service has a header of its own.
    """

    def __init__(
        self,
        account: Account,
        base_url: str,
        key: SecretStr | None,
        *,
        reading: Reading,
        key_header: str | None = None,
        patience: Patience | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self.account = account
        self.limiter = limiter or Limiter()
        self.patience = patience or Patience()
        self._base_url = base_url
        self._reading = reading
        self._sessions = Sessions(_credentials(key, key_header), self._timeout(self.patience.first_byte))

    async def __aenter__(self) -> Self:
        await self._sessions.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._sessions.__aexit__(kind, error, traceback)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session."""
        return self._sessions.pick()

    def url(self, path: str) -> str:
        """Give the whole address of a path."""
        return self._base_url + path

    async def ask(self, question: Question) -> Reply:
        """Ask, and try again where that may help and costs nothing twice."""
        async with self.limiter.turn(question.party):
            tries = Tries(self.patience, self.account.label)
            while True:
                try:
                    return await self._exchange(question)
                except ProviderError as error:
                    await tries.wait(error, spent=_spent(question, error))

    async def ask_beside(self, question: Question) -> Reply:
        """Ask once, and take no place of the account's: for whoever holds one."""
        return await self._exchange(question)

    async def ask_once(self, question: Question) -> Reply:
        """Ask for something that must not be asked for twice. Raises `unknown_outcome` where the answer was lost."""
        patience = self.patience.create
        async with self.limiter.turn(question.party):
            try:
                async with asyncio.timeout(patience):
                    return await self._exchange(question, answer_within=patience, fresh=True)
            except TimeoutError as error:
                raise self.account.fault("unknown_outcome") from error
            except ProviderError as error:
                lost = error.kind == "server" or (error.kind == "network" and not _unsent(error))
                if lost:
                    raise self.account.fault("unknown_outcome") from error
                raise

    def speak(
        self, question: Question, *, asked: Encoding, rate: int = 44_100
    ) -> AbstractAsyncContextManager[AudioStream]:
        """Ask for sound; entered when its first bytes are there. Tries again before that, and never after it.

        Its place is given back when all of it has arrived, heard or not.
        """
        return read_ahead(self._speak(question, asked=asked, rate=rate))

    @asynccontextmanager
    async def _speak(self, question: Question, *, asked: Encoding, rate: int) -> AsyncIterator[AudioStream]:
        async with self.limiter.turn(question.party), AsyncExitStack() as stack:
            yield await self.insist(
                stack,
                lambda: self._sound(question, asked=asked, rate=rate),
                spent=lambda error: _spent(question, error),
            )

    async def insist(
        self,
        stack: AsyncExitStack,
        attempt: Callable[[], AbstractAsyncContextManager[AudioStream]],
        *,
        spent: Callable[[ProviderError], bool],
    ) -> AudioStream:
        """Enter what may fail on its way in, again where that may help and was not `spent`; the stack closes it."""
        tries = Tries(self.patience, self.account.label)
        while True:
            try:
                return await stack.enter_async_context(attempt())
            except ProviderError as error:
                await tries.wait(error, spent=spent(error))

    @asynccontextmanager
    async def _sound(self, question: Question, *, asked: Encoding, rate: int) -> AsyncIterator[AudioStream]:
        async with (
            self._respond(question) as response,
            open_sound(self._chunks(response), account=self.account, asked=asked, rate=rate) as stream,
        ):
            yield stream

    async def _chunks(self, response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
        if is_text(response.content_type):
            raise understand(await self._refusal(response), self.account, self._reading)
        heard, patience = False, self.patience.first_byte
        while True:
            with self.translated(heard=heard):
                async with asyncio.timeout(patience):
                    chunk = await response.content.readany()
            if not chunk:
                return
            yield chunk
            heard, patience = True, self.patience.between

    async def _exchange(self, question: Question, *, answer_within: float | None = None, fresh: bool = False) -> Reply:
        patience = answer_within or self.patience.first_byte
        async with self._respond(question, answer_within=patience, fresh=fresh) as response:
            return Reply(status=response.status, body=await self._whole(response, within=patience))

    @asynccontextmanager
    async def _respond(
        self, question: Question, *, answer_within: float | None = None, fresh: bool = False
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request; entered with an answer of 2xx."""
        patience = answer_within or self.patience.first_byte
        request = self._sessions.pick(fresh=fresh).request(
            question.method,
            self.url(question.path),
            params=question.params,
            headers=question.all_headers(),
            data=question.body(),
            timeout=self._timeout(patience),
            # an answer from elsewhere would be given our key
            allow_redirects=False,
        )
        async with AsyncExitStack() as stack:
            with self.translated():
                # a head may trickle too, and a body that is sent be taken at no pace
                async with asyncio.timeout(self.patience.create + patience):
                    response = await stack.enter_async_context(request)
            self.heed(response.headers)
            if not 200 <= response.status < 300:
                refused = understand(await self._refusal(response), self.account, self._reading)
                raise refused from DeclinedError() if response.status >= 500 else None
            yield response

    def heed(self, headers: Mapping[str, str]) -> None:
        """Follow what the service says of its places."""
        allowed = headers.get(_CONCURRENCY, "")
        if len(allowed) <= _MOST_DIGITS and allowed.isdecimal() and int(allowed) != self.limiter.limit:
            log.info("%s allows %s requests at once", self.account.label, allowed)
            self.limiter.resize(int(allowed))

    async def _refusal(self, response: aiohttp.ClientResponse) -> Refusal:
        log.info("%s refused: HTTP %d", self.account.label, response.status)
        try:
            body = await self._whole(response, within=self.patience.between)
        except ProviderError as error:
            # its status was said already
            log.info("%s did not say why it refused (%s)", self.account.label, error.kind)
            body = b""
        return Refusal(status=response.status, headers=dict(response.headers), body=body)

    async def _whole(self, response: aiohttp.ClientResponse, *, within: float) -> bytes:
        """Read a short answer, in so many seconds however it trickles."""
        body = b""
        with self.translated():
            async with asyncio.timeout(within):
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > _MOST_REPLY:
                        raise self.account.fault("server")
        return body

    @contextmanager
    def translated(self, *, heard: bool = False) -> Iterator[None]:
        """Say in a member's words what the network did, before or after sound was heard."""
        try:
            yield
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if isinstance(error, aiohttp.ClientResponseError):
                forget_headers(error)
            raise (self.account.broke_off() if heard else self.account.fault("network")) from error

    def _timeout(self, answer_within: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=None, sock_connect=self.patience.connect, sock_read=answer_within)


def _credentials(key: SecretStr | None, header: str | None) -> dict[str, str]:
    if key is None:
        return {}
    secret = key.get_secret_value()
    return {header: secret} if header else {"Authorization": f"Bearer {secret}"}


def declined(error: ProviderError) -> bool:
    """Say whether the service surely did nothing: it said that it is busy or failed, or it was never reached."""
    return error.kind == "rate_limited" or isinstance(error.__cause__, DeclinedError) or _unsent(error)


def _spent(question: Question, error: ProviderError) -> bool:
    """Say whether a request that failed may have been paid for, and would be again."""
    return not (question.repeatable or declined(error))


def _unsent(error: ProviderError) -> bool:
    """Say whether a request surely did not arrive."""
    return isinstance(error.__cause__, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
