"""The voice that is changed: espeak-ng reading a text, taken apart, with the phone of every frame."""

from dataclasses import dataclass

import numpy as np

from bot.providers.local.arrays import Flags, Integers
from bot.providers.local.cepstrum import FRAME_RATE, RATE
from bot.providers.local.espeak import Espeak
from bot.providers.local.phones import label_frames
from bot.providers.local.resample import resample
from bot.providers.local.vocoder import Track, analyse, find_active

ENGLISH = "en-us"
_QUIET = 1e-4
_LOW_BELOW = 160.0
"""Hertz of mean pitch below which a speaker is imitated from the low voice."""


@dataclass(frozen=True, slots=True)
class SourceVoice:
    """A voice of espeak-ng that speakers are imitated from."""

    name: str
    variant: str
    speed: int
    """Words a minute."""


LOW = SourceVoice("low", "klatt4", 180)
HIGH = SourceVoice("high", "f5", 165)
SOURCE_VOICES = {voice.name: voice for voice in (LOW, HIGH)}


def choose_source(log_pitch: float) -> SourceVoice:
    """Choose the voice to imitate a speaker from, by the mean of their log pitch."""
    return LOW if log_pitch < np.log(_LOW_BELOW) else HIGH


@dataclass(frozen=True, slots=True)
class Source:
    """What espeak-ng read, one row each 5 ms."""

    track: Track
    labels: Integers
    """Phone of each frame."""
    active: Flags

    def __len__(self) -> int:
        return len(self.labels)


def read_aloud(espeak: Espeak, text: str, voice: SourceVoice, language: str = ENGLISH) -> Source | None:
    """Have espeak-ng read `text` and take that apart; None where nothing was heard.

    `language` is espeak-ng's name for it. Raises `EspeakError`.
    """
    said = espeak.say(text, f"{language}+{voice.variant}", speed=voice.speed)
    if not len(said.samples) or float(np.abs(said.samples).max()) < _QUIET:
        return None
    track = analyse(resample(said.samples, said.rate, RATE))
    labels = label_frames(said.phonemes, said.rate, frames=len(track.pitch), frame_rate=FRAME_RATE)
    return Source(track, labels, find_active(track.level))
