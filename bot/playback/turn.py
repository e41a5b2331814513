"""One line's turn: its packets are made, the channel is joined, it is played, its ticket is settled.

Knows one line and the connection it is given; not what waits behind it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import discord

from bot.errors import PlaybackError
from bot.models import PACKET_SECONDS
from bot.playback.buffer import PacketBuffer
from bot.playback.line import Line, Played, Ticket
from bot.playback.link import VoiceLink
from bot.playback.rights import label
from bot.playback.source import OpusSource

log = logging.getLogger(__name__)

STALL_SECONDS = 60.0
"""Longest wait for the next packet of a line before it is given up. For the first, who makes it knows how long."""
STOP_SECONDS = 1.0
"""Time for a player to notice that it was stopped; it needs 20 ms unless its connection is just being renewed."""


class Turn:
    """Owns one line's packets, the tasks that make and play them, and its ticket."""

    def __init__(
        self, line: Line, *, position: int, at_once: bool = False, stall_seconds: float = STALL_SECONDS
    ) -> None:
        self.line = line
        self.ticket = Ticket(position, at_once=at_once)
        self.cut_off = False
        """The connection ended in the middle, and nobody here wanted that."""
        self._stall_seconds = stall_seconds
        self._buffer = PacketBuffer()
        self._making: asyncio.Task[None] | None = None
        self._playing: asyncio.Task[Played] | None = None
        self._verdict: PlaybackError | None = None
        self._ended_early = False

    @property
    def over(self) -> bool:
        """Whether the line was ended early or its outcome is known."""
        return self._ended_early or self.ticket.settled

    @property
    def made(self) -> bool:
        """Whether nothing is made for the line any more."""
        return self._making is not None and self._making.done()

    @property
    def seconds(self) -> float:
        """How much of the line was handed to Discord so far."""
        return self._buffer.taken * PACKET_SECONDS

    def prepare(self, then: Callable[[], None] | None = None) -> None:
        """Start making packets, if that has not begun; `then` is called once all are made."""
        if self._making is None:
            self._making = asyncio.create_task(self._make())
        if then is not None:
            self._making.add_done_callback(lambda _task: then())

    async def take(self, join: Callable[[Line], Awaitable[VoiceLink]]) -> None:
        """Say the line and settle its ticket. Raises nothing of what went wrong: the ticket does."""
        self.prepare()
        self._playing = asyncio.create_task(self._play(join))
        try:
            await asyncio.wait((self._playing,))
        finally:
            if not self._playing.done():
                self.interrupt(PlaybackError("The line was cut off: ask again."))
                await asyncio.wait((self._playing,))
            await self.discard()
            self._settle(self._playing)

    def interrupt(self, verdict: PlaybackError | None = None) -> None:
        """End the line early: with a reason for its ticket, or as stopped by somebody.

        A ticket that waits is settled at once, one whose turn it is when the player is still.
        """
        if self.over:
            return
        self._ended_early, self._verdict = True, verdict
        if self._playing is not None:
            self._playing.cancel()
        elif verdict is not None:
            self.ticket.reject(verdict)
        else:
            self.ticket.settle(Played(packets=0, stopped=True))

    async def discard(self) -> None:
        """Stop making packets, and wait until whoever makes them has let go."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait((self._making,))
            if not self._making.cancelled():
                self._making.exception()  # seen: a line that is over has no other fault to tell

    async def _make(self) -> None:
        try:
            async with self.line.open() as packets:
                packet = await anext(packets, None)
                while packet is not None:
                    await self._buffer.put(packet)
                    packet = await self._next(packets)
        finally:
            self._buffer.end()

    async def _next(self, packets: AsyncIterator[bytes]) -> bytes | None:
        try:
            async with asyncio.timeout(self._stall_seconds):
                return await anext(packets, None)
        except TimeoutError as error:
            raise PlaybackError("The voice fell silent in the middle: ask again.") from error

    async def _play(self, join: Callable[[Line], Awaitable[VoiceLink]]) -> Played:
        self._raise_fault_of_nothing()
        link = await join(self.line)
        if self._ended_early:  # asyncio.wait_for, by which discord.py joins, may swallow a cancellation (Python 3.11)
            raise asyncio.CancelledError
        await self._buffer.primed()
        self._raise_fault_of_nothing()
        if not len(self._buffer):
            raise PlaybackError("The voice made no sound of this: try other words.")
        source = OpusSource(self._buffer, lambda: link.audible)
        error = await _play_out(link, source)
        if source.underruns:
            log.info("A line lagged by %d frames", source.underruns)
        if error is not None:
            raise PlaybackError(f"Playing in {label(link.channel)} failed: ask again.") from error
        if not source.exhausted:
            self.cut_off = True
            raise PlaybackError(f"I was disconnected from {label(link.channel)} in the middle of the line: ask again.")
        self._raise_fault()
        return Played(packets=self._buffer.taken, stopped=False)

    def _raise_fault_of_nothing(self) -> None:
        """Raise what went wrong where no sound came of it: what did come is played first."""
        if not len(self._buffer):
            self._raise_fault()

    def _raise_fault(self) -> None:
        """Raise what making the packets raised, if it is over."""
        if self._making is not None and self.made:
            self._making.result()

    def _settle(self, playing: asyncio.Task[Played]) -> None:
        if self._ended_early:
            if self._verdict is None:
                self.ticket.settle(Played(packets=self._buffer.taken, stopped=True))
            else:
                self.ticket.reject(self._verdict)
        elif playing.cancelled():
            self.ticket.reject(PlaybackError("The line was cut off: ask again."))
        elif (error := playing.exception()) is not None:
            self.ticket.reject(error)
        else:
            self.ticket.settle(playing.result())


async def _play_out(link: VoiceLink, source: discord.AudioSource) -> Exception | None:
    """Play a source to its end, and return what the player failed with. Cancelled, it leaves no player behind."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Exception | None] = loop.create_future()
    link.play(source, after=lambda error: loop.call_soon_threadsafe(_finish, ended, error))
    try:
        await asyncio.wait((ended,))
    finally:
        if not ended.done():
            link.stop()
            await asyncio.wait((ended,), timeout=STOP_SECONDS)
    return ended.result()


def _finish(ended: asyncio.Future[Exception | None], error: Exception | None) -> None:
    ended.set_result(error)
