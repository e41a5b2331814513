"""Has a line made, sentence by sentence, no further ahead of its listeners than it needs to be. Knows no connection."""

import asyncio
from collections.abc import Sequence

from bot.errors import PlaybackError
from bot.models import Packets
from bot.playback.buffer import LineBuffer, Sentence
from bot.playback.line import Line

STALL_SECONDS = 60.0
"""Longest wait for the next packets of a sentence before it is given up. For the first, who makes it knows how long."""
AHEAD = 250
"""Packets (5 s) not yet heard with which no further sentence is begun: what somebody stops is not paid for."""


class Making:
    """Owns the tasks that make the sentences of one line: the one that is heard and, at most, the next."""

    def __init__(self, line: Line, buffer: LineBuffer, *, stall_seconds: float = STALL_SECONDS) -> None:
        self._line = line
        self._buffer = buffer
        self._stall_seconds = stall_seconds

    async def run(self) -> None:
        """Make every sentence, each once. Raises what opening or making one raised, after those before it."""
        filling: list[asyncio.Task[None]] = []
        try:
            last = len(self._line.sentences) - 1
            for number in range(self._line.start, last + 1):
                sentence = self._buffer.begin()
                filling.append(asyncio.create_task(self._fill(sentence, number)))
                await self._settle(filling[:-1])
                if number < last:
                    await self._wait_until_near(sentence, filling[-1])
            await self._settle(filling)
        finally:
            for task in filling:
                task.cancel()
            if filling:
                await asyncio.wait(filling)
            for task in filling:
                if not task.cancelled():
                    task.exception()  # the first fault was raised; those after it tell nothing new
            self._buffer.end()

    async def _settle(self, filling: list[asyncio.Task[None]]) -> None:
        """Wait for sentences to be all there, and raise the first fault."""
        for task in filling:
            await asyncio.wait((task,))
            task.result()

    async def _wait_until_near(self, sentence: Sentence, filling: asyncio.Task[None]) -> None:
        """Wait until the sentence after this one is worth beginning."""
        under_way = asyncio.create_task(sentence.under_way.wait())
        try:
            await asyncio.wait((under_way, filling), return_when=asyncio.FIRST_COMPLETED)
        finally:
            under_way.cancel()
        if filling.done():
            filling.result()
        await self._buffer.drained(AHEAD)

    async def _fill(self, sentence: Sentence, number: int) -> None:
        async with self._line.open(number) as packets:
            portion = await anext(packets, None)
            while portion is not None:
                await self._buffer.put(sentence, *portion)
                portion = await self._next(packets)
        self._buffer.complete(sentence)

    async def _next(self, packets: Packets) -> Sequence[bytes] | None:
        try:
            async with asyncio.timeout(self._stall_seconds):
                return await anext(packets, None)
        except TimeoutError as error:
            raise PlaybackError("The voice fell silent in the middle: ask again.") from error
