"""Sounds that pass for speech, made with numpy: what tests hand in as recordings and as a provider's answer."""

import io
import wave
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE = 48_000

_SYLLABLE_SECONDS = 0.22
_PAUSE_SECONDS = 0.06
_VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""Formants in Hz of five vowels (Peterson and Barney, 1952)."""


@lru_cache(maxsize=64)
def babble(seconds: float, *, pitch: float = 120.0, rate: int = RATE, seed: int = 1) -> NDArray[np.float32]:
    """Make a voice that says vowels without sense, mono, peaks at about a third of full scale."""
    generator = np.random.default_rng(seed)
    parts: list[NDArray[np.float64]] = []
    size = 0
    while size < seconds * rate:
        if len(parts) % 12 == 11:
            part = np.zeros(round(0.4 * rate))
        else:
            part = np.concatenate([_syllable(generator, pitch, rate), np.zeros(round(_PAUSE_SECONDS * rate))])
        parts.append(part)
        size += part.size
    sound = np.concatenate(parts)[: round(seconds * rate)]
    noise = generator.normal(scale=1e-4, size=sound.size)
    voice = (sound / np.abs(sound).max() * 0.35 + noise).astype(np.float32)
    voice.flags.writeable = False  # all who ask for the same get the same
    return voice


def _syllable(generator: np.random.Generator, pitch: float, rate: int) -> NDArray[np.float64]:
    time = np.arange(round(_SYLLABLE_SECONDS * rate)) / rate
    glide = pitch * generator.uniform(0.85, 1.2) * (1 + 0.15 * generator.uniform(-1, 1) * time / time[-1])
    phase = 2 * np.pi * np.cumsum(glide) / rate
    formants = _VOWELS[generator.integers(len(_VOWELS))]
    sound = np.zeros_like(time)
    for number in range(1, int(min(4000, rate / 2.2) / (pitch * 1.4))):
        frequency = number * pitch
        level = sum(1 / (1 + ((frequency - formant) / 90) ** 2) for formant in formants)
        sound += (level + 0.01) / number**0.3 * np.sin(number * phase)
    return sound * np.hanning(time.size) ** 0.5


def quiet(seconds: float, *, rate: int = RATE) -> NDArray[np.float32]:
    """Make silence."""
    return np.zeros(round(seconds * rate), dtype=np.float32)


def to_pcm(samples: NDArray[np.float32]) -> bytes:
    """Write signed 16 bit, little endian."""
    return np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def to_wav(samples: NDArray[np.float32], *, rate: int = RATE) -> bytes:
    """Write RIFF WAVE, mono, 16 bit."""
    room = io.BytesIO()
    with wave.open(room, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(to_pcm(samples))
    return room.getvalue()


def clip(seconds: float = 8.0, *, pitch: float = 120.0, seed: int = 1) -> bytes:
    """Make a recording of a voice as a member would send it: WAV at 16 kHz."""
    return to_wav(babble(seconds, pitch=pitch, rate=16_000, seed=seed), rate=16_000)
