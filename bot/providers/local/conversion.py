"""The source voice changed toward a speaker.

English goes the full way: half of each envelope is the source's, moved by what its phone needs, and half is the mean of
the speaker's own frames that sound alike; the first keeps the words, the second brings the voice. Any other language
goes the simple way, which needs no phones: pitch and average envelope.
"""

import numpy as np

from bot.providers.local.arrays import Floats
from bot.providers.local.cepstrum import raise_level, smooth
from bot.providers.local.exemplars import Exemplars
from bot.providers.local.phones import PHONES
from bot.providers.local.profile import Profile
from bot.providers.local.source import Source
from bot.providers.local.vocoder import Track

OWN = 0.5
"""Share of the speaker's own frames in an envelope."""
_OWN_BLUR = 1.5
"""Frames over which neighbouring choices run into each other."""
_GLIDE = 4.0
"""Frames over which one phone's shift gives way to the next."""
_LIFT = 0.7
"""Share of the way that the level is brought to where the source's would be."""
_MOST_DYNAMIC = 1.3
_LEAST_VOICED = 0.05


def shift_phones(source: Source, profile: Profile) -> Floats:
    """Move each frame of the source by what its phone needs."""
    share = np.zeros((len(source), len(PHONES)), np.float32)
    share[np.arange(len(source)), source.labels] = 1
    moved = source.track.cepstra + smooth(share, _GLIDE) @ profile.phone_shift
    return np.where(source.active[:, None], moved, source.track.cepstra + profile.shift)


def blend(source: Source, profile: Profile, exemplars: Exemplars) -> tuple[Floats, Floats]:
    """Mix the shifted source with the speaker's own frames; gives cepstra and breath."""
    moved = shift_phones(source, profile)
    found = exemplars.match(source)
    own = smooth(exemplars.cepstra[found].mean(axis=1), _OWN_BLUR)
    breath = source.track.breath
    if exemplars.voiced.mean() > _LEAST_VOICED:
        breath = smooth(exemplars.breath[found].mean(axis=1), _OWN_BLUR)
    moved[:, 0] = own[:, 0]
    return OWN * own + (1 - OWN) * moved, breath


def convert_pitch(pitch: Floats, profile: Profile) -> Floats:
    """Move the source's pitch to the speaker's mean and spread."""
    ratio = profile.pitch[1] / profile.source_pitch[1]
    moved = np.exp((np.log(np.maximum(pitch, 1)) - profile.source_pitch[0]) * ratio + profile.pitch[0])
    return np.asarray(np.where(pitch > 0, np.clip(moved, 40, 800), 0), dtype=np.float32)


def _level(track: Track, source: Source, profile: Profile) -> Floats:
    """Bring the level to what the source's would be in the speaker's range."""
    (mean, deviation), (own_mean, own_deviation) = profile.source_level, profile.level
    ratio = min(float(own_deviation / deviation), _MOST_DYNAMIC)
    lift = (source.track.level - mean) * ratio + own_mean - track.level
    return raise_level(track.cepstra, np.where(source.active, smooth(_LIFT * lift, 1.5), np.minimum(lift, 0)))


def convert(source: Source, profile: Profile, exemplars: Exemplars) -> Track:
    """Change what was read in English toward the speaker."""
    cepstra, breath = blend(source, profile, exemplars)
    spread = (cepstra - profile.before) * profile.gain + profile.after
    track = Track(convert_pitch(source.track.pitch, profile), np.where(source.active[:, None], spread, cepstra), breath)
    return Track(track.pitch, _level(track, source, profile), breath)


def convert_simply(source: Source, profile: Profile) -> Track:
    """Change what was read in any language toward the speaker: pitch and average envelope."""
    moved = source.track.cepstra + profile.shift
    track = Track(convert_pitch(source.track.pitch, profile), moved, source.track.breath)
    return Track(track.pitch, _level(track, source, profile), track.breath)
