"""The voice that is changed: espeak-ng reading a text, taken apart, with the phone of every frame."""

from dataclasses import dataclass

import numpy as np

from bot.providers.local.arrays import Flags, Integers
from bot.providers.local.cepstrum import FRAME_RATE, RATE
from bot.providers.local.espeak import Espeak
from bot.providers.local.phones import label_frames
from bot.providers.local.resample import resample
from bot.providers.local.vocoder import Track, analyse, find_active

VARIANT = "f5"
"""espeak-ng's voice variant that everybody is imitated from."""
SPEED = 174
"""Words a minute."""
ENGLISH = "en-us"
_QUIET = 1e-4


@dataclass(frozen=True, slots=True)
class Source:
    """What espeak-ng read, one row each 5 ms."""

    track: Track
    labels: Integers
    """Phone of each frame."""
    active: Flags

    def __len__(self) -> int:
        return len(self.labels)


def read_aloud(espeak: Espeak, text: str, voice: str = ENGLISH) -> Source | None:
    """Have espeak-ng read `text` and take that apart; None where nothing was heard. Raises `EspeakError`."""
    said = espeak.say(text, f"{voice}+{VARIANT}", speed=SPEED)
    if not len(said.samples) or float(np.abs(said.samples).max()) < _QUIET:
        return None
    track = analyse(resample(said.samples, said.rate, RATE))
    labels = label_frames(said.phonemes, said.rate, frames=len(track.pitch), frame_rate=FRAME_RATE)
    return Source(track, labels, find_active(track.level))
