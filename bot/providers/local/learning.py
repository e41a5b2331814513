"""A recording listened to, and a profile made of it."""

import numpy as np

from bot.providers.local.arrays import Flags, Floats
from bot.providers.local.cepstrum import RATE, shape
from bot.providers.local.conversion import CONTEXT, OFFSETS, around, blend
from bot.providers.local.phones import PHONES
from bot.providers.local.posterior import RATE as NET_RATE
from bot.providers.local.posterior import PosteriorNet
from bot.providers.local.profile import Profile
from bot.providers.local.resample import resample
from bot.providers.local.source import Reference, measure, measure_pitch
from bot.providers.local.vocoder import Track, analyse, find_active, find_range

_PRIOR = 30.0


def listen(net: PosteriorNet, samples: Floats, frames: int) -> Floats:
    """Give the log probability of each phone for each 5 ms of 24 kHz sound."""
    heard = net.listen(resample(samples, RATE, NET_RATE))
    places = np.clip(np.arange(frames) * 0.5, 0, len(heard) - 1)
    low = places.astype(np.intp)
    high = np.minimum(low + 1, len(heard) - 1)
    share = (places - low)[:, None].astype(np.float32)
    return heard[low] * (1 - share) + heard[high] * share


def learn_shift(track: Track, active: Flags, heard: Floats, reference: Reference) -> tuple[Floats, Floats]:
    """Find the way from the source's mean envelope to the speaker's: over all, and for each phone."""
    source = reference.source
    shift = track.cepstra[active].mean(axis=0) - source.track.cepstra[source.active].mean(axis=0)
    weights = np.exp(heard) ** 1.5 * active[:, None]
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


def learn(samples: Floats, net: PosteriorNet, reference: Reference) -> Profile:
    """Make a profile of 24 kHz sound."""
    track = analyse(samples, *find_range(samples))
    active = find_active(track.level)
    heard = listen(net, samples, len(active))
    shift, phone_shift = learn_shift(track, active, heard, reference)
    spread = measure(shape(track.cepstra)[active])
    prior = 0.5 * np.log(np.exp(heard).mean(axis=0) + 1e-4)
    levels = track.level[active]
    still = np.zeros(track.cepstra.shape[1], np.float32)
    profile = Profile(
        pitch=np.array(measure_pitch(track.pitch), np.float32),
        level=np.array([levels.mean(), levels.std()], np.float32),
        shift=shift,
        phone_shift=phone_shift,
        shape_mean=spread.mean,
        shape_deviation=spread.deviation,
        before_mean=still,
        gain=still + 1,
        after_mean=still,
        cepstra=track.cepstra[active],
        breath=track.breath[active],
        voiced=track.voiced[active],
        context=around(spread.normalise(shape(track.cepstra)), CONTEXT)[active],
        phones=around((heard - prior).astype(np.float32), OFFSETS)[active],
    )
    return match_spread(profile, reference, track.cepstra[active])


def match_spread(profile: Profile, reference: Reference, own: Floats) -> Profile:
    """Learn how converted speech must be stretched to vary as much as the speaker does."""
    source = reference.source
    converted, _ = blend(source, reference, profile)
    before = measure(converted[source.active])
    gain = np.clip(own.std(axis=0) / (before.deviation + 1e-6), 1 / 1.8, 1.8)
    gain[0] = 1
    kept = {name: getattr(profile, name) for name in profile.__dataclass_fields__}
    kept |= {"before_mean": before.mean, "gain": gain.astype(np.float32), "after_mean": own.mean(axis=0)}
    return Profile(**kept)
