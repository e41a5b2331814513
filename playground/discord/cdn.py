"""The CDN: gives uploaded files at their signed addresses, well or badly. Knows no message."""

import asyncio
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from aiohttp import web

from playground.discord.refusal import RefusalError
from playground.discord.world.files import Files


@dataclass(frozen=True, slots=True)
class Refused:
    """Every download is answered with this status (403, 404, 500 ...)."""

    status: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks after so many bytes of the body."""

    after: int


@dataclass(frozen=True, slots=True)
class Slow:
    """The body comes in pieces of `piece` bytes, `pause` seconds apart."""

    piece: int
    pause: float


Trouble: TypeAlias = Refused | Cut | Slow


class Cdn:
    """Owns what is wrong with downloads (`trouble`), and how many there were."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.trouble: Trouble | None = None
        self.downloads = 0
        self._closed = asyncio.Event()

    def close(self) -> None:
        """Break off the slow downloads."""
        self._closed.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request to cdn.discordapp.com or media.discordapp.net."""
        self.downloads += 1
        if isinstance(self.trouble, Refused):
            return web.Response(status=self.trouble.status, text="This content is no longer available.")
        try:
            found = self._files.fetch(request.path, request.query)
        except RefusalError as refusal:
            return web.Response(status=refusal.status, text=refusal.message)
        headers = {"Content-Type": found.content_type or "application/octet-stream"}
        if self.trouble is None:
            return web.Response(body=found.data, headers=headers)
        response = web.StreamResponse(headers=headers)
        response.content_length = len(found.data)
        await response.prepare(request)
        await self._dribble(request, response, found.data, self.trouble)
        return response

    async def _dribble(
        self, request: web.Request, response: web.StreamResponse, data: bytes, trouble: Cut | Slow
    ) -> None:
        match trouble:
            case Cut(after):
                await response.write(data[:after])
                _break_off(request)
            case Slow(piece, pause):
                for start in range(0, len(data), piece):
                    await response.write(data[start : start + piece])
                    if await self._closes_within(pause):
                        _break_off(request)
                        return
            case _:
                assert_never(trouble)

    async def _closes_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._closed.wait()
        except TimeoutError:
            return False


def _break_off(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
