"""One line's turn: it is made, the channel is joined, it is played to its end, its ticket is settled.

A line whose connection was lost goes on at the sentence that was being said. Knows one line and the connections it is
given; not what waits behind it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.errors import PlaybackError
from bot.models import PACKET_SECONDS
from bot.playback.buffer import Head, LineBuffer
from bot.playback.line import Line, Played, Ticket, VocalChannel
from bot.playback.link import VoiceLink
from bot.playback.making import STALL_SECONDS, Making
from bot.playback.player import PacketSource
from bot.playback.rights import label
from bot.playback.source import LEAD, OpusSource

log = logging.getLogger(__name__)

STOP_SECONDS = 1.0
"""Time for a player to notice that it was stopped; it needs 20 ms."""
WATCH_SECONDS = 2.0
"""How often it is looked whether what is played really leaves."""
HOLD_SECONDS = 600.0
"""Longest time a line is held for somebody who paused it or muted the bot."""
COLD_SECONDS = 30.0
"""Without a packet for so long, listeners are taken to have to get used to the speaker again."""
BREATH = 15
"""Frames of silence (0.3 s) by which a line is set off from one that it would follow more closely."""
_SECONDS_A_LETTER = 0.065


class Turn:
    """Owns one line's packets, the tasks that make and play them, and its ticket."""

    def __init__(
        self,
        line: Line,
        *,
        position: int = 0,
        at_once: bool = False,
        head: Head | None = None,
        reached: Callable[[int], None] = lambda _: None,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self.line = line
        self.channel: VocalChannel = line.channel
        """Where it is said: where it was asked for, unless the bot was invited elsewhere meanwhile."""
        self.ticket = Ticket(position, at_once=at_once)
        self.losses = 0
        """Times its connection was lost within the present sentence."""
        self.muted = False
        """A moderator took the bot's voice: the line waits."""
        self._head = head or Head()
        self._stall_seconds = stall_seconds
        self._on_reached = reached
        self._furthest = line.start
        self._buffer = LineBuffer(start=line.start, head=self._head.packets, primed=self._wake, reached=self._take_note)
        self._link: VoiceLink | None = None
        self._source: OpusSource | None = None
        self._paused = False
        self._making: asyncio.Task[None] | None = None
        self._playing: asyncio.Task[Played] | None = None
        self._verdict: PlaybackError | None = None
        self._ended_early = False
        self._finishing = False

    @property
    def over(self) -> bool:
        """Whether the line was ended early or its outcome is known."""
        return self._ended_early or self.ticket.settled

    @property
    def made(self) -> bool:
        """Whether nothing is made for the line any more."""
        return self._making is not None and self._making.done()

    @property
    def paused(self) -> bool:
        """Whether somebody paused it."""
        return self._paused

    @property
    def seconds(self) -> float:
        """How much of the line was handed to Discord so far."""
        return self._buffer.taken * PACKET_SECONDS

    @property
    def expected_seconds(self) -> float:
        """How long it is: as it was made, or by its letters while that goes on."""
        if self.made:
            return self.seconds + self._buffer.ahead * PACKET_SECONDS
        return sum(map(len, self.line.sentences[self.line.start :])) * _SECONDS_A_LETTER

    @property
    def number(self) -> int:
        """The first sentence that was not said whole."""
        return self._buffer.number

    def prepare(self, then: Callable[[], None] | None = None) -> None:
        """Start making packets, if that has not begun; `then` is called once all are made."""
        if self._making is None:
            making = Making(self.line, self._buffer, stall_seconds=self._stall_seconds)
            self._making = asyncio.create_task(making.run())
        if then is not None:
            self._making.add_done_callback(lambda _task: then())

    async def take(self, join: Callable[["Turn"], Awaitable[VoiceLink]]) -> None:
        """Say the line and settle its ticket. Raises nothing of what went wrong: the ticket does.

        `join` gives a connection through which it would be heard; it is asked again where that was lost, after
        `losses` was counted up.
        """
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

    def finish_sentence(self, verdict: PlaybackError) -> None:
        """End the line after the sentence that is being said, with a reason for its ticket."""
        self._finishing, self._verdict = True, verdict
        self._buffer.stop_after_sentence()

    def pause(self, *, paused: bool) -> None:
        """Hold the line where it is, or let it go on."""
        self._paused = paused
        self._hold()

    def mute(self, *, muted: bool) -> None:
        """Hold the line while nobody could hear it; it goes on with the sentence that was cut off."""
        self.muted = muted
        if self._source is not None and not muted:
            self._source.again = True
        self._hold()

    async def discard(self) -> None:
        """Stop making packets, and wait until whoever makes them has let go."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait((self._making,))
            if not self._making.cancelled():
                self._making.exception()  # seen: a line that is over has no other fault to tell

    async def _play(self, join: Callable[["Turn"], Awaitable[VoiceLink]]) -> Played:
        while True:
            self._raise_fault_of_nothing()
            self._link = await join(self)
            if self._ended_early:  # asyncio.wait_for, by which discord.py joins, may swallow a cancellation (3.11)
                raise asyncio.CancelledError
            if await self._say(self._link):
                self._raise_fault()
                return Played(packets=self._buffer.taken, stopped=False)
            self.losses += 1
            self._buffer.rewind()

    async def _say(self, link: VoiceLink) -> bool:
        """Play what is left; whether it was said to its end, or the connection was lost."""
        now = time.monotonic()
        too_close = now - link.last_voiced < BREATH * PACKET_SECONDS
        lead = LEAD if now - link.last_sent > COLD_SECONDS else BREATH if too_close else 0
        if not lead:
            await self._buffer.primed()
            self._raise_fault_of_nothing()
        if link.parted:
            return False
        source = self._source = OpusSource(self._buffer, link.live_session, lead=lead)
        self._hold()
        error = await self._play_out(link, source)
        self._head.learn(source.underruns)
        if source.underruns:
            log.info("A line lagged by %d frames", source.underruns)
        if error is not None:
            raise PlaybackError(f"Playing in {label(link.channel)} failed: ask again.") from error
        if source.exhausted and not self._buffer.taken:
            self._raise_fault()
            if not self._finishing:
                raise PlaybackError("The voice made no sound of this: try other words.")
        return source.exhausted

    async def _play_out(self, link: VoiceLink, source: OpusSource) -> Exception | None:
        """Play a source to its end, and return what the player failed with. Cancelled, it leaves no player behind."""
        sent, refused, announced = link.sent, link.refused, False

        def look() -> None:
            nonlocal announced
            announced = link.announced

        ended = play(link, source, look)
        try:
            await self._watch(link, source, ended)
        finally:
            if not ended.done():
                link.stop()
                await asyncio.wait((ended,), timeout=STOP_SECONDS)
            so_far = self.ticket.report
            self.ticket.see(
                replace(
                    so_far,
                    announced=announced,
                    sent=so_far.sent + link.sent - sent,
                    refused=so_far.refused + link.refused - refused,
                )
            )
        return ended.result() if ended.done() else None

    async def _watch(self, link: VoiceLink, source: OpusSource, ended: asyncio.Future[Exception | None]) -> None:
        """Wait for the end, and bring it about where packets should leave and do not."""
        held = 0.0
        while True:
            before = link.sent
            await asyncio.wait((ended,), timeout=WATCH_SECONDS)
            if ended.done():
                return
            held = held + WATCH_SECONDS if source.paused else 0.0
            if held > HOLD_SECONDS:
                raise PlaybackError("Your line was held for too long and is over: ask again.")
            if link.sent == before and not source.resting:
                log.warning("Nothing leaves for a voice channel though there is something to say")
                return

    def _wake(self) -> None:
        if self._link is not None:
            self._link.wake()

    def _hold(self) -> None:
        if self._source is not None:
            self._source.paused = self._paused or self.muted
        self._wake()

    def _take_note(self, number: int) -> None:
        if number > self._furthest:  # and not one that was said again
            self._furthest, self.losses = number, 0
            self._on_reached(number)

    def _raise_fault_of_nothing(self) -> None:
        """Raise what went wrong where no sound came of it: what did come is played first."""
        if self._buffer.empty:
            self._raise_fault()

    def _raise_fault(self) -> None:
        """Raise what making the packets raised, if it is over."""
        if self._making is not None and self.made:
            self._making.result()

    def _settle(self, playing: asyncio.Task[Played]) -> None:
        if self._ended_early or (self._finishing and self.number < len(self.line.sentences)):
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


def play(
    link: VoiceLink, source: PacketSource, look: Callable[[], None] = lambda: None
) -> asyncio.Future[Exception | None]:
    """Start playing; what is returned is done when it ended, with what the player failed with.

    `look` is called at the end before Discord is told that we are silent, from the pacer's thread.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Exception | None] = loop.create_future()

    def end(error: Exception | None) -> None:
        look()
        loop.call_soon_threadsafe(ended.set_result, error)

    link.play(source, after=end)
    return ended
