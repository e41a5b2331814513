"""A sample's sound made ready to learn from: the parts with the most speech, at one level, at the engine's rate."""

import numpy as np

from bot.providers.local.arrays import Flags, Floats
from bot.providers.local.cepstrum import RATE
from bot.providers.local.resample import resample

SAMPLE_RATE = 48_000
MOST_SECONDS = 24.0
_BLOCK = SAMPLE_RATE // 50
_SILENCE = -80.0
"""dBFS below which nothing is speech."""
_LEVEL = 0.07
_SLOPE = 400.0
"""Hertz that a resampler's filter takes to fall off an edge."""
_CLIFF = 18.0
"""dB by which everything above an edge is quieter than what is just below."""


def _cut(pcm: bytes) -> Floats:
    """Lay 48 kHz sound out in blocks of 20 ms."""
    whole = np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2")
    count = len(whole) // _BLOCK
    return np.asarray(whole[: count * _BLOCK].reshape(count, _BLOCK) * np.float32(1 / 32768), dtype=np.float32)


def _find_speech(blocks: Floats) -> Flags:
    """Tell 20 ms blocks with something loud from quiet ones, by their level against the loudest and the quietest."""
    if not len(blocks):
        return np.zeros(0, np.bool_)
    loudness = 10 * np.log10(np.maximum((blocks**2).mean(axis=1), 1e-10))
    loud, quiet = np.percentile(loudness, 95), np.percentile(loudness, 5)
    return np.asarray(loudness > max(loud - 30, min(quiet + 6, loud - 12), _SILENCE))


def prepare(pcm: bytes) -> Floats:
    """Take the richest `MOST_SECONDS` of 48 kHz signed 16 bit sound, cut in pauses, as 24 kHz floats.

    Empty where nothing sounds.
    """
    blocks = _cut(pcm)
    speech = _find_speech(blocks)
    if not speech.any():
        return np.zeros(0, np.float32)
    # pauses keep 160 ms around speech, so that words stay whole
    near = np.convolve(speech, np.ones(17), mode="same") > 0.5
    kept = blocks[near]
    most = int(MOST_SECONDS * 50)
    if len(kept) > most:
        richness = np.convolve(speech[near].astype(np.float32), np.ones(most), mode="valid")
        start = int(richness.argmax())
        kept = kept[start : start + most]
    sound = resample(kept.flatten(), SAMPLE_RATE, RATE)
    sound -= sound.mean()
    loud = np.sqrt((sound**2).mean())
    return np.asarray(sound * (_LEVEL / max(float(loud), 1e-6)), dtype=np.float32)


def speech_seconds(pcm: bytes) -> float:
    """Count the seconds in which something loud sounds."""
    return float(_find_speech(_cut(pcm)).sum()) / 50


def find_edge(samples: Floats) -> float:
    """Find the frequency in hertz above which a 24 kHz recording holds nothing: a telephone's, a codec's, a recorder's.

    Looks for a cliff in the average spectrum that nothing follows; half the rate where there is none.
    """
    size = 1024
    count = len(samples) // size
    if not count:
        return RATE / 2
    frames = samples[: count * size].reshape(count, size) * np.hanning(size).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    loud = power[power.sum(axis=1) >= np.median(power.sum(axis=1))]
    decibels = 10 * np.log10(loud.mean(axis=0) + 1e-12)
    hertz = np.linspace(0, RATE / 2, len(decibels))
    for edge in np.arange(3000.0, RATE / 2 - 600, 100.0):
        below = decibels[(hertz > edge - 500) & (hertz <= edge - 100)].mean()
        above = decibels[hertz > edge + 300].max()
        if above < below - _CLIFF:
            return float(edge) - _SLOPE
    return RATE / 2
