"""The voice that is changed: espeak-ng reading a text, taken apart, with the phone of every frame."""

from dataclasses import dataclass

import numpy as np

from bot.providers.local.arrays import Flags, Floats, Integers
from bot.providers.local.cepstrum import FRAME_RATE, RATE, shape
from bot.providers.local.espeak import Espeak
from bot.providers.local.phones import label_frames
from bot.providers.local.resample import resample
from bot.providers.local.vocoder import Track, analyse, find_active

VARIANT = "f2"
ENGLISH = "en-us"
_SPEED = 165
_QUIET = 1e-4
# every phone of English several times
CORPUS = (
    "The quick brown fox jumped over a lazy dog by the river bank, and nobody thought it was strange.",
    "Which of those five boys would usually choose a good book about measuring the earth?",
    "My uncle Joe put thirty yellow onions and some cheap fresh fish into the huge kitchen pot.",
    "She hopes that her young nephew enjoys the long voyage, but his father is not so sure.",
    "Just check the garage door; the noise out there could wake the whole town.",
    "A warm bath, a cup of tea and a soft voice were all the judge had asked for.",
    "Zebras breathe through their noses when the weather turns hot, as far as we know.",
    "Perhaps we ought to push the old car up the hill and leave it near the church.",
)


@dataclass(frozen=True, slots=True)
class Source:
    """What espeak-ng read, one row each 5 ms."""

    track: Track
    labels: Integers
    """Phone of each frame."""
    active: Flags

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation."""

    mean: Floats
    deviation: Floats

    def normalise(self, rows: Floats) -> Floats:
        """Take the mean away and divide by the deviation."""
        return np.asarray((rows - self.mean) / self.deviation, dtype=np.float32)


def measure(rows: Floats) -> Spread:
    """Find mean and deviation of each column; no deviation is nothing."""
    return Spread(rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3).astype(np.float32))


def measure_pitch(pitch: Floats) -> tuple[float, float]:
    """Find mean and deviation of the log pitch, octave errors left out; that of a middling voice where there is none."""
    sung = np.log(pitch[pitch > 0])
    if len(sung) < 20:
        return float(np.log(150.0)), 0.2
    near = sung[np.abs(sung - np.median(sung)) < 0.7]
    return float(near.mean()), max(float(near.std()), 0.05)


class Reader:
    """Owns espeak-ng and what is known of how its voice is on average."""

    def __init__(self, espeak: Espeak) -> None:
        self._espeak = espeak
        self._reference: Reference | None = None

    def read(self, text: str, voice: str = ENGLISH) -> Source | None:
        """Read `text` aloud and take it apart; None where nothing was heard."""
        said = self._espeak.say(text, f"{voice}+{VARIANT}", speed=_SPEED)
        if not len(said.samples) or float(np.abs(said.samples).max()) < _QUIET:
            return None
        track = analyse(resample(said.samples, said.rate, RATE))
        labels = label_frames(said.phonemes, said.rate, frames=len(track.pitch), frame_rate=FRAME_RATE)
        return Source(track, labels, find_active(track.level))

    @property
    def reference(self) -> "Reference":
        """The average of the source voice; measured at first use."""
        if self._reference is None:
            self._reference = Reference.of([source for text in CORPUS if (source := self.read(text)) is not None])
        return self._reference


@dataclass(frozen=True, slots=True)
class Reference:
    """The source voice over a fixed corpus."""

    source: Source
    shape: Spread
    pitch: tuple[float, float]
    level: tuple[float, float]

    @classmethod
    def of(cls, sources: list[Source]) -> "Reference":
        """Measure some readings as one."""
        track = Track(*(np.concatenate([getattr(s.track, name) for s in sources]) for name in ("pitch", "cepstra", "breath")))
        active = np.concatenate([s.active for s in sources])
        whole = Source(track, np.concatenate([s.labels for s in sources]), active)
        levels = track.level[active]
        return cls(
            whole, measure(shape(track.cepstra)[active]), measure_pitch(track.pitch), (float(levels.mean()), float(levels.std()))
        )
