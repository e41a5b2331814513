"""How a source voice is on average: espeak-ng's reading of a fixed corpus, made once and shipped beside the net."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from bot.providers.local.arrays import Floats
from bot.providers.local.espeak import Espeak
from bot.providers.local.source import ENGLISH, Source, SourceVoice, read_aloud
from bot.providers.local.vocoder import Track

_STEPS = 32.0
"""Quantisation steps to a standard deviation."""
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


def _pack(rows: Floats) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int8]], Floats]:
    """Round rows to bytes; and the mean and step of each column, to undo it."""
    mean, step = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3) / _STEPS
    packed = np.clip(np.round((rows - mean) / step), -127, 127).astype(np.int8)
    return packed, np.stack([mean, step]).astype(np.float32)


def shipped(voice: SourceVoice) -> Path:
    """Name the file of a voice's reference."""
    return Path(__file__).with_name(f"reference-{voice.name}.npz")


def made_of(voice: SourceVoice) -> str:
    """Say what a reference depends on, to notice one that is out of date."""
    return f"{ENGLISH}+{voice.variant} {voice.speed} {' '.join(CORPUS)}"


@dataclass(frozen=True, slots=True)
class Reference:
    """The corpus as a source voice reads it."""

    voice: SourceVoice
    source: Source

    @classmethod
    def read(cls, espeak: Espeak, voice: SourceVoice, texts: Iterable[str] = CORPUS) -> Self:
        """Have espeak-ng read the corpus."""
        readings = [reading for text in texts if (reading := read_aloud(espeak, text, voice)) is not None]
        tracks = [reading.track for reading in readings]
        track = Track(
            pitch=np.concatenate([t.pitch for t in tracks]),
            cepstra=np.concatenate([t.cepstra for t in tracks]),
            breath=np.concatenate([t.breath for t in tracks]),
        )
        labels = np.concatenate([reading.labels for reading in readings])
        return cls(voice, Source(track, labels, np.concatenate([reading.active for reading in readings])))

    def save(self, path: Path) -> None:
        """Write the reference small."""
        cepstra, scale = _pack(self.source.track.cepstra)
        np.savez_compressed(
            path,
            made_of=np.array(made_of(self.voice)),
            cepstra=cepstra,
            scale=scale,
            pitch=self.source.track.pitch.astype(np.float16),
            breath=self.source.track.breath.astype(np.float16),
            labels=self.source.labels.astype(np.uint8),
            active=self.source.active,
        )

    @classmethod
    def load(cls, voice: SourceVoice, path: Path | None = None) -> Self:
        """Read a reference; the shipped one where no other is named."""
        with np.load(path or shipped(voice), allow_pickle=False) as file:
            mean, step = file["scale"]
            track = Track(
                pitch=file["pitch"].astype(np.float32),
                cepstra=file["cepstra"].astype(np.float32) * step + mean,
                breath=file["breath"].astype(np.float32),
            )
            return cls(voice, Source(track, file["labels"].astype(np.intp), file["active"]))
