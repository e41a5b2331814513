"""A line spoken over Fish Audio's WebSocket: one connection, one line. Knows the events, and no fields of a request.

Source: https://docs.fish.audio, AsyncAPI of /v1/tts/live. Each frame is one MessagePack map.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import aiohttp
import ormsgpack

from bot.errors import ProviderError
from bot.providers.ahead import read_ahead
from bot.providers.base import AudioStream, Encoding
from bot.providers.faults import Account, DeclinedError, Refusal, understand
from bot.providers.fish._questions import LiveLine
from bot.providers.fish._refusals import read_refusal, read_words
from bot.providers.http import Http, declined
from bot.providers.sound import open_sound

log = logging.getLogger(__name__)

Doubt = Callable[[], Awaitable[None]]
"""Raises `not_found` where there is no such voice."""

_PATH = "/v1/tts/live"
_MOST_FRAME = 32_000_000


class _GivenUpError(ProviderError):
    """It ended a line without a reason."""


def speak_live(
    http: Http, line: LiveLine, *, asked: Encoding, rate: int, party: int, doubt: Doubt
) -> AbstractAsyncContextManager[AudioStream]:
    """Speak a line; entered when its first sound is there. Its place is given back when all of it has arrived.

    Before the first sound it is said again where the service refused or gave up, never where it just went away.
    The service gives up without a reason: `doubt` is asked whether the voice is to blame.
    """
    return read_ahead(_Talk(http, line, asked=asked, rate=rate).speak(party, doubt))


class _Talk:
    """Owns whether the line was said on the connection that was tried last."""

    def __init__(self, http: Http, line: LiveLine, *, asked: Encoding, rate: int) -> None:
        self._http = http
        self._line = line
        self._asked: Encoding = asked
        self._rate = rate
        self._said = False

    @asynccontextmanager
    async def speak(self, party: int, doubt: Doubt) -> AsyncIterator[AudioStream]:
        """Hold a place, and speak."""
        async with self._http.limiter.turn(party), AsyncExitStack() as stack:
            yield await self._http.insist(stack, lambda: self._attempt(doubt), spent=self._spent)

    def _spent(self, error: ProviderError) -> bool:
        return self._said and not declined(error)

    @asynccontextmanager
    async def _attempt(self, doubt: Doubt) -> AsyncIterator[AudioStream]:
        async with AsyncExitStack() as inner:
            try:
                stream = await inner.enter_async_context(self._sound())
            except _GivenUpError:
                await doubt()
                raise
            yield stream

    @asynccontextmanager
    async def _sound(self) -> AsyncIterator[AudioStream]:
        http, self._said = self._http, False
        async with _connected(http, self._line.headers) as socket:
            self._said = True
            await _say(http, socket, self._line.frames)
            sound = _chunks(http, socket)
            async with open_sound(sound, account=http.account, asked=self._asked, rate=self._rate) as stream:
                yield stream


@asynccontextmanager
async def _connected(http: Http, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a connection; leaving closes it at once, whatever is still on its way."""
    refusal: Refusal | None = None
    with http.translated():
        try:
            address = "ws" + http.url(_PATH).removeprefix("http")
            async with asyncio.timeout(http.patience.connect + http.patience.first_byte):
                socket = await http.session.ws_connect(address, headers=headers, max_msg_size=_MOST_FRAME)
        except aiohttp.WSServerHandshakeError as error:
            # of the error itself nothing is kept: it holds our headers, and so the key
            refusal = Refusal(status=error.status, headers=error.headers or {})
    if refusal is not None:
        log.info("%s refused a connection: HTTP %d", http.account.label, refusal.status)
        http.heed(refusal.headers)
        raise understand(refusal, http.account, read_refusal)
    try:
        yield socket
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                await socket.close()


async def _say(http: Http, socket: aiohttp.ClientWebSocketResponse, frames: tuple[bytes, ...]) -> None:
    # where the service has hung up, what it said before tells more
    with http.translated(), suppress(ConnectionResetError):
        async with asyncio.timeout(http.patience.first_byte):
            for frame in frames:
                await socket.send_bytes(frame)


async def _chunks(http: Http, socket: aiohttp.ClientWebSocketResponse) -> AsyncGenerator[bytes]:
    heard, patience = False, http.patience.first_byte
    while True:
        try:
            with http.translated(heard=heard):
                async with asyncio.timeout(patience):
                    chunk = await _next(http, socket)
        except ProviderError as error:
            if heard and error.retryable:
                raise http.account.broke_off(error.kind) from error
            raise
        if chunk is None:
            return
        yield chunk
        heard, patience = True, http.patience.between


async def _next(http: Http, socket: aiohttp.ClientWebSocketResponse) -> bytes | None:
    """Wait for the next sound; None where the line is over."""
    while True:
        message = await socket.receive()
        match message.type:
            case aiohttp.WSMsgType.BINARY:
                event = _event(message.data, http.account)
            case aiohttp.WSMsgType.TEXT:
                continue
            case _:
                raise http.account.fault("network")
        match event:
            case {"event": "audio", "audio": bytes(sound)} if sound:
                return sound
            case {"event": "finish", "reason": "stop"}:
                return None
            case {"event": "finish" | "error"}:
                raise _complaint(event, http) from DeclinedError()
            case _:
                continue


def _event(data: bytes, account: Account) -> Mapping[Any, Any]:
    try:
        event = ormsgpack.unpackb(data)
    except ormsgpack.MsgpackDecodeError as error:
        raise account.fault("server") from error
    if not isinstance(event, Mapping):
        raise account.fault("server")
    return event


def _complaint(event: Mapping[Any, Any], http: Http) -> ProviderError:
    """Understand why it gives up."""
    log.info("%s gave up on a line", http.account.label)
    places = event.get("max_concurrency")
    if isinstance(places, int):
        http.limiter.resize(places)
    words = f"{event.get('error', '')} {event.get('message', '')}".casefold()
    understood = read_words(words, http.account)
    return understood or _GivenUpError(str(http.account.fault("server")), kind="server")
