"""Packets that say which they are, and what a listener's packets of one line tell: missing, twice, said again."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_TOC = b"\xf8"
"""One Opus frame of 20 ms; what follows is any sound at all."""
_MARK = b"mynah"
_PLACE = struct.Struct(">5sIHH")
_SIZE = 80


@dataclass(frozen=True, slots=True)
class Place:
    """Where a packet belongs."""

    line: int
    sentence: int
    number: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one line, in packets."""

    lost: int
    """Never heard."""
    doubled: int
    """Heard before, and not because a sentence was begun anew."""
    repeated: int
    """Heard before, as a sentence was begun anew after the connection was lost: that is how a line goes on."""


def write(place: Place) -> bytes:
    """Make the packet of a place."""
    return (_TOC + _PLACE.pack(_MARK, place.line, place.sentence, place.number)).ljust(_SIZE, b"\0")


def read(packets: Iterable[bytes]) -> Iterator[Place]:
    """Read the places of packets; those that say nothing are no one's."""
    for packet in packets:
        if packet[1:6] == _MARK and len(packet) == _SIZE:
            _, line, sentence, number = _PLACE.unpack_from(packet, 1)
            yield Place(line, sentence, number)


def judge(heard: Iterable[Place], *, sentences: int, packets: int, whole: bool, disturbed: bool) -> Verdict:
    """Judge what was heard of one line, in the order of arrival.

    `whole`: it was said to its end, else what follows the last packet heard is not missed. `disturbed`: the connection
    was lost meanwhile, so that the sentence that was being said may be said again.
    """
    seen: set[int] = set()
    previous, doubled, repeated, anew = -1, 0, 0, False
    for place in heard:
        at = place.sentence * packets + place.number
        if at <= previous:
            anew = disturbed and place.number == 0 and previous // packets == place.sentence
        repeated += at in seen and anew
        doubled += at in seen and not anew
        seen.add(at)
        previous = at
    expected = sentences * packets if whole else max(seen, default=-1) + 1
    return Verdict(expected - len(seen), doubled, repeated)
