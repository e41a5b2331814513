"""The speaker's own frames, and which of them sound most like a frame of the source."""

import numpy as np

from bot.providers.local.arrays import Floats, Integers
from bot.providers.local.cepstrum import shape
from bot.providers.local.measure import Spread
from bot.providers.local.profile import Profile
from bot.providers.local.source import Source

NEIGHBOURS = 50
"""Frames whose mean stands for one: fewer are closer to the speaker, more are easier to understand."""
_CONTEXT = (-8, -4, 0, 4, 8)
"""Frames around one whose shape is compared."""
_HEARD = ((-10, 0.4), (-6, 0.7), (-3, 1.0), (0, 1.2), (3, 1.0), (6, 0.7), (10, 0.4))
"""Frames around one whose phone is compared, and how much each counts."""
_VOICING = 3.0
_BLOCK = 400


def around(rows: Floats, offsets: tuple[int, ...]) -> Floats:
    """Lay each row's neighbours beside it; the ends are held."""
    places = np.clip(np.arange(len(rows))[:, None] + np.array(offsets), 0, len(rows) - 1)
    return np.asarray(rows[places].reshape(len(rows), -1), dtype=np.float32)


class Exemplars:
    """Owns the speaker's frames in which something sounds, laid out for comparing."""

    def __init__(self, profile: Profile) -> None:
        active = profile.active
        self.cepstra = profile.cepstra[active]
        self.breath = profile.breath[active]
        self.voiced = profile.voiced[active]
        self._source_shape = Spread(*profile.source_shape)
        spread = Spread(*profile.shape)
        self._context = around(spread.normalise(shape(profile.cepstra)), _CONTEXT)[active]
        self._square = (self._context**2).sum(axis=1)
        frames = np.flatnonzero(active)
        last = len(active) - 1
        self._heard = [weight * profile.heard[np.clip(frames + offset, 0, last)].T for offset, weight in _HEARD]

    def match(self, source: Source) -> Integers:
        """Find the frames nearest to each of the source (frames by `NEIGHBOURS`, in no order)."""
        wanted = around(self._source_shape.normalise(shape(source.track.cepstra)), _CONTEXT)
        last = len(source) - 1
        count = min(NEIGHBOURS, len(self.cepstra))
        found = np.empty((len(source), count), np.intp)
        for start in range(0, len(source), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(source)))
            part = wanted[rows]
            cost = np.sqrt(np.maximum((part**2).sum(axis=1)[:, None] + self._square - 2 * part @ self._context.T, 0))
            for (offset, _), heard in zip(_HEARD, self._heard, strict=True):
                cost -= heard[source.labels[np.clip(rows + offset, 0, last)]]
            cost += _VOICING * (source.track.voiced[rows, None] != self.voiced)
            found[rows] = np.argpartition(cost, count - 1, axis=1)[:, :count]
        return found
