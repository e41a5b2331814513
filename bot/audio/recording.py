"""A recording as it is held while it is worked on. Does not know how it came to be or what it is for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
"""Samples a second, everywhere in this room."""

JOIN_PAUSE_SECONDS = 0.3

Samples: TypeAlias = NDArray[np.float32]
"""One channel at 48 kHz, -1 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Sound of one voice. Owns its samples, which nobody writes to."""

    samples: Samples

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples.size / RATE


def join(recordings: Iterable[Recording]) -> Recording:
    """Put recordings one after the other with a short pause between."""
    pause = silence(round(JOIN_PAUSE_SECONDS * RATE))
    parts: list[Samples] = []
    for recording in recordings:
        parts += [pause, recording.samples] if parts else [recording.samples]
    return Recording(chain(parts))


def silence(count: int) -> Samples:
    """Make so many samples of nothing."""
    return np.zeros(count, dtype=np.float32)


def chain(parts: Iterable[Samples]) -> Samples:
    """Put blocks of samples together, also none at all."""
    return np.concatenate([silence(0), *parts])


def pieces(samples: Samples, seconds: int = 10) -> Iterator[Samples]:
    """Walk through long sound in pieces, so that what is made on the way stays small."""
    for start in range(0, samples.size, seconds * RATE):
        yield samples[start : start + seconds * RATE]
