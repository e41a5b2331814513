"""Bring speech to one loudness as it comes. Does not know where it comes from or how it is packed."""

import numpy as np

from bot.audio.limit import CEILING, Limiter
from bot.audio.loudness import SILENT, Meter, loudness
from bot.audio.recording import RATE, Samples, chain, silence

TARGET = -16.0
"""LUFS."""
MOST = 30.0
"""Highest gain in dB: what is quieter still is noise."""
LEAST = -40.0
HOLD = round(0.8 * RATE)
"""Sound measured before the first gain is set, unless the first block is longer."""
LEAD = RATE // 10
RISE = 20.0
"""Fastest rise of the gain, in dB a second."""
FALL = 300.0
PULL = 4.0
"""Most dB by which the gain makes up for what already went out too loud or too quiet."""
MAKE_UP = 6.0
"""Most dB added for what the limiter takes away."""


class Leveller:
    """Brings one utterance to -16 LUFS with no true peak above -1 dBTP.

    Owns the gain, which follows the loudness of all that was heard so far: a block fed as a whole phrase is measured
    whole before any of it goes out.
    """

    def __init__(self, target: float = TARGET) -> None:
        self._target = target
        self._heard = Meter()
        self._given = Meter()
        self._limiter = Limiter()
        self._held = silence(0)
        self._gain: float | None = None

    def feed(self, samples: Samples) -> Samples:
        """Take the next samples and give what is levelled."""
        self._heard.feed(samples)
        self._held = chain([self._held, samples])
        if self._gain is not None:
            return self._let_out(self._held.size)
        if self._heard.integrated <= SILENT:
            return self._let_out(max(0, self._held.size - LEAD))
        return self._let_out(self._held.size) if self._held.size >= HOLD else silence(0)

    def finish(self) -> Samples:
        """Give the rest."""
        return chain([self._let_out(self._held.size), self._limiter.finish()])

    def _let_out(self, count: int) -> Samples:
        block, self._held = self._held[:count], self._held[count:]
        measured = self._heard.integrated
        if count and measured > SILENT:
            block = self._amplify(block, min(max(self._target - measured, LEAST), MOST))
        out = self._limiter.feed(block)
        self._given.feed(out)
        return out

    def _amplify(self, block: Samples, wanted: float) -> Samples:
        """Multiply by the gain wanted in dB, reached no faster than an ear allows."""
        given = self._given.integrated
        if self._gain is None:
            self._gain = wanted = wanted + _make_up(block, wanted)
        elif given > SILENT:
            wanted += min(max(2 * (self._target - given), -PULL), PULL)
        change = wanted - self._gain
        speed = RISE if change > 0 else FALL
        ramp = round(abs(change) / speed * RATE)
        path = np.arange(1, block.size + 1, dtype=np.float32) / max(ramp, 1)
        levels = self._gain + change * np.minimum(path, 1.0)
        self._gain = float(levels[-1])
        return np.asarray(block * 10 ** (levels / 20), dtype=np.float32)


def _make_up(block: Samples, gain: float) -> float:
    """Find how many dB more bring a block through the limiter at the loudness meant."""
    if float(np.abs(block).max()) * 10 ** (gain / 20) <= CEILING / 2:
        return 0.0
    goal, more = loudness(block) + gain, 0.0
    for _ in range(3):
        limiter = Limiter()
        amplified = np.asarray(block * 10 ** ((gain + more) / 20), dtype=np.float32)
        more += goal - loudness(chain([limiter.feed(amplified), limiter.finish()]))
    return min(max(more, 0.0), MAKE_UP)


def level(samples: Samples, target: float = TARGET) -> Samples:
    """Bring a whole piece of sound to a loudness in LUFS; its length stays."""
    leveller = Leveller(target)
    return chain([leveller.feed(samples), leveller.finish()])
