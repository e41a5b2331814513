"""What was learnt of a speaker, and how it is written to a file. Depends on nothing that may change later."""

import io
import zipfile
import zlib
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bot.providers.local.arrays import Flags, Floats
from bot.providers.local.source import SOURCE_VOICES

_FORMAT = 1


class ProfileError(Exception):
    """The bytes are not a profile that this engine wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A speaker, as the engine can imitate them. Pairs are mean and deviation."""

    source: npt.NDArray[np.str_]
    """Name of the source voice it was learnt against."""
    edge: Floats
    """Hertz above which the recording holds nothing."""
    pitch: Floats
    """Pair: log pitch."""
    level: Floats
    """Pair: level while speaking."""
    shape: Floats
    """Pair: coarse shape of the envelope while speaking (2 by 21)."""
    source_pitch: Floats
    """The same three of the source voice."""
    source_level: Floats
    source_shape: Floats
    shift: Floats
    """Cepstra from the source voice's mean to the speaker's."""
    phone_shift: Floats
    """The same for each phone (34 by 60)."""
    before: Floats
    """Mean of converted cepstra before their spread is matched."""
    gain: Floats
    """By which their spread is multiplied."""
    after: Floats
    """Mean that they end with."""
    cepstra: Floats
    """Of every frame of the speaker."""
    breath: Floats
    heard: Floats
    """Log probability of each phone in each frame, against how common the phone is."""
    voiced: Flags
    active: Flags

    def to_bytes(self) -> bytes:
        """Write the profile; half floats are exact enough."""
        file = io.BytesIO()
        kept: dict[str, Any] = {f.name: _halve(getattr(self, f.name)) for f in fields(self)}
        np.savez(file, format=np.array(_FORMAT), **kept)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a profile. Raises `ProfileError`."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                known = int(file["format"]) == _FORMAT
                kept: dict[str, Any] = {f.name: _whole(file[f.name]) for f in fields(cls)}
            lengths = {len(kept[name]) for name in ("active", "cepstra", "breath", "heard", "voiced")}
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
            raise ProfileError("the profile is damaged") from error
        if not known or len(lengths) != 1 or not kept["active"].any() or str(kept["source"]) not in SOURCE_VOICES:
            raise ProfileError("the profile is damaged, or another version of the engine made it")
        return cls(**kept)


def _halve(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return values.astype(np.float16) if values.dtype == np.float32 else values


def _whole(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return values.astype(np.float32) if values.dtype == np.float16 else values
