"""How loud sound is to an ear: ITU-R BS.1770-5 with gating, measured as the sound comes. Changes nothing."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bot.audio.recording import RATE, Samples, chain, silence

SILENT = -70.0
"""LUFS: the absolute gate of BS.1770, and what silence is said to measure."""

STEP = RATE // 10
TAPS = 4096
SIZE = 16384
FRESH = SIZE - TAPS
BATCH = 40 * FRESH
OFFSET = -0.691


class Meter:
    """Measures one stream. Owns the powers of its 100 ms steps."""

    def __init__(self) -> None:
        self._tail = silence(TAPS)
        self._pending = silence(0)
        self._powers: NDArray[np.float64] = np.zeros(0)

    def feed(self, samples: Samples) -> None:
        """Hear the next samples."""
        for start in range(0, samples.size, BATCH):
            self._hear(samples[start : start + BATCH])

    def _hear(self, samples: Samples) -> None:
        pending = chain([self._pending, samples])
        whole = pending.size // STEP * STEP
        self._pending = pending[whole:]
        if whole:
            weighted = _weigh(self._tail, pending[:whole])
            self._tail = chain([self._tail, pending[:whole]])[-TAPS:]
            self._powers = np.append(self._powers, np.mean(weighted.reshape(-1, STEP) ** 2, axis=1, dtype=np.float64))

    @property
    def integrated(self) -> float:
        """Loudness in LUFS of all that was heard, pauses left out; `SILENT` where nothing is above the gate.

        Sound shorter than the 400 ms of one block is measured as it is.
        """
        powers = self._powers
        if powers.size >= 4:
            blocks = np.convolve(powers, np.full(4, 0.25), mode="valid")
        elif powers.size or self._pending.size:
            last = _weigh(self._tail, self._pending)
            energy = powers.sum() * STEP + np.sum(last**2, dtype=np.float64)
            blocks = np.array([energy / (powers.size * STEP + last.size)])
        else:
            return SILENT
        return _gate(blocks)


def loudness(samples: Samples) -> float:
    """Measure the integrated loudness of a whole piece of sound, in LUFS; `SILENT` for silence."""
    meter = Meter()
    meter.feed(samples)
    return meter.integrated


def _gate(blocks: NDArray[np.float64]) -> float:
    heard = blocks[blocks > _power(SILENT)]
    if not heard.size:
        return SILENT
    heard = heard[heard > heard.mean() / 10]
    return max(SILENT, OFFSET + 10 * float(np.log10(heard.mean())))


def _power(level: float) -> float:
    return float(10 ** ((level - OFFSET) / 10))


def _weigh(before: Samples, samples: Samples) -> Samples:
    """Apply the K-weighting to samples that follow `before`, by overlap-save."""
    pieces = -(-samples.size // FRESH)
    room = chain([before, samples, silence(pieces * FRESH - samples.size)])
    windows = np.lib.stride_tricks.sliding_window_view(room, SIZE)[::FRESH] if pieces else room[:0].reshape(0, SIZE)
    shaped = np.fft.irfft(np.fft.rfft(windows, axis=1) * _curve(), n=SIZE, axis=1)[:, TAPS:]
    return np.asarray(shaped, dtype=np.float32).reshape(-1)[: samples.size]


@cache
def _curve() -> NDArray[np.complex64]:
    """Spectrum of the K-weighting, cut to an impulse response of `TAPS` samples (its 38 Hz tail is gone by then)."""
    shelf = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
    highpass = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
    z = np.exp(-2j * np.pi * np.arange(SIZE // 2 + 1) / SIZE)
    response = np.ones_like(z)
    for upper, lower in (shelf, highpass):
        response *= np.polyval(upper[::-1], z) / np.polyval(lower[::-1], z)
    impulse = np.fft.irfft(response, n=SIZE)
    impulse[TAPS:] = 0
    return np.fft.rfft(impulse).astype(np.complex64)
