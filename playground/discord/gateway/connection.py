"""One websocket of the gateway: frames in and out, compressed where the client asks. Knows no state of Discord."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import WSMsgType, web

from playground.discord.wire import JsonObject, WireError, as_object, parse, render


class Connection:
    """Owns the websocket and its queue of outgoing frames."""

    def __init__(self, socket: web.WebSocketResponse, *, compressed: bool) -> None:
        self._socket = socket
        self._deflate = zlib.compressobj() if compressed else None
        self._queue: asyncio.Queue[JsonObject | int] = asyncio.Queue()
        self._closing = False

    def send(self, frame: JsonObject) -> None:
        """Queue a frame."""
        self._queue.put_nowait(frame)

    def close(self, code: int) -> None:
        """Close the websocket after what is queued."""
        self._closing = True
        self._queue.put_nowait(code)

    @property
    def farewell(self) -> int | None:
        """The code with which the client closed; None where it did not, or was closed itself."""
        return None if self._closing else self._socket.close_code

    async def write(self) -> None:
        """Send what is queued until the websocket is closed."""
        with suppress(ConnectionError):
            while True:
                item = await self._queue.get()
                if isinstance(item, int):
                    await self._socket.close(code=item)
                    return
                text = render(item)
                if self._deflate is None:
                    await self._socket.send_str(text)
                else:
                    data = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
                    await self._socket.send_bytes(data)

    async def read(self) -> AsyncIterator[JsonObject]:
        """Yield the client's frames until it is gone; what is not JSON closes with 4002."""
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                yield as_object(parse(message.data))
            except WireError:
                self.close(4002)
