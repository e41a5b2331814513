"""What a player reads of a line: silence first, then its packets, then the end. Knows no connection."""

from collections.abc import Callable, Sequence

from bot.playback.buffer import DOUBTFUL, SILENCE, LineBuffer

LEAD = 10
"""Frames of silence before the first word, 200 ms: listeners lose the first sound of a speaker who just began."""
PATIENCE = 500
"""Frames in a row (10 s) to hold the line back while it could not be heard, before giving it up."""
END = DOUBTFUL
"""Frames of silence after the last word, in which it shows whether that was still heard."""
LULL = 25
"""Frames of silence (0.5 s) that smooth over a maker's lag, or end what is paused, before nothing is sent at all."""


class Lead:
    """Silence that goes before whatever will be said."""

    def __init__(self) -> None:
        self._left = LEAD

    def read(self) -> bytes:
        """Hand out the next 20 ms, `b""` at the end."""
        self._left -= 1
        return SILENCE if self._left >= 0 else b""


class OpusSource:
    """Feeds one line to a player, 20 ms at a time. Owns the counts of what it handed out.

    `session` says through which session a packet sent now would be heard, None where it would not be: then the line is
    held and silence is sent. In a new session the present sentence is said again from its beginning.
    `lead`: frames of silence that go before.
    """

    __slots__ = (
        "_after", "_held", "_lead", "_lull", "_recall", "_session", "_session_now", "_take", "_take_on", "again",
        "exhausted", "paused", "underruns",
    )  # fmt: skip

    def __init__(self, buffer: LineBuffer, session: Callable[[], int | None], *, lead: int = LEAD) -> None:
        self._take, self._take_on, self._recall = buffer.take, buffer.take_on, buffer.recall
        self._session_now = session
        self._session = session()
        self._lead = lead
        self._held = 0
        self._after = 0
        """Frames of silence sent since the end."""
        self._lull = LULL
        """Frames of silence sent in a row where there was nothing to say; none before the first word."""
        self.paused = False
        """While it is, nothing is taken from the line."""
        self.again = False
        """Say the present sentence again from its beginning."""
        self.underruns = 0
        """Frames of silence sent because the maker lagged behind."""
        self.exhausted = False
        """The line was handed out to its end."""

    @property
    def speaking(self) -> bool:
        """Whether something should be heard: a line is handed out, or held because it could not be heard."""
        return not self.paused and (self._lull < LULL or self._held > 0)

    def read(self) -> bytes | None:
        """Hand out the next 20 ms, `b""` at the end, None where there is nothing for now. Never waits."""
        if self._lead > 0:
            self._lead -= 1
            return SILENCE
        if self.paused:
            return self._rest()
        session = self._session_now()
        if session is None:
            self._held += 1
            return SILENCE if self._held <= PATIENCE else b""
        self._held = 0
        if self.again or session != self._session:
            self.again, self._session = False, session
            self._recall()
        packet = self._take()
        if packet:
            self._lull = self._after = 0
            return packet
        if packet is None:
            self.underruns += self._lull < LULL
            return self._rest()
        return self._end()

    def read_on(self, most: int) -> Sequence[bytes]:
        """Hand out up to so many packets that follow in their sentence, where one of them was read and no silence."""
        return () if self._lull or self._held else self._take_on(most)

    def _end(self) -> bytes:
        self._after += 1
        if self._lull + self._after <= END:
            return SILENCE
        self.exhausted = True
        return b""

    def _rest(self) -> bytes | None:
        if self._lull >= LULL:
            return None
        self._lull += 1
        return SILENCE
