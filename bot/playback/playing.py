"""A source that plays in a connection, and is watched: to its end, or until what it says is not heard.

Knows no line: it is told by whoever plays it what is due.
"""

import asyncio
import logging
from collections.abc import Callable

from bot.errors import PlaybackError
from bot.playback.health import LOOKS, Symptom, Watchdog
from bot.playback.link import VoiceLink
from bot.playback.player import PacketSource
from bot.playback.source import OpusSource

log = logging.getLogger(__name__)

STOP_SECONDS = 1.0
"""Time for a player to notice that it was stopped; it needs 20 ms."""
HOLD_SECONDS = 600.0
"""Longest time a line is held for somebody who paused it or muted the bot."""


class Playing:
    """Owns what was seen of a connection while a source played in it."""

    def __init__(
        self, link: VoiceLink, source: OpusSource, *, heard: Callable[[], None], unheard_seconds: float
    ) -> None:
        """`heard` is called whenever all that was said so far can be taken for heard."""
        self._link = link
        self._source = source
        self._look_seconds = unheard_seconds / LOOKS
        self._watchdog = Watchdog(link, heard=heard)
        self._sent, self._refused = link.sent, link.refused
        self.announced = False
        """Whether Discord was told that the bot speaks, as it was at the end."""
        self.symptom: Symptom | None = None
        """What kept it from being heard, once that lasted too long or to the end."""

    @property
    def sent(self) -> int:
        """Packets the network took."""
        return self._link.sent - self._sent

    @property
    def refused(self) -> int:
        """Packets the network did not take, or that nobody could have decrypted."""
        return self._link.refused - self._refused

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against it that what was said last was heard."""
        return self._watchdog.trusts

    async def run(self) -> Exception | None:
        """Play to the end, and return what the player failed with. Cancelled, it leaves no player behind.

        Raises PlaybackError where the source is held for too long.
        """
        ended = play(self._link, self._source, self._conclude)
        try:
            await self._watch(ended)
        finally:
            if not ended.done():
                self._link.stop()
                await asyncio.wait((ended,), timeout=STOP_SECONDS)
        return ended.result() if ended.done() else None

    def _conclude(self) -> None:
        self.announced = self._link.announced
        if self._source.exhausted:
            self.symptom = self._watchdog.conclude()

    async def _watch(self, ended: asyncio.Future[Exception | None]) -> None:
        """Wait for the end, or until what should be heard is not for too long."""
        held = 0.0
        while not ended.done():
            await asyncio.wait((ended,), timeout=self._look_seconds)
            if ended.done():
                return
            held = held + self._look_seconds if self._source.paused else 0.0
            if held > HOLD_SECONDS:
                raise PlaybackError("Your line was held for too long and is over: ask again.")
            self.symptom = self._watchdog.look() if self._source.speaking else None
            if self.symptom is not None:
                log.warning("What is said in a voice channel is not heard: %s", self.symptom)
                return


def play(
    link: VoiceLink, source: PacketSource, look: Callable[[], None] = lambda: None
) -> asyncio.Future[Exception | None]:
    """Start playing; what is returned is done when it ended, with what the player failed with.

    `look` is called at the end, before Discord is told that the bot is silent.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Exception | None] = loop.create_future()

    def finish(error: Exception | None) -> None:
        look()
        ended.set_result(error)

    link.play(source, after=lambda error: loop.call_soon_threadsafe(finish, error))
    return ended
