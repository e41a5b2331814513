"""A limiter that looks ahead, so that no peak passes its ceiling. Knows nothing of loudness."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bot.audio.recording import RATE, Samples, chain, silence

CEILING = float(10 ** (-2.5 / 20))
"""True peak in the sense of BS.1770 annex 2; below the -1 dBTP promised by what Opus adds when it is decoded."""

BLOCK = RATE // 1000
REACH = 20
"""Blocks of 1 ms over which the gain comes down before a peak and goes up after it."""
EDGE = 16
SAFE = 0.45
"""Below this sample peak no inter-sample peak can reach the ceiling in speech."""


class Limiter:
    """Limits one stream. Owns the sound not yet let out: by twice its `reach` and 3 ms it comes later."""

    def __init__(self, reach: int = REACH) -> None:
        self._reach = reach
        self._ahead = 2 * reach + 2
        self._sound = silence(self._ahead * BLOCK)
        """Begins `_ahead` blocks before the next sample to go out."""

    @property
    def delay(self) -> int:
        """Samples that stay behind those it gives."""
        return self._ahead * BLOCK + EDGE

    def feed(self, samples: Samples) -> Samples:
        """Take the next samples and give those that are safe."""
        self._sound = chain([self._sound, samples])
        blocks = (self._sound.size - EDGE) // BLOCK
        ready = blocks - 2 * self._ahead
        return self._let_out(ready) if ready > 0 else silence(0)

    def finish(self) -> Samples:
        """Give the rest."""
        left = self._sound.size - self._ahead * BLOCK
        blocks = -(-left // BLOCK)
        self._sound = chain([self._sound, silence((blocks + self._ahead + 1) * BLOCK - left)])
        return self._let_out(blocks)[:left]

    def _let_out(self, ready: int) -> Samples:
        sound, ahead = self._sound, self._ahead
        count = ready + 2 * ahead
        gains = _gains(_peaks(sound[: count * BLOCK + EDGE], count), self._reach)
        first, last = ahead * BLOCK, (ahead + ready) * BLOCK
        self._sound = sound[ready * BLOCK :]
        if gains is None:
            return sound[first:last]
        body = sound[first:last].reshape(ready, BLOCK)
        return np.asarray((body * _between(gains[ahead - 1 : ahead + ready + 1])).reshape(-1), dtype=np.float32)


def true_peak(samples: Samples) -> float:
    """Find the highest point of the curve through the samples, oversampled four times; 1.0 is full scale."""
    count = -(-samples.size // BLOCK)
    padded = chain([samples, silence(count * BLOCK + EDGE - samples.size)])
    return float(_peaks(padded, count, safe=0.0).max(initial=0.0))


def _gains(peaks: NDArray[np.float32], reach: int) -> NDArray[np.float64] | None:
    """Work out a gain per block that holds every peak; None where none is needed.

    A mean of minima taken over windows at least as wide never exceeds what the block in the middle allows.
    """
    need = np.minimum(1.0, CEILING / np.maximum(peaks, 1e-9)).astype(np.float64)
    if need.min() >= 1.0:
        return None
    held = _windows(need, reach + 1).min(axis=1)
    return np.asarray(_windows(held, reach).mean(axis=1))


def _windows(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    padded = np.pad(values, reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)


def _between(gains: NDArray[np.float64]) -> NDArray[np.float32]:
    """Draw straight lines through gains, which hold in the middle of their blocks; the first and the last only lead."""
    along = (np.arange(BLOCK, dtype=np.float32) + 0.5) / BLOCK - 0.5
    wanted = np.asarray(gains, dtype=np.float32)[:, None]
    before, after = np.maximum(-along, 0.0), np.maximum(along, 0.0)
    return np.asarray(wanted[:-2] * before + wanted[1:-1] * (1 - np.abs(along)) + wanted[2:] * after)


def _peaks(sound: Samples, count: int, safe: float = SAFE) -> NDArray[np.float32]:
    """Find the peak of each block, between the samples too where they come near the ceiling."""
    peaks = np.abs(sound[: count * BLOCK]).reshape(count, BLOCK).max(axis=1)
    near = np.flatnonzero(peaks > safe)
    if near.size:
        around = chain([silence(EDGE), sound])
        places = np.lib.stride_tricks.sliding_window_view(around, 2 * EDGE + 1)[: count * BLOCK]
        blocks = places.reshape(count, BLOCK, 2 * EDGE + 1)[near]
        between = np.einsum("bst,tp->bsp", blocks, _interpolation())
        peaks[near] = np.maximum(peaks[near], np.abs(between).max(axis=(1, 2)))
    return np.asarray(peaks)


@cache
def _interpolation() -> NDArray[np.float32]:
    """Weights of the samples around one for the points a quarter, a half and three quarters after it."""
    taps = np.arange(-EDGE, EDGE + 1)
    distance = np.array([0.25, 0.5, 0.75])[None, :] - taps[:, None]
    window = np.interp(distance, taps, np.kaiser(2 * EDGE + 1, 7.0), left=0.0, right=0.0)
    return np.asarray(np.sinc(distance) * window, dtype=np.float32)
