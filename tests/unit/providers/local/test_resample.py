import numpy as np
import pytest

from bot.providers.local.resample import resample


def tone(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate).astype(np.float32)


@pytest.mark.parametrize(("source", "target"), [(48_000, 24_000), (22_050, 24_000), (24_000, 16_000), (22_050, 16_000)])
def test_resample_keeps_a_tone_where_and_as_it_is(source: int, target: int) -> None:
    out = resample(tone(1000, source), source, target)

    wanted = tone(1000, target)[: len(out)]
    assert len(out) == len(wanted) or abs(len(out) - len(wanted)) <= 1
    inner = slice(500, -500)
    assert np.abs(out[: len(wanted)][inner] - wanted[inner]).max() < 0.01


def test_resample_takes_away_what_the_new_rate_cannot_hold() -> None:
    out = resample(tone(11_000, 48_000), 48_000, 16_000)

    assert np.abs(out[500:-500]).max() < 0.01


def test_resample_gives_nothing_for_nothing_and_the_same_for_the_same_rate() -> None:
    sound = tone(100, 16_000)

    assert resample(np.zeros(0, np.float32), 48_000, 24_000).shape == (0,)
    assert resample(sound, 16_000, 16_000) is sound
