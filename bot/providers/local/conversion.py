"""The source voice changed toward a speaker."""

import numpy as np

from bot.providers.local.arrays import Floats, Integers
from bot.providers.local.cepstrum import shape, smooth
from bot.providers.local.phones import PHONES, SILENCE
from bot.providers.local.profile import Profile
from bot.providers.local.source import Reference, Source
from bot.providers.local.vocoder import Track

CONTEXT = (-8, -4, 0, 4, 8)
OFFSETS = (-10, -6, -3, 0, 3, 6, 10)
OFFSET_WEIGHTS = (0.4, 0.7, 1.0, 1.2, 1.0, 0.7, 0.4)
NEIGHBOURS = 6
OWN = 0.5
"""Share of the speaker's own frames in an envelope; the rest is the source's envelope, shifted."""
_BLOCK = 400


def around(rows: Floats, offsets: tuple[int, ...]) -> Floats:
    """Lay each row's neighbours beside it; the ends are held."""
    places = np.clip(np.arange(len(rows))[:, None] + np.array(offsets), 0, len(rows) - 1)
    return rows[places].reshape(len(rows), -1)


def shift_phones(source: Source, phone_shift: Floats, shift: Floats) -> Floats:
    """Move each frame of the source by what its phone needs, gliding between phones."""
    share = np.zeros((len(source), len(PHONES)), np.float32)
    share[np.arange(len(source)), source.labels] = 1
    moved = source.track.cepstra + smooth(share, 4.0) @ phone_shift
    pause = ~source.active
    moved[pause] = source.track.cepstra[pause] + shift
    return np.asarray(moved, dtype=np.float32)


def match_frames(source: Source, reference: Reference, profile: Profile) -> Integers:
    """Find the speaker's frames that sound most like each of the source (frames by `NEIGHBOURS`)."""
    wanted = around(reference.shape.normalise(shape(source.track.cepstra)), CONTEXT)
    own = profile.context
    own_square = (own**2).sum(axis=1)
    labels = around(source.labels[:, None], OFFSETS)
    per_offset = profile.phones.reshape(len(own), len(OFFSETS), len(PHONES))
    found = np.empty((len(source), min(NEIGHBOURS, len(own))), np.intp)
    for start in range(0, len(source), _BLOCK):
        rows = slice(start, start + _BLOCK)
        part = wanted[rows]
        square = (part**2).sum(axis=1)[:, None] + own_square - 2 * part @ own.T
        cost = np.sqrt(np.maximum(square, 0))
        for place, weight in enumerate(OFFSET_WEIGHTS):
            cost -= weight * per_offset[:, place][:, labels[rows, place]].T
        cost += 3.0 * (source.track.voiced[rows, None] != profile.voiced[None])
        found[rows] = np.argpartition(cost, found.shape[1] - 1, axis=1)[:, : found.shape[1]]
    return found


def blend(source: Source, reference: Reference, profile: Profile) -> tuple[Floats, Floats]:
    """Mix the shifted source with the speaker's own frames; the cepstra and the breath."""
    moved = shift_phones(source, profile.phone_shift, profile.shift)
    found = match_frames(source, reference, profile)
    own = smooth(profile.cepstra[found].mean(axis=1), 1.5)
    breath = smooth(profile.breath[found].mean(axis=1), 1.5)
    moved[:, 0] = own[:, 0]
    return OWN * own + (1 - OWN) * moved, breath


def convert_pitch(source: Source, reference: Reference, profile: Profile) -> Floats:
    """Move the source's pitch to the speaker's mean and spread."""
    pitch = source.track.pitch
    mean, deviation = reference.pitch
    moved = np.exp((np.log(np.maximum(pitch, 1)) - mean) * (profile.pitch[1] / deviation) + profile.pitch[0])
    return np.asarray(np.where(pitch > 0, moved, 0), dtype=np.float32)


def convert(source: Source, reference: Reference, profile: Profile) -> Track:
    """Change what was read toward the speaker."""
    cepstra, breath = blend(source, reference, profile)
    spread = (cepstra - profile.before_mean) * profile.gain + profile.after_mean
    cepstra = np.where(source.active[:, None], spread, cepstra)
    mean, deviation = reference.level
    levels = (source.track.level - mean) * min(float(profile.level[1]) / deviation, 1.3) + profile.level[0]
    track = Track(source.track.pitch, cepstra, breath)
    lift = 0.7 * (levels - track.level)
    lift = np.where(source.active, smooth(lift, 1.5), np.minimum(lift / 0.7, 0))
    return Track(convert_pitch(source, reference, profile), raise_level(cepstra, lift), breath)


def raise_level(cepstra: Floats, lift: Floats) -> Floats:
    """Add `lift` to the log power of every frequency."""
    out = cepstra.copy()
    out[:, 0] += lift * np.sqrt(np.float32(128))
    return out
