"""What arrived: gaps, losses and doubles, out of the notes that a tap took of every packet."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LATE_MS = 40.0
"""A gap longer than this: the packet came more than 20 ms late."""
_SILENCE_SIZE = 35
"""Bytes of a silence frame, which is not encrypted end to end: RTP header, three bytes, tag, nonce."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What is to be said of all channels together."""

    channels: int
    """How many were heard at all."""
    received: int
    """Packets of speech, each counted once."""
    doubled: int
    holes: int
    """Sequence numbers between a channel's first and last that never came."""
    gaps_ms: NDArray[np.float64]
    """Between one packet of speech and the next of the same channel, within the time looked at.

    None where silence frames came between: so does a line end.
    """

    @property
    def late(self) -> int:
        """Packets that came more than 20 ms late."""
        return int((self.gaps_ms > LATE_MS).sum())

    def quantile(self, share: float) -> float | None:
        """Return the gap that this share of gaps is not longer than."""
        return round(float(np.quantile(self.gaps_ms, share)), 2) if self.gaps_ms.size else None


def analyse(notes: NDArray[Any], *, begin: float, end: float) -> Arrivals:
    """Sort the notes by channel; gaps are those of speech between `begin` and `end`, on the real-time clock."""
    received = doubled = holes = channels = 0
    gaps = [np.zeros(0)]
    ordered = notes[np.lexsort((notes["arrived"], notes["ssrc"]))]
    for own in np.split(ordered, np.flatnonzero(np.diff(ordered["ssrc"])) + 1):
        if not own.size:
            continue
        numbers = _unwrap(own["sequence"])
        fresh = np.zeros(own.size, dtype=bool)
        fresh[np.unique(numbers, return_index=True)[1]] = True
        speech = own["size"] > _SILENCE_SIZE
        channels += 1
        received += int((fresh & speech).sum())
        doubled += int((~fresh).sum())
        holes += int(numbers.max() - numbers.min() + 1 - fresh.sum())
        at, spoken = own["arrived"][fresh] / 1e6, speech[fresh] & _within(own["arrived"][fresh] / 1e9, begin, end)
        gaps.append(np.diff(at)[spoken[1:] & spoken[:-1]])
    return Arrivals(channels, received, doubled, holes, np.concatenate(gaps))


def _within(times: NDArray[np.float64], begin: float, end: float) -> NDArray[np.bool_]:
    return (times >= begin) & (times < end)


def _unwrap(sequence: NDArray[Any]) -> NDArray[np.int64]:
    """Make RTP's 16-bit sequence numbers go on counting."""
    return np.unwrap(sequence.astype(np.int64), period=1 << 16).astype(np.int64)
