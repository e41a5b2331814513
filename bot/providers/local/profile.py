"""What was learnt of a speaker, and how it is written to a file."""

import io
import zipfile
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from bot.providers.local.arrays import Flags, Floats

_FORMAT = 1


class ProfileError(Exception):
    """The bytes are not a profile that this engine wrote."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A speaker, as the engine can imitate them."""

    pitch: Floats
    """Mean and deviation of the log pitch."""
    level: Floats
    """Mean and deviation of the level while speaking."""
    shift: Floats
    """Cepstra from the source voice's mean to the speaker's."""
    phone_shift: Floats
    """The same for each phone (34 by 60)."""
    shape_mean: Floats
    shape_deviation: Floats
    before_mean: Floats
    """Mean of converted cepstra before their spread is matched."""
    gain: Floats
    """By which their spread is multiplied."""
    after_mean: Floats
    """Mean that they end with."""
    cepstra: Floats
    """Of the speaker's own frames in which something sounds."""
    breath: Floats
    voiced: Flags
    context: Floats
    """Coarse shape of each of these frames and its neighbours."""
    phones: Floats
    """Log probability of each phone around each of these frames, by offset."""

    def to_bytes(self) -> bytes:
        """Write the profile; half floats are exact enough."""
        packed = {f.name: getattr(self, f.name) for f in fields(self)}
        halves = {name: value.astype(np.float16) if value.dtype == np.float32 else value for name, value in packed.items()}
        file = io.BytesIO()
        np.savez(file, format=np.array(_FORMAT), **halves)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a profile. Raises `ProfileError`."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                if int(file["format"]) != _FORMAT:
                    raise ProfileError("the voice was made by another version of the engine")
                kept = {f.name: file[f.name] for f in fields(cls)}
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise ProfileError("the voice file is damaged") from error
        return cls(**{name: v.astype(np.float32) if v.dtype == np.float16 else v for name, v in kept.items()})
