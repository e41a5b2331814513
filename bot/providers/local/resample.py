"""Changing the sampling rate of a signal, with numpy alone."""

from functools import lru_cache
from math import gcd

import numpy as np

from bot.providers.local.arrays import Floats

_ZERO_CROSSINGS = 24
_KAISER_BETA = 8.0


@lru_cache(maxsize=8)
def _kernels(up: int, down: int) -> tuple[Floats, int]:
    """Make a windowed sinc for each of `up` phases, and the number of input samples it reaches to either side."""
    cutoff = min(1.0, up / down) * 0.95
    reach = int(np.ceil(_ZERO_CROSSINGS / cutoff))
    offsets = np.arange(-reach, reach + 1)[None] - (np.arange(up) * down % up / up)[:, None]
    window = np.i0(_KAISER_BETA * np.sqrt(np.maximum(0, 1 - (offsets / (reach + 1)) ** 2))) / np.i0(_KAISER_BETA)
    taps = np.sinc(offsets * cutoff) * cutoff * window
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32), reach


def resample(samples: Floats, source: int, target: int) -> Floats:
    """Bring `samples` from `source` to `target` samples a second; band-limited by a polyphase windowed sinc."""
    if source == target or not len(samples):
        return samples
    divisor = gcd(source, target)
    up, down = target // divisor, source // divisor
    taps, reach = _kernels(up, down)
    count = -(-len(samples) * up // down)
    padded = np.pad(samples.astype(np.float32, copy=False), (reach, reach + down + 1))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    out = np.empty(count, np.float32)
    for phase in range(min(up, count)):
        wanted = len(range(phase, count, up))
        first = phase * down // up
        out[phase::up] = windows[first : first + wanted * down : down][:wanted] @ taps[phase]
    return out
