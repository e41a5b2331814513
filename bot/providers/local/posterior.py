"""Which sound is where in a recording: a small convolutional net that was trained on nothing but espeak-ng's speech.

Knows sound at 16 kHz and the weights beside this file (`scripts/train_imitation.py` makes them). Does not know whose
voice it hears: level, channel and speaker are normalised away as far as mean and spread go.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from bot.providers.local.arrays import Floats

RATE = 16_000
HOP = 160
"""Samples between frames: 10 ms."""
BANDS = 40
_WINDOW = np.hanning(400).astype(np.float32)
_FFT = 512
WEIGHTS = Path(__file__).with_name("weights.npz")
DILATIONS = (1, 2, 2, 1, 1)
"""Of the net's layers, first to last."""
_ACTIVE = 2.45 * np.log(10.0)
"""A frame is active when its mean log energy is within this of the loudest: 24.5 dB."""


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def mel_weights(warp: float = 1.0) -> Floats:
    """Build `BANDS` triangular mel filters over the power spectrum; `warp` moves them as a longer throat would."""
    edges = 700 * (10 ** (np.linspace(_mel(80), _mel(7600), BANDS + 2) / 2595) - 1)
    knee = 6000 * min(1.0, warp)
    top = RATE / 2
    edges = np.where(edges <= knee, edges / warp, knee / warp + (edges - knee) * (top - knee / warp) / (top - knee))
    bins = np.linspace(0, top, _FFT // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    weights = np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return np.asarray(weights, dtype=np.float32)


def power_frames(samples: Floats) -> Floats:
    """Take the power spectrum of 25 ms every 10 ms of a 16 kHz signal."""
    padded = np.pad(samples, (200, 400))
    count = max((len(padded) - 400) // HOP, 1)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 400)[: count * HOP : HOP]
    return np.asarray(np.abs(np.fft.rfft(frames * _WINDOW, _FFT, axis=1)) ** 2, dtype=np.float32)


def normalise(log_mel: Floats) -> Floats:
    """Take away the mean and spread of the frames in which something sounds."""
    energy = log_mel.mean(axis=1)
    active = log_mel[energy > np.percentile(energy, 95) - _ACTIVE]
    spread = max(float(active.std(axis=0).mean()), 1e-3)
    return np.asarray((log_mel - active.mean(axis=0)) / spread, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Layer:
    weights: Floats
    """Taps by inputs by outputs."""
    bias: Floats
    scale: Floats
    """Of the batch normalisation that follows."""
    shift: Floats

    def apply(self, frames: Floats, dilation: int) -> Floats:
        taps = len(self.weights)
        reach = dilation * (taps // 2)
        padded = np.pad(frames, ((reach, reach), (0, 0)))
        out = self.bias + sum(padded[t * dilation : t * dilation + len(frames)] @ self.weights[t] for t in range(taps))
        return np.asarray(out, dtype=np.float32)


class PosteriorNet:
    """Owns the weights."""

    def __init__(self, layers: tuple[_Layer, ...]) -> None:
        self._layers = layers
        self._mel = mel_weights().T

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> Self:
        """Read the weights."""
        with np.load(path, allow_pickle=False) as file:
            kept = {name: file[name].astype(np.float32) for name in file.files}
        names = ("weights", "bias", "scale", "shift")
        return cls(tuple(_Layer(*(kept[f"{name}{n}"] for name in names)) for n in range(len(DILATIONS))))

    def listen(self, samples: Floats) -> Floats:
        """Give the log probability of each phone every 10 ms of a 16 kHz signal (frames by phones)."""
        power = power_frames(samples)
        floor = 1e-7 * float(np.percentile(power, 99)) + 1e-9
        frames = normalise(np.log(power @ self._mel + np.float32(floor)))
        last = len(self._layers) - 1
        for place, (layer, dilation) in enumerate(zip(self._layers, DILATIONS, strict=True)):
            frames = layer.apply(frames, dilation)
            if place < last:
                frames = np.maximum(frames, 0) * layer.scale + layer.shift
        frames -= frames.max(axis=1, keepdims=True)
        return np.asarray(frames - np.log(np.exp(frames).sum(axis=1, keepdims=True)), dtype=np.float32)
