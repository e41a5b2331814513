"""A voice websocket's heartbeats, sent from the event loop. Knows no handshake, and nothing private of discord.py."""

import asyncio
import logging
import time

from discord.gateway import DiscordVoiceWebSocket, VoiceKeepAliveHandler

log = logging.getLogger(__name__)

_SILENT_BEATS = 3
"""Heartbeats without an answer after which a connection counts as broken."""


class LoopHeart(VoiceKeepAliveHandler):
    """Keeps a voice websocket alive from the event loop. discord.py's own is a thread for each connection."""

    def __init__(self, *, ws: DiscordVoiceWebSocket, interval: float) -> None:
        super().__init__(ws=ws, interval=interval)
        self._period = interval
        self._beating: asyncio.Task[None] | None = None
        self._answered = time.perf_counter()

    def start(self) -> None:
        """Begin to beat."""
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    def ack(self) -> None:
        """Take note of an answer."""
        super().ack()
        self._answered = time.perf_counter()

    def stop(self) -> None:
        """Beat no more."""
        if self._beating is not None and self._beating is not asyncio.current_task():
            self._beating.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            try:
                if time.perf_counter() - self._answered > _SILENT_BEATS * self._period:
                    log.warning("A voice server stopped answering")
                    await self.ws.ws.close(code=4000)
                    return
                await self.ws.send_heartbeat(self.beat())
            except ConnectionResetError as error:  # aiohttp's ClientConnectionResetError among them
                log.debug("A voice websocket closed under a heartbeat: %r", error)
                return
