"""Mean and spread of what a voice does."""

from dataclasses import dataclass

import numpy as np

from bot.providers.local.arrays import Floats

_NO_PITCH = (float(np.log(150.0)), 0.2)


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation of each column."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, rows: Floats) -> "Spread":
        """Measure some rows; a column never deviates by less than a trifle, so that one can divide by it."""
        return cls(rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3).astype(np.float32))

    @classmethod
    def of_pitch(cls, pitch: Floats) -> "Spread":
        """Measure the log of a pitch, octave errors left out; that of a middling voice where there is none."""
        sung = np.log(pitch[pitch > 0])
        if len(sung) < 20:
            return cls(*(np.array(value, np.float32) for value in _NO_PITCH))
        near = sung[np.abs(sung - np.median(sung)) < 0.7]
        return cls(*(np.array(value, np.float32) for value in (near.mean(), max(float(near.std()), 0.05))))

    def normalise(self, rows: Floats) -> Floats:
        """Take the mean away and divide by the deviation."""
        return np.asarray((rows - self.mean) / self.deviation, dtype=np.float32)
