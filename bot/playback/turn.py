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
from bot.playback.health import Symptom
from bot.playback.limits import SLOW_SECONDS, UNHEARD_SECONDS
from bot.playback.line import Line, Played, Ticket, VocalChannel
from bot.playback.link import VoiceLink
from bot.playback.making import STALL_SECONDS, Making
from bot.playback.playing import Playing
from bot.playback.rights import label
from bot.playback.source import LEAD, OpusSource

log = logging.getLogger(__name__)

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
        unheard_seconds: float = UNHEARD_SECONDS,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        self.line = line
        self.channel: VocalChannel = line.channel
        """Where it is said: where it was asked for, unless the bot was invited elsewhere meanwhile."""
        self.ticket = Ticket(position, at_once=at_once)
        self.losses = 0
        """Times its connection was lost within the present sentence."""
        self.symptom: Symptom | None = None
        """What kept it from being heard in the connection that was lost last, where that shows."""
        self.muted = False
        """A moderator took the bot's voice: the line waits."""
        self._head = head or Head()
        self._stall_seconds = stall_seconds
        self._unheard_seconds = unheard_seconds
        self._slow_seconds = slow_seconds
        self._on_reached = reached
        self._buffer = LineBuffer(start=line.start, head=self._head.packets, primed=self._wake, reached=self._take_note)
        self._heard = line.start
        """The first sentence that is not known to have been heard."""
        self._watched: Playing | None = None
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
    def stopped(self) -> bool:
        """Whether somebody ended it early, for no other reason than that."""
        return self._ended_early and self._verdict is None

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
        slow = asyncio.get_running_loop().call_later(self._slow_seconds, self._tell_slow)
        try:
            await asyncio.wait((self._playing,))
        finally:
            if not self._playing.done():
                self.interrupt(PlaybackError("The line was cut off: ask again."))
                await asyncio.wait((self._playing,))
            slow.cancel()
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
                return Played(packets=self._buffer.taken, stopped=False, channel=self.channel)
            self.losses += 1
            self._buffer.recall()

    async def _say(self, link: VoiceLink) -> bool:
        """Play what is left; whether it was said to its end, or the connection was lost, or nobody heard it."""
        now = time.monotonic()
        too_close = now - link.last_voiced < BREATH * PACKET_SECONDS
        lead = LEAD if now - link.last_sent > COLD_SECONDS else BREATH if too_close else 0
        if not lead:
            await self._buffer.primed()
            self._raise_fault_of_nothing()
        if link.parted:
            self.symptom = None
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
        if self.symptom is not None and self._finishing:
            self._buffer.recall()  # there is no time to say it again, but it was not said
            return True
        return source.exhausted and self.symptom is None

    async def _play_out(self, link: VoiceLink, source: OpusSource) -> Exception | None:
        """Play a source to its end or until it is not heard, and return what the player failed with."""
        playing = self._watched = Playing(link, source, heard=self._trust, unheard_seconds=self._unheard_seconds)
        try:
            return await playing.run()
        finally:
            # a sentence that was known to be heard before something went wrong is not said again
            self.symptom = playing.symptom if self._buffer.doubts or not source.exhausted else None
            so_far = self.ticket.report
            self.ticket.see(
                replace(
                    so_far,
                    announced=playing.announced,
                    sent=so_far.sent + playing.sent,
                    refused=so_far.refused + playing.refused,
                )
            )

    def _tell_slow(self) -> None:
        if self._link is not None and not self._buffer.taken and self._buffer.empty and not self.over:
            self.ticket.tell("The voice service is slow: your line is said as soon as it answers. /stop ends it.")

    def _wake(self) -> None:
        if self._link is not None:
            self._link.wake()

    def _hold(self) -> None:
        if self._source is not None:
            self._source.paused = self._paused or self.muted
        self._wake()

    def _take_note(self, _number: int) -> None:
        """Take a sentence that ended for heard, unless something speaks against that."""
        if self._watched is None or self._watched.trusted:
            self._trust()

    def _trust(self) -> None:
        number = self._buffer.trust()
        if number > self._heard:  # and not one that was said again
            self._heard, self.losses = number, 0
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
                self.ticket.settle(Played(packets=self._buffer.taken, stopped=True, channel=self.channel))
            else:
                self.ticket.reject(self._verdict)
        elif playing.cancelled():
            self.ticket.reject(PlaybackError("The line was cut off: ask again."))
        elif (error := playing.exception()) is not None:
            self.ticket.reject(error)
        else:
            self.ticket.settle(playing.result())
