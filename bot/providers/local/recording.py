"""A sample's sound made ready to learn from: the parts with the most speech, at one level, at the engine's rate."""

import numpy as np

from bot.providers.local.arrays import Floats
from bot.providers.local.cepstrum import RATE
from bot.providers.local.resample import resample

SAMPLE_RATE = 48_000
MOST_SECONDS = 24.0
_BLOCK = SAMPLE_RATE // 50
_LEVEL = 0.07
_FADE = 120


def _find_speech(blocks: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell 20 ms blocks with something loud from quiet ones, by their level against the loudest and the quietest."""
    loudness = 10 * np.log10(np.maximum((blocks**2).mean(axis=1), 1e-10))
    loud, quiet = np.percentile(loudness, 95), np.percentile(loudness, 5)
    return np.asarray(loudness > max(loud - 30, min(quiet + 6, loud - 12), -70))


def prepare(pcm: bytes) -> Floats:
    """Take the richest `MOST_SECONDS` of 48 kHz signed 16 bit sound, cut in pauses, as 24 kHz floats.

    Empty where nothing sounds.
    """
    whole = np.frombuffer(pcm, dtype="<i2")
    count = len(whole) // _BLOCK
    if not count:
        return np.zeros(0, np.float32)
    blocks = whole[: count * _BLOCK].reshape(count, _BLOCK).astype(np.float32) / 32768
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
    sound = resample(kept.reshape(-1), SAMPLE_RATE, RATE)
    sound = sound - sound.mean()
    loud = np.sqrt((sound**2).mean())
    return np.asarray(sound * (_LEVEL / max(float(loud), 1e-6)), dtype=np.float32)


def speech_seconds(pcm: bytes) -> float:
    """Count the seconds in which something loud sounds."""
    whole = np.frombuffer(pcm, dtype="<i2")
    count = len(whole) // _BLOCK
    if not count:
        return 0.0
    return float(_find_speech(whole[: count * _BLOCK].reshape(count, _BLOCK).astype(np.float32) / 32768).sum()) / 50
