"""Packets between the event loop, which makes them, and the pacer's thread, which takes one every 20 ms.

A line is kept sentence by sentence: the one that is being said can be said again from its beginning.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence

SILENCE = b"\xf8\xff\xfe"
"""One 20 ms Opus frame of silence (RFC 6716; Discord's voice documentation, "Voice Data Interpolation")."""
PAUSE = 10
"""Frames of silence (0.2 s) between two sentences, which voices end in less of; one keeps the join from clicking."""
CAPACITY = 500
"""Packets of a sentence kept ready: 10 s. What is not yet made when somebody says stop is never paid for."""
LEAST_HEAD, MOST_HEAD = 8, 20
"""Packets to have in hand before the first is played, or played again after a gap: 160 ms, up to 400 ms where a maker
is known to lag."""
WELL_UNDER_WAY = 50
"""Packets (1 s) of a sentence that were heard when the next may be begun, although this one is not all there."""
DOUBTFUL = PAUSE + 1
"""Frames (0.22 s) before a session is known to have ended, in which what was sent may have gone nowhere. A sentence
that ended in them is said again: nothing of the next was."""
_STRIDE = 25
"""Packets taken after which those who wait for that look again."""


class Head:
    """How much is to be in hand before anything is played: more where the makers lagged lately. Owns that memory."""

    def __init__(self) -> None:
        self.packets = LEAST_HEAD

    def learn(self, underruns: int) -> None:
        """Take note of how a line went: twice as much after one that lagged, less again after one that did not."""
        wanted = self.packets * 2 if underruns else self.packets - 2
        self.packets = max(LEAST_HEAD, min(MOST_HEAD, wanted))


class Sentence:
    """Owns the packets of one sentence as they are made."""

    __slots__ = ("packets", "room", "under_way", "whole")

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.whole = False
        """Nothing follows."""
        self.under_way = asyncio.Event()
        """It is all there, or well under way to its listeners."""
        self.room = asyncio.Event()


class LineBuffer:
    """Owns the packets of one line. `take` belongs to the pacer's thread, the rest to the event loop's.

    `primed` is called whenever there is something to play again; `reached` with the number of sentences said whole.
    Both are called in the event loop.
    """

    __slots__ = (
        "_at", "_before", "_capacity", "_doubted", "_drained", "_dry", "_ended", "_head", "_last", "_lock", "_loop",
        "_number", "_on_primed", "_on_reached", "_pause", "_primed", "_said", "_sentences", "_since", "_stride",
    )  # fmt: skip

    def __init__(
        self,
        *,
        start: int = 0,
        capacity: int = CAPACITY,
        head: int = LEAST_HEAD,
        primed: Callable[[], None] = lambda: None,
        reached: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._capacity = capacity
        self._head = min(head, capacity)
        self._on_primed, self._on_reached = primed, reached
        self._loop = asyncio.get_running_loop()
        self._sentences: deque[Sentence] = deque()
        """From the one being said on."""
        self._doubted: deque[tuple[int, Sentence]] = deque()
        """Sentences that were said, each with its number, and are not known to have been heard."""
        self._lock = threading.Lock()
        """Held where sentences are doubted no more, or said again."""
        self._number = start
        """Of the one being said."""
        self._at = 0
        """Packets of it that were handed out."""
        self._said = 0
        """Packets of those before it."""
        self._stride = max(1, min(_STRIDE, capacity // 4))
        self._pause = 0
        self._before: Sentence | None = None
        """The one that was said last."""
        self._since = 0
        """Frames for which there was nothing of a sentence to hand out since then."""
        self._dry = True
        self._ended = False
        self._last = False
        self._primed = asyncio.Event()
        self._drained = asyncio.Event()

    @property
    def taken(self) -> int:
        """Packets handed out; those that were said again count once."""
        return self._said + self._at

    @property
    def number(self) -> int:
        """The sentence that is being said, or is to be said first."""
        return self._number

    @property
    def doubts(self) -> bool:
        """Whether a sentence was said that is not known to have been heard, or ended just now."""
        return bool(self._doubted) or (self._before is not None and self._since + self._at < DOUBTFUL)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to play now."""
        return not any(sentence.packets for sentence in self._sentences)

    @property
    def ahead(self) -> int:
        """Packets that are there and not yet handed out."""
        return sum(len(sentence.packets) for sentence in self._sentences) - self._at

    def begin(self) -> Sentence:
        """Take up the next sentence."""
        sentence = Sentence()
        self._sentences.append(sentence)
        return sentence

    async def put(self, sentence: Sentence, *packets: bytes) -> None:
        """Add packets, waiting for room. Empty ones are dropped: to a player they mean the end."""
        for packet in filter(None, packets):
            while self._is_full(sentence):
                self._tell_primed()
                sentence.room.clear()
                if self._is_full(sentence):
                    await sentence.room.wait()
            sentence.packets.append(packet)
        self._tell_primed()

    def complete(self, sentence: Sentence) -> None:
        """Say that a sentence is all there."""
        sentence.whole = True
        sentence.under_way.set()
        self._tell_primed()

    def end(self) -> None:
        """Say that nothing follows: neither a sentence nor the rest of one."""
        self._ended = True
        for sentence in self._sentences:
            sentence.whole = True
        self._tell_primed()

    def stop_after_sentence(self) -> None:
        """Hand out no more than the sentence that is being said."""
        self._last = True
        self._tell_primed()

    def rewind(self) -> None:
        """Say the present sentence again from its beginning, and the one before where its end may not have been heard.

        Belongs to whoever takes, or to anybody if nobody does.
        """
        before, self._before = self._before, None
        if before is not None and self._since + self._at < DOUBTFUL:
            self._sentences.appendleft(before)
            self._number -= 1
            self._said -= len(before.packets)
        self._at, self._pause, self._dry = 0, 0, True

    def recall(self) -> None:
        """Say again, from its beginning, the first sentence that is not known to have been heard. As `rewind`."""
        with self._lock:
            doubted, self._doubted = self._doubted, deque()
        if not any(sentence.packets for _, sentence in doubted):
            self.rewind()
            return
        self._number = doubted[0][0]
        for _, sentence in reversed(doubted):
            self._sentences.appendleft(sentence)
            self._said -= len(sentence.packets)
        self._before, self._at, self._pause, self._dry = None, 0, 0, True

    def trust(self) -> int:
        """Take all sentences that were said for heard; return how many those are, with those before the start."""
        with self._lock:
            while self._doubted and self._doubted[0][0] < self._number:
                self._doubted.popleft()
            return self._number

    async def primed(self) -> None:
        """Wait until there is enough to start with, or nothing more to come."""
        await self._primed.wait()

    async def drained(self, packets: int) -> None:
        """Wait until no more than so many packets are ahead of what is heard."""
        while self.ahead > packets:
            self._drained.clear()
            await self._drained.wait()

    def take(self) -> bytes | None:
        """Hand out the next packet, `b""` after the last, None while the maker lags behind. Never waits."""
        if self._at and not self._dry:  # as for nearly every packet
            sentence = self._sentences[0]
            if self._at < len(sentence.packets):
                return self._hand_out(sentence)
        if self._dry and not self._ready():
            self._since += 1
            return None
        if self._pause:
            self._pause -= 1
            self._since += 1
            return SILENCE
        while self._sentences and not self._is_over():
            sentence = self._sentences[0]
            if self._at < len(sentence.packets):
                self._dry = False
                return self._hand_out(sentence)
            if not sentence.whole:
                break
            self._finish()
            if not self._is_over():
                self._pause = PAUSE - 1
                self._since += 1
                return SILENCE
        self._dry = True
        self._since += 1
        return b"" if self._is_over() else None

    def take_on(self, most: int) -> Sequence[bytes]:
        """Hand out up to so many packets that follow the one that was taken, where that was not between sentences."""
        if not self._at or self._dry:
            return ()
        sentence, at = self._sentences[0], self._at
        following = sentence.packets[at : at + most]
        self._go(sentence, len(following))
        return following

    def _hand_out(self, sentence: Sentence) -> bytes:
        at = self._at
        self._go(sentence, 1)
        return sentence.packets[at]

    def _go(self, sentence: Sentence, packets: int) -> None:
        before = self._at
        self._at = at = before + packets
        if at // self._stride != before // self._stride:
            self._loop.call_soon_threadsafe(self._take_note, sentence)

    def _take_note(self, sentence: Sentence) -> None:
        """Let those go on who wait for a sentence to get somewhere."""
        said = self._said_of(sentence)
        if said >= WELL_UNDER_WAY:
            sentence.under_way.set()
        if len(sentence.packets) - said <= self._capacity // 2:
            sentence.room.set()
        self._drained.set()

    def _finish(self) -> None:
        """Go on to the next sentence."""
        sentence = self._sentences.popleft()
        if sentence.packets:
            self._before, self._since = sentence, 0
        self._doubted.append((self._number, sentence))
        at, self._at = self._at, 0
        self._said += at
        self._number += 1
        self._loop.call_soon_threadsafe(self._on_reached, self._number)
        self._loop.call_soon_threadsafe(self._drained.set)

    def _ready(self) -> bool:
        """Whether there is enough to go on with."""
        if not self._sentences:
            return self._is_over()
        sentence = self._sentences[0]
        return sentence.whole or len(sentence.packets) - self._at >= self._head or self._is_over()

    def _is_over(self) -> bool:
        return (self._ended and not self._sentences) or (self._last and not self._at)

    def _is_full(self, sentence: Sentence) -> bool:
        return len(sentence.packets) - self._said_of(sentence) >= self._capacity

    def _said_of(self, sentence: Sentence) -> int:
        return self._at if self._sentences and self._sentences[0] is sentence else 0

    def _tell_primed(self) -> None:
        if self._dry and (self._ready() or self._ended):
            self._primed.set()
            self._on_primed()
