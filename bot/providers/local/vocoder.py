"""WORLD: sound taken apart into pitch, envelope and breathiness, and put together again.

Works piece by piece on long sound, so that memory stays small. Knows nothing of words or speakers.
"""

from dataclasses import dataclass

import numpy as np
import pyworld

from bot.providers.local.arrays import Doubles, Flags, Floats
from bot.providers.local.cepstrum import BINS, FFT, FRAME_MS, RATE, decode, encode, level

_PIECE = 400
"""Frames of envelope held at once."""
_ACTIVE = 3.5 * np.log(10.0)
"""A frame is active when its mean log level is within this of the loudest: 35 dB."""
_FLOOR = 1e-16
EDGE_SAFETY = 0.96
"""Share of the recorded band that a recorder's filter leaves alone."""
NARROWEST = 7_700.0
"""Speech is made up to here, in hertz, even where less was recorded."""
_FALL = np.float32(1.4e-3)
"""By which envelopes fall beyond the edge: log power per hertz, 6 dB per kHz."""


@dataclass(frozen=True, slots=True)
class Track:
    """Sound taken apart, one row each 5 ms."""

    pitch: Floats
    """Hertz; 0 where nothing vibrates."""
    cepstra: Floats
    breath: Floats
    """Aperiodicity in a few bands, in dB (frames by 3)."""

    @property
    def level(self) -> Floats:
        """Mean log power below 7.8 kHz."""
        return level(self.cepstra)

    @property
    def voiced(self) -> Flags:
        """Where something vibrates."""
        return np.asarray(self.pitch > 0)


def find_active(levels: Floats) -> Flags:
    """Tell frames in which something sounds from pauses."""
    return np.asarray(levels > np.percentile(levels, 95) - _ACTIVE)


def _follow(samples: Doubles, low: float, high: float) -> tuple[Doubles, Doubles]:
    rough, times = pyworld.dio(samples, RATE, f0_floor=low, f0_ceil=high, frame_period=FRAME_MS)
    return pyworld.stonemask(samples, rough, times, RATE), times


def find_range(samples: Floats) -> tuple[float, float]:
    """Find between which pitches a speaker moves, in hertz; a wide guess where nothing vibrates."""
    pitch, _ = _follow(samples.astype(np.float64), 50, 600)
    sung = pitch[pitch > 0]
    if len(sung) < 20:
        return 60.0, 500.0
    middle = float(np.median(np.log(sung)))
    return max(50.0, float(np.exp(middle - 0.9))), min(600.0, float(np.exp(middle + 0.9)))


def _continue_above(log_spectrum: Floats, edge: float) -> Floats:
    """Let envelopes fall gently above the highest frequency that was recorded, instead of off a cliff."""
    first = int(edge * EDGE_SAFETY / (RATE / 2) * (BINS - 1))
    if first >= BINS:
        return log_spectrum
    width = max(first // 12, 4)
    fall = np.arange(BINS - first, dtype=np.float32) * (RATE / 2 / (BINS - 1)) * _FALL
    held = log_spectrum[:, first - width : first].mean(axis=1, keepdims=True)
    return np.concatenate([log_spectrum[:, :first], held - fall], axis=1)


def analyse(samples: Floats, low: float = 60.0, high: float = 450.0, *, edge: float = RATE / 2) -> Track:
    """Take 24 kHz sound apart. `low` and `high` bound the pitch; above `edge` hertz nothing was recorded."""
    sound = np.ascontiguousarray(samples, dtype=np.float64)
    pitch, times = _follow(sound, low, high)
    cepstra, breath = [], []
    for start in range(0, len(pitch), _PIECE):
        part = slice(start, start + _PIECE)
        piece_pitch, piece_times = np.ascontiguousarray(pitch[part]), np.ascontiguousarray(times[part])
        spectrum = pyworld.cheaptrick(sound, piece_pitch, piece_times, RATE, fft_size=FFT)
        cepstra.append(encode(_continue_above(np.log(np.maximum(spectrum, _FLOOR)).astype(np.float32), edge)))
        rough = pyworld.d4c(sound, piece_pitch, piece_times, RATE, fft_size=FFT)
        breath.append(pyworld.code_aperiodicity(rough, RATE).astype(np.float32))
    return Track(pitch.astype(np.float32), np.concatenate(cepstra), np.concatenate(breath))


def _close(edge: float) -> Floats:
    """Make the log gain that lets nothing through above `edge`."""
    hertz = np.linspace(0, RATE / 2, BINS)
    return np.asarray(-np.clip((hertz - edge) / 300, 0, 1) * 14, dtype=np.float32)


def synthesise(track: Track, *, edge: float = RATE / 2) -> Floats:
    """Put a track together to 24 kHz sound, with nothing above `edge` hertz."""
    log_spectrum = decode(track.cepstra) + _close(max(edge, NARROWEST))
    spectrum = np.exp(np.clip(log_spectrum, -30, 10)).astype(np.float64)
    rough = pyworld.decode_aperiodicity(np.ascontiguousarray(track.breath, dtype=np.float64), RATE, FFT)
    pitch = np.ascontiguousarray(track.pitch, dtype=np.float64)
    sound = pyworld.synthesize(pitch, np.ascontiguousarray(spectrum), np.clip(rough, 1e-3, 1 - 1e-6), RATE, FRAME_MS)
    return np.asarray(sound, dtype=np.float32)
