"""What cleaning does to noisy, clean, long and empty recordings."""

import numpy as np
import pytest

from bot.audio import Recording, clean, judge
from bot.audio.limit import true_peak
from bot.audio.recording import RATE, silence
from tests.unit.audio.sounds import measure, noise, speak, tone

SPEECH = speak(12.0)


@pytest.mark.parametrize("level", [-36, -42, -48])
def test_cleaning_takes_noise_out_of_the_pauses(level: int) -> None:
    before = Recording((SPEECH + noise(12, level)).astype(np.float32))

    after = clean(before)

    first, second = judge(before), judge(after)
    assert (first.noise - first.loudness) - (second.noise - second.loudness) > 8
    assert second.speech_seconds > first.speech_seconds - 1


@pytest.mark.parametrize("gain", [-20, 0, 12])
def test_cleaning_brings_speech_to_minus_18_lufs_without_clipping(gain: int) -> None:
    loud = np.clip(SPEECH * 10 ** (gain / 20), -1, 1).astype(np.float32)

    cleaned = clean(Recording(loud)).samples

    assert measure(cleaned) == pytest.approx(-18, abs=0.7)
    assert true_peak(cleaned) <= 10 ** (-1 / 20)


def test_cleaning_leaves_clean_speech_alone() -> None:
    cleaned = clean(Recording(SPEECH)).samples

    start = int(np.argmax(np.correlate(SPEECH[:RATE], cleaned[RATE // 4 : RATE // 2], "valid"))) - RATE // 4
    length = min(5 * RATE, cleaned.size)
    original, result = SPEECH[start : start + length].astype(np.float64), cleaned[:length].astype(np.float64)
    scale = (original @ result) / (original @ original)
    rest = result - scale * original
    assert 10 * np.log10((scale**2 * original @ original) / (rest @ rest)) > 12
    assert judge(Recording(cleaned)).grade == judge(Recording(SPEECH)).grade


def test_cleaning_takes_rumble_out() -> None:
    rumble = tone(12.0, 20.0, -12)

    cleaned = clean(Recording((SPEECH + rumble).astype(np.float32))).samples

    assert _share_below(cleaned, 40) < _share_below(SPEECH + rumble, 40) / 20


def test_cleaning_trims_silence_at_both_ends() -> None:
    padded = np.concatenate([silence(3 * RATE), SPEECH, silence(4 * RATE)])

    assert clean(Recording(padded)).seconds == pytest.approx(12.0, abs=0.6)


def test_cleaning_shortens_long_pauses() -> None:
    apart = np.concatenate([speak(5.0), silence(5 * RATE), speak(5.0, seed=2)])

    cleaned = clean(Recording(apart))

    assert 9.5 < cleaned.seconds < 11.0
    assert judge(cleaned).speech_seconds == pytest.approx(judge(Recording(apart)).speech_seconds, abs=0.5)


def test_cleaning_cuts_nothing_where_nobody_speaks() -> None:
    assert clean(Recording(noise(4, -30))).seconds == pytest.approx(4.0)


def test_cleaning_silence_leaves_silence() -> None:
    assert not clean(Recording(silence(RATE))).samples.any()


def test_cleaning_nothing_gives_nothing() -> None:
    assert clean(Recording(silence(0))).seconds == 0


def _share_below(samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]], frequency: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(power[: int(frequency * samples.size / RATE)].sum() / power.sum())
