"""The net's opinion brought closer to one speaker.

The net has only ever heard espeak-ng. Where it hears a person, its guesses are good enough to say how each phone looks
in this person's envelopes on average (one Gaussian a phone, one covariance for all), and those averages correct the
guesses.
"""

import numpy as np

from bot.providers.local.arrays import Flags, Floats
from bot.providers.local.exemplars import around

_OFFSETS = (-6, -3, 0, 3, 6)
_PRIOR = 5.0
"""Frames that the mean over all phones counts against those of one."""
_TRUST = 0.3
"""Weight of the Gaussians beside the net: neighbouring frames say nearly the same, so they must not vote in full."""
_RIDGE = 0.1


def adapt(heard: Floats, shapes: Floats, active: Flags) -> Floats:
    """Correct the log probability of each phone by how this speaker's phones look; `shapes` are normalised."""
    rows = around(shapes, _OFFSETS)
    share = np.exp(heard[active])
    seen = rows[active]
    amount = share.sum(axis=0)[:, None]
    means = (share.T @ seen + _PRIOR * seen.mean(axis=0)) / (amount + _PRIOR)
    rest = seen - share @ means
    covariance = rest.T @ rest / len(seen) + _RIDGE * np.eye(rows.shape[1], dtype=np.float32)
    slopes = np.linalg.solve(covariance, means.T)
    fit = rows @ slopes - 0.5 * (means.T * slopes).sum(axis=0)
    corrected = heard + _TRUST * (fit - fit.max(axis=1, keepdims=True))
    corrected -= corrected.max(axis=1, keepdims=True)
    return np.asarray(corrected - np.log(np.exp(corrected).sum(axis=1, keepdims=True)), dtype=np.float32)
