"""Where in a recording somebody speaks, told from energy, voicing and change. Recognises no words and no person."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bot.audio.recording import RATE, Samples
from bot.audio.resample import resample

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

LOW_RATE = 16_000
HOP = LOW_RATE // 100
"""10 ms."""
SIZE = 640
FFT = 1280
BANDS = 20
BATCH = 2000
SILENT = -100.0
"""dBFS: lower is not told apart."""

ABOVE_FLOOR = 8.0
BELOW_TOP = 36.0
LOWEST = -68.0
VOICED = 0.55
FLOOR_FRAMES = 800
CHANGE = 2.6
"""dB in 50 ms, averaged over bands and half a second: steady tones and noise change less, speech more."""
SWING = 6.0
"""dB between quiet and loud within a second: noise and held chords swing less."""


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """What is where in a recording, in frames of 10 ms."""

    levels: Floats
    """dBFS between 100 and 7,000 Hz."""
    speech: Mask

    @property
    def seconds(self) -> float:
        """How long somebody speaks."""
        return float(self.speech.sum()) / 100

    @property
    def noise(self) -> float:
        """Level of the quieter half of the pauses in dBFS; where nobody pauses, of the quietest twentieth of all."""
        if not self.levels.size:
            return SILENT
        pauses = ~widen(self.speech, 8)
        chosen = self.levels[pauses] if pauses.sum() >= 50 else np.sort(self.levels)[: max(1, self.levels.size // 20)]
        chosen = chosen[chosen <= np.percentile(chosen, 50)]
        return max(SILENT, 10 * float(np.log10(np.mean(10 ** (chosen / 10)))))

    @property
    def voice(self) -> float:
        """Level of the speech in dBFS."""
        chosen = self.levels[self.speech]
        return 10 * float(np.log10(np.mean(10 ** (chosen / 10)))) if chosen.size else SILENT


def find_speech(samples: Samples) -> Activity:
    """Tell frame by frame whether somebody speaks."""
    low = resample(samples, rate=RATE, to=LOW_RATE)
    padded = np.pad(low, (SIZE // 2 - HOP // 2, SIZE))
    windows = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP][: low.size // HOP]
    measured = [_measure(windows[start : start + BATCH]) for start in range(0, len(windows), BATCH)]
    if not measured:
        return Activity(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.bool_))
    levels, voicing, bands = (np.concatenate(part) for part in zip(*measured, strict=True))
    return Activity(levels, _decide(levels, voicing, bands))


def _measure(windows: Floats) -> tuple[Floats, Floats, Floats]:
    """Level in dBFS, voicing 0 to 1 and level of each band in dB of frames."""
    shape, own, banks = _shapes()
    power = np.abs(np.fft.rfft(windows * shape, n=FFT, axis=1)) ** 2
    scale = 2.0 / (FFT * float(np.sum(shape**2)))
    bands = power @ banks * scale
    levels = 10 * np.log10(np.maximum(bands.sum(axis=1), 1e-10))
    audible = power.copy()
    audible[:, :5] = 0
    similar = np.fft.irfft(audible, axis=1)[:, : SIZE // 2]
    similar = similar / np.maximum(similar[:, :1], 1e-12) / own
    voicing = similar[:, LOW_RATE // 400 : LOW_RATE // 65].max(axis=1)
    return (
        levels.astype(np.float32),
        voicing.astype(np.float32),
        (10 * np.log10(np.maximum(bands, 1e-9))).astype(np.float32),
    )


def _decide(levels: Floats, voicing: Floats, bands: Floats) -> Mask:
    floor = _floor(levels)
    top = float(np.percentile(levels, 98))
    threshold = np.maximum(floor + ABOVE_FLOOR, max(top - BELOW_TOP, LOWEST))
    active = levels > threshold
    lively = _lively(np.maximum(bands, threshold[:, None] - 20), np.maximum(levels, threshold - 3))
    anchors = keep_longer(active & (voicing > VOICED) & lively, 4)
    speech = active & widen(anchors, 25)
    return keep_longer(~keep_longer(~speech, 30), 12)


def _floor(levels: Floats) -> Floats:
    """Level of the background around each frame: what a tenth of the eight seconds around stay below."""
    count = max(1, round(levels.size / 100))
    centres = np.linspace(0, levels.size - 1, count)
    reach = FLOOR_FRAMES // 2
    floors = [np.percentile(levels[max(0, int(c) - reach) : int(c) + reach + 1], 10) for c in centres]
    return np.asarray(np.interp(np.arange(levels.size), centres, floors), dtype=np.float32)


def _lively(bands: Floats, levels: Floats) -> Mask:
    """Tell speech from what keeps its colour or its strength: tones, chords, hum and noise."""
    change = np.zeros(levels.size, dtype=np.float32)
    if levels.size > 5:
        change[5:] = np.abs(bands[5:] - bands[:-5]).mean(axis=1)
    change = np.convolve(change, np.full(50, 0.02, dtype=np.float32), mode="same")[: levels.size]
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(levels, 50, mode="reflect" if levels.size > 50 else "edge"), 101
    )
    swing = np.ptp(around, axis=1)[: levels.size]
    return np.asarray((change > CHANGE) & (swing > SWING))


def widen(mask: Mask, reach: int) -> Mask:
    """Add so many frames on both sides of what is set."""
    sums = np.cumsum(np.pad(mask, (reach + 1, reach)).astype(np.int64))
    return np.asarray(sums[2 * reach + 1 :] > sums[: -2 * reach - 1])


def runs(mask: Mask) -> NDArray[np.int64]:
    """List where it is set without a break, as rows of first frame and the frame after the last."""
    edges = np.flatnonzero(np.diff(np.pad(mask, 1).astype(np.int8)))
    return np.asarray(edges.reshape(-1, 2), dtype=np.int64)


def keep_longer(mask: Mask, least: int) -> Mask:
    """Take away what is set for fewer frames than `least`."""
    kept = np.zeros_like(mask)
    for first, after in runs(mask):
        kept[first:after] = after - first >= least
    return kept


@cache
def _shapes() -> tuple[Floats, Floats, Floats]:
    """The window, its own autocorrelation, and bands evenly spaced in pitch as heard between 100 and 7,000 Hz."""
    window = np.hanning(SIZE + 2)[1:-1]
    own = np.fft.irfft(np.abs(np.fft.rfft(window, n=FFT)) ** 2)[: SIZE // 2]
    edges = 700 * (np.exp(np.linspace(np.log1p(100 / 700), np.log1p(7000 / 700), BANDS + 1)) - 1)
    centres = np.arange(FFT // 2 + 1) * LOW_RATE / FFT
    banks = (centres[:, None] >= edges[:-1]) & (centres[:, None] < edges[1:])
    return window.astype(np.float32), (own / own[0]).astype(np.float32), banks.astype(np.float32)
