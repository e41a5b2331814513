"""Spectral envelopes as short cepstra over a mel axis.

Everything the engine does to an envelope (mean, mix, shift, spread) is linear in its logarithm, so 60 numbers a frame
stand in for 513 throughout.
"""

from functools import lru_cache

import numpy as np

from bot.providers.local.arrays import Doubles, Floats

RATE = 24_000
"""Samples a second inside the engine, and of what it makes."""
FRAME_MS = 5.0
FRAME_RATE = 200
FFT = 1024
BINS = FFT // 2 + 1
ORDER = 60
"""Numbers a frame."""
_POINTS = 128
_SHAPE = 21
"""Numbers of `shape`."""
_SHAPE_TOP = 7800.0
"""Hertz up to which two envelopes are compared."""


def _dct(points: int, order: int) -> Doubles:
    """Make the orthonormal DCT-II as a matrix of `order` by `points`."""
    matrix = np.cos(np.pi / points * (np.arange(points) + 0.5)[None] * np.arange(order)[:, None])
    matrix *= np.sqrt(2 / points)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, dtype=np.float64)


def _mel_points() -> Doubles:
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    return np.asarray(700 * (10 ** (np.linspace(0, top, _POINTS) / 2595) - 1), dtype=np.float64)


@lru_cache(maxsize=1)
def _encoder() -> Floats:
    bins = np.linspace(0, RATE / 2, BINS)
    points = _mel_points()
    width = np.maximum(np.gradient(points), bins[1])
    weights = np.maximum(0, 1 - np.abs(bins[None] - points[:, None]) / width[:, None])
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray((_dct(_POINTS, ORDER) @ weights).T, dtype=np.float32)


@lru_cache(maxsize=1)
def _decoder() -> Floats:
    bins = np.linspace(0, RATE / 2, BINS)
    points = _mel_points()
    rows = _dct(_POINTS, ORDER)
    return np.asarray([np.interp(bins, points, row) for row in rows], dtype=np.float32)


@lru_cache(maxsize=1)
def _shaper() -> Floats:
    kept = _mel_points() <= _SHAPE_TOP
    return np.asarray(_dct(_POINTS, ORDER)[:, kept] @ _dct(int(kept.sum()), _SHAPE).T, dtype=np.float32)


def encode(log_spectrum: Floats) -> Floats:
    """Shorten log power spectra (frames by 513) to cepstra (frames by 60)."""
    return np.asarray(log_spectrum @ _encoder(), dtype=np.float32)


def decode(cepstra: Floats) -> Floats:
    """Draw the log power spectra of cepstra."""
    return np.asarray(cepstra @ _decoder(), dtype=np.float32)


def shape(cepstra: Floats) -> Floats:
    """Take the coarse shape of envelopes below 7.8 kHz: 21 numbers, the first of them the level."""
    return np.asarray(cepstra @ _shaper(), dtype=np.float32)


def level(cepstra: Floats) -> Floats:
    """Give the mean log power below 7.8 kHz of each frame."""
    column = _shaper()[:, 0] / np.sqrt(np.count_nonzero(_mel_points() <= _SHAPE_TOP))
    return np.asarray(cepstra @ column.astype(np.float32), dtype=np.float32)


def raise_level(cepstra: Floats, lift: Floats) -> Floats:
    """Add `lift` (one number a frame) to the log power of every frequency."""
    raised = cepstra.copy()
    raised[:, 0] += lift * np.float32(np.sqrt(_POINTS))
    return raised


def smooth(frames: Floats, sigma: float) -> Floats:
    """Blur along time by a Gaussian of `sigma` frames; the ends are held."""
    reach = max(int(4 * sigma + 0.5), 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    kernel /= kernel.sum()
    padding = ((reach, reach),) + ((0, 0),) * (frames.ndim - 1)
    padded = np.pad(frames, padding, mode="edge")
    out = np.zeros(frames.shape, np.float32)
    for place, weight in enumerate(kernel):
        out += weight * padded[place : place + len(frames)]
    return out
