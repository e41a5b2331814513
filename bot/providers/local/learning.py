"""A recording listened to, and a profile made of it."""

from dataclasses import replace

import numpy as np

from bot.providers.local.adaptation import adapt
from bot.providers.local.arrays import Flags, Floats
from bot.providers.local.cepstrum import ORDER, RATE, shape
from bot.providers.local.conversion import blend
from bot.providers.local.exemplars import Exemplars
from bot.providers.local.measure import Spread
from bot.providers.local.phones import PHONES
from bot.providers.local.posterior import RATE as NET_RATE
from bot.providers.local.posterior import PosteriorNet
from bot.providers.local.profile import Profile
from bot.providers.local.recording import find_edge
from bot.providers.local.reference import Reference
from bot.providers.local.resample import resample
from bot.providers.local.source import choose_source
from bot.providers.local.vocoder import Track, analyse, find_active, find_range

_PRIOR = 30.0
"""Frames that the shift over all phones counts against those of one."""
_SHARPNESS = 1.5
_MOST_GAIN = 1.8


def _listen(net: PosteriorNet, samples: Floats, frames: int) -> Floats:
    """Give the log probability of each phone for each 5 ms of 24 kHz sound."""
    heard = net.listen(resample(samples, RATE, NET_RATE))
    places = np.clip(np.arange(frames) * 0.5, 0, len(heard) - 1)
    low = places.astype(np.intp)
    high = np.minimum(low + 1, len(heard) - 1)
    share = (places - low)[:, None].astype(np.float32)
    return np.asarray(heard[low] * (1 - share) + heard[high] * share, dtype=np.float32)


def _learn_shifts(track: Track, active: Flags, heard: Floats, reference: Reference) -> tuple[Floats, Floats]:
    """Find the way from the source's mean envelope to the speaker's: over all, and for each phone."""
    source = reference.source
    shift = track.cepstra[active].mean(axis=0) - source.track.cepstra[source.active].mean(axis=0)
    weights = np.exp(heard) ** _SHARPNESS * active[:, None]
    per_phone = np.tile(shift, (len(PHONES), 1))
    for phone in range(len(PHONES)):
        rows = (source.labels == phone) & source.active
        if rows.sum() < 5:
            continue
        amount = float(weights[:, phone].sum())
        mean = weights[:, phone] @ track.cepstra / max(amount, 1e-9)
        own = mean - source.track.cepstra[rows].mean(axis=0)
        per_phone[phone] = (amount * own + _PRIOR * shift) / (amount + _PRIOR)
    return shift.astype(np.float32), per_phone.astype(np.float32)


def _pair(spread: Spread) -> Floats:
    return np.stack([spread.mean, spread.deviation]).astype(np.float32)


def _match_spread(profile: Profile, reference: Reference) -> Profile:
    """Learn how converted speech must be stretched to vary as much as the speaker does."""
    converted, _ = blend(reference.source, profile, Exemplars(profile))
    before = Spread.of(converted[reference.source.active])
    own = profile.cepstra[profile.active]
    gain = np.clip(own.std(axis=0) / before.deviation, 1 / _MOST_GAIN, _MOST_GAIN)
    gain[0] = 1
    return replace(profile, before=before.mean, gain=gain.astype(np.float32), after=own.mean(axis=0))


def learn(samples: Floats, net: PosteriorNet) -> Profile:
    """Make a profile of 24 kHz sound."""
    edge = find_edge(samples)
    track = analyse(samples, *find_range(samples), edge=edge)
    active = find_active(track.level)
    shapes = Spread.of(shape(track.cepstra)[active])
    heard = adapt(_listen(net, samples, len(active)), shapes.normalise(shape(track.cepstra)), active)
    pitch = Spread.of_pitch(track.pitch)
    reference = Reference.load(choose_source(float(pitch.mean)))
    shift, phone_shift = _learn_shifts(track, active, heard, reference)
    common = 0.5 * np.log(np.exp(heard).mean(axis=0) + 1e-4)
    source = reference.source
    unmoved = np.zeros(ORDER, np.float32)
    profile = Profile(
        source=np.array(reference.voice.name),
        edge=np.array(edge, np.float32),
        pitch=_pair(pitch),
        level=_pair(Spread.of(track.level[active])),
        shape=_pair(shapes),
        source_pitch=_pair(Spread.of_pitch(source.track.pitch)),
        source_level=_pair(Spread.of(source.track.level[source.active])),
        source_shape=_pair(Spread.of(shape(source.track.cepstra)[source.active])),
        shift=shift,
        phone_shift=phone_shift,
        before=unmoved,
        gain=unmoved + 1,
        after=unmoved,
        cepstra=track.cepstra,
        breath=track.breath,
        heard=(heard - common).astype(np.float32),
        voiced=track.voiced,
        active=active,
    )
    return _match_spread(profile, reference)
