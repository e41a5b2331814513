"""Bring speech to one loudness as it comes. Does not know where it comes from or how it is packed."""

import numpy as np

from bot.audio.limit import CEILING, REACH, Limiter
from bot.audio.loudness import SILENT, Meter, loudness
from bot.audio.recording import RATE, Samples, chain, pieces, silence

TARGET = -16.0
"""LUFS."""
MOST = 30.0
"""Highest gain in dB: what is quieter still is noise."""
LEAST = -40.0
HOLD = round(0.8 * RATE)
"""Sound of phrases that is measured before the first gain is set, unless the first phrase is longer."""
LEAD = RATE // 10
PACKET = RATE // 50
SHORT_REACH = 8
"""Of the limiter for sound that is waited for."""
SURE = round(0.4 * RATE)
"""Sound that is enough to measure: the block of BS.1770."""
FAINT = 10 ** (-60 / 20)
"""Sample peak below which nothing has begun."""
CAREFUL = 4.0
"""Most dB by which sound is raised before enough of it was heard: services speak at about -20 LUFS."""
EARLY = round(1.2 * RATE)
EARLY_RISE = 40.0
RISE = 20.0
"""Fastest rise of the gain, in dB a second."""
FALL = 300.0
PULL = 4.0
"""Most dB by which the gain makes up for what already went out too loud or too quiet."""
MAKE_UP = 6.0
"""Most dB added for what the limiter takes away."""
NEAR = 0.9
"""Share of the ceiling that sample peaks may reach without the limiter taking much."""
CLOSE = 0.15


class Leveller:
    """Brings one utterance to -16 LUFS with no true peak above -1 dBTP.

    Owns the gain, which follows the loudness of all that was heard so far. `phrases`: each block is one, measured
    whole before any of it goes out. Otherwise blocks are portions, and the first goes out as soon as a packet can be
    made of it, raised by little until enough was heard; or, where it is known how loud the `usual` sound from there is
    in LUFS, as if this were as loud.
    """

    def __init__(self, target: float = TARGET, *, phrases: bool = False, usual: float | None = None) -> None:
        self._target = target
        self._usual = None if phrases else usual
        self._phrases = phrases
        self._heard = Meter()
        self._given = Meter()
        self._limiter = Limiter(REACH if phrases else SHORT_REACH)
        self._held = silence(0)
        self._fed = 0
        """Samples so far."""
        self._sounding = 0
        """Of them, those from the first that is not faint."""
        self._gain: float | None = None

    @property
    def heard(self) -> float | None:
        """Loudness in LUFS of what came so far; None where that is too little to tell."""
        measured = self._heard.integrated
        return measured if self._sounding >= SURE and measured > SILENT else None

    def feed(self, samples: Samples) -> Samples:
        """Take the next samples and give what is levelled."""
        begins = 0 if self._phrases or self._sounding else _begin(samples)
        self._heard.feed(samples[begins:])
        self._sounding += samples.size - begins
        self._fed += samples.size
        self._held = chain([self._held, samples])
        return self._let_out(max(0, self._held.size - self._wait()))

    def _wait(self) -> int:
        """Tell how many samples have to stay."""
        if self._gain is not None:
            return 0
        if not self._phrases:
            return 0 if self._fed >= self._limiter.delay + PACKET else self._held.size
        if self._heard.integrated <= SILENT:
            return LEAD
        return 0 if self._held.size >= HOLD else self._held.size

    def finish(self) -> Samples:
        """Give the rest."""
        return chain([self._let_out(self._held.size), self._limiter.finish()])

    def _let_out(self, count: int) -> Samples:
        block, self._held = self._held[:count], self._held[count:]
        measured = self._expected(self._heard.integrated)
        if count and measured > SILENT:
            block = self._amplify(block, min(max(self._target - measured, LEAST), MOST))
        out = self._limiter.feed(block)
        self._given.feed(out)
        return out

    def _expected(self, measured: float) -> float:
        """Put what is usual in the place of what was measured, and come back to that as more is heard."""
        if self._usual is None or measured <= SILENT or self._sounding >= EARLY:
            return measured
        usual = max(self._usual, measured - CAREFUL)
        share = max(0.0, (self._sounding - SURE) / (EARLY - SURE))
        return usual + (measured - usual) * share

    def _amplify(self, block: Samples, wanted: float) -> Samples:
        """Multiply by the gain wanted in dB, reached no faster than an ear allows."""
        sure = self._phrases or self._sounding >= SURE
        if not sure and self._usual is None:
            wanted = min(wanted, CAREFUL)
        if self._gain is None:
            self._gain = wanted = wanted + (_make_up(block, wanted) if sure else 0.0)
        elif sure and (given := self._given.integrated) > SILENT:
            wanted += min(max(2 * (self._target - given), -PULL), PULL)
        change = wanted - self._gain
        speed = FALL if change < 0 else RISE if self._phrases or self._sounding > EARLY else EARLY_RISE
        ramp = round(abs(change) / speed * RATE)
        on_the_way = min(ramp, block.size)
        path = self._gain + change * np.arange(1, on_the_way + 1) / max(ramp, 1)
        changing = np.asarray(block[:on_the_way] * 10 ** (path / 20), dtype=np.float32)
        self._gain = float(path[-1]) if ramp > block.size else wanted
        return chain([changing, block[on_the_way:] * _factor(self._gain)])


def _begin(samples: Samples) -> int:
    """Find the first sample that is not faint; behind the last where there is none."""
    audible = np.abs(samples) > FAINT
    return int(audible.argmax()) if audible.any() else samples.size


def level(samples: Samples, target: float = TARGET) -> Samples:
    """Bring a whole piece of sound to a loudness in LUFS with one gain and the limiter; its length stays."""
    measured = loudness(samples)
    if measured <= SILENT:
        return samples
    gain = min(max(target - measured, LEAST), MOST)
    return _limit(samples, gain + _make_up(samples, gain))


def _make_up(samples: Samples, gain: float) -> float:
    """Find how many dB more bring sound through the limiter at the loudness meant."""
    if max(float(samples.max()), -float(samples.min())) * _factor(gain) <= CEILING * NEAR:
        return 0.0
    goal, more = loudness(samples) + gain, 0.0
    for _ in range(3):
        missing = goal - loudness(_limit(samples, gain + more))
        more += missing
        if abs(missing) < CLOSE:
            break
    return min(max(more, 0.0), MAKE_UP)


def _limit(samples: Samples, gain: float) -> Samples:
    limiter, factor = Limiter(), _factor(gain)
    return chain([*(limiter.feed(piece * factor) for piece in pieces(samples)), limiter.finish()])


def _factor(decibels: float) -> np.float32:
    return np.float32(10 ** (decibels / 20))
