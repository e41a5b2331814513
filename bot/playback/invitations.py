"""Those who asked the bot to come to a channel and wait for it. Knows no connection."""

import asyncio
from collections.abc import Awaitable

from bot.errors import PlaybackError
from bot.playback.line import VocalChannel


class Invitations:
    """Owns the answers that are still to be given."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[VocalChannel]] = []

    def open(self) -> Awaitable[VocalChannel]:
        """Take one more; what is returned tells where the bot came to, or raises PlaybackError."""
        coming: asyncio.Future[VocalChannel] = asyncio.get_running_loop().create_future()
        self._waiting.append(coming)
        return coming

    def answer(self, answer: VocalChannel | PlaybackError) -> None:
        """Answer all of them."""
        waiting, self._waiting = self._waiting, []
        for coming in waiting:
            if coming.done():
                continue
            if isinstance(answer, PlaybackError):
                coming.set_exception(answer)
                coming.exception()  # who does not wait for the answer is no reason for asyncio to complain
            else:
                coming.set_result(answer)
