"""Loudness, the leveller and the limiter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.audio.level import Leveller, level
from bot.audio.limit import Limiter, true_peak
from bot.audio.loudness import Meter, loudness
from bot.audio.recording import RATE, Samples, chain, silence
from tests.unit.audio.sounds import measure, noise, speak, tone

PROMISED = 10 ** (-1 / 20)


def _at(samples: Samples, lufs: float) -> Samples:
    return np.clip(samples * 10 ** ((lufs - loudness(samples)) / 20), -1, 1).astype(np.float32)


def _stream(samples: Samples, size: int) -> Samples:
    leveller = Leveller()
    parts = [leveller.feed(samples[start : start + size]) for start in range(0, samples.size, size)]
    return chain([*parts, leveller.finish()])


@pytest.mark.parametrize("sound", [speak(6.0), tone(2.0, 997), noise(3.0, -30), speak(0.5)], ids=str)
def test_loudness_agrees_with_the_meter_of_ffmpeg(sound: Samples) -> None:
    assert loudness(sound) == pytest.approx(measure(sound), abs=0.1)


def test_a_full_scale_tone_of_997_hz_is_minus_3_lufs() -> None:
    assert loudness(tone(2.0, 997, 0)) == pytest.approx(-3.01, abs=0.02)


def test_pauses_do_not_make_speech_quieter() -> None:
    speech = speak(4.0)

    assert loudness(chain([speech, silence(20 * RATE)])) == pytest.approx(loudness(speech), abs=0.3)


def test_sound_shorter_than_a_block_has_a_loudness() -> None:
    assert loudness(tone(0.05, 997, 0)) == pytest.approx(-3.0, abs=0.5)
    assert loudness(tone(0.25, 997, 0)) == pytest.approx(-3.0, abs=0.2)


def test_nothing_has_the_loudness_of_silence() -> None:
    assert loudness(silence(0)) == loudness(silence(RATE)) == -70


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 40_000), max_size=12))
def test_loudness_does_not_depend_on_the_portions(sizes: list[int]) -> None:
    speech = speak(3.0)
    meter = Meter()
    start = 0
    for size in [*sizes, speech.size]:
        meter.feed(speech[start : start + size])
        start += size

    assert meter.integrated == pytest.approx(loudness(speech), abs=0.01)


@pytest.mark.parametrize("lufs", [-40.0, -24.0, -5.0])
@pytest.mark.parametrize("seconds", [0.5, 2.0, 9.0])
def test_an_utterance_comes_out_at_minus_16_lufs(lufs: float, seconds: float) -> None:
    levelled = level(_at(speak(seconds), lufs))

    assert measure(levelled) == pytest.approx(-16, abs=1)
    assert true_peak(levelled) <= PROMISED


@pytest.mark.parametrize("lufs", [-40.0, -24.0, -5.0])
@pytest.mark.parametrize("size", [960, 1152, 9_600])
def test_a_stream_of_small_blocks_comes_out_at_minus_16_lufs(lufs: float, size: int) -> None:
    levelled = _stream(_at(speak(9.0), lufs), size)

    assert measure(levelled) == pytest.approx(-16, abs=1)
    assert true_peak(levelled) <= PROMISED


@pytest.mark.parametrize("lufs", [-36.0, -26.0, -20.0, -16.0, -10.0])
@pytest.mark.parametrize("size", [960, 12_288])
def test_a_line_of_three_seconds_in_small_blocks_comes_out_at_minus_16_lufs(lufs: float, size: int) -> None:
    levelled = _stream(_at(speak(3.5, seed=3), lufs), size)

    assert measure(levelled) == pytest.approx(-16, abs=1.5)
    assert true_peak(levelled) <= PROMISED


def test_the_first_packet_of_a_stream_goes_out_within_40_ms_of_sound() -> None:
    leveller = Leveller()

    assert leveller.feed(tone(0.02)).size == 0
    assert leveller.feed(tone(0.02)).size >= RATE // 50


def test_a_quiet_beginning_is_raised_by_little_until_enough_was_heard() -> None:
    quiet = tone(0.36, 997, -40)
    leveller = Leveller()

    parts = [leveller.feed(quiet[start : start + 960]) for start in range(0, quiet.size, 960)]

    raised = 20 * np.log10(float(np.abs(chain(parts)).max()) / float(np.abs(quiet).max()))
    assert 0 <= raised <= 4.1


def test_a_loud_beginning_is_lowered_at_once() -> None:
    loud = tone(0.1, 997, 0)

    assert loudness(_stream(loud, 960)) == pytest.approx(-16, abs=1)


def test_silence_before_a_stream_does_not_make_it_louder() -> None:
    speech = _at(speak(3.0)[RATE // 10 :], -20)

    plain, late = _stream(speech, 960), _stream(chain([silence(RATE // 2), speech]), 960)

    assert np.abs(late[RATE // 2 :]).max() <= np.abs(plain).max() * 1.05
    assert loudness(late[RATE // 2 : RATE]) == pytest.approx(loudness(plain[: RATE // 2]), abs=1)


def test_phrases_of_different_levels_come_out_at_minus_16_lufs_together() -> None:
    phrases = [_at(speak(2.0, seed=seed), lufs) for seed, lufs in ((1, -30.0), (2, -22.0), (3, -34.0), (4, -20.0))]
    leveller = Leveller(phrases=True)

    levelled = chain([*(leveller.feed(phrase) for phrase in phrases), leveller.finish()])

    assert measure(levelled) == pytest.approx(-16, abs=1)


@pytest.mark.parametrize("lufs", [-40.0, -20.0, -8.0])
def test_a_short_phrase_waits_for_the_next_and_is_measured_with_it(lufs: float) -> None:
    first, second = _at(speak(0.4), lufs), _at(speak(2.0, seed=2), lufs)
    leveller = Leveller(phrases=True)

    held = leveller.feed(first)
    levelled = chain([held, leveller.feed(second), leveller.finish()])

    assert held.size == 0
    assert measure(levelled) == pytest.approx(-16, abs=0.5)


def test_levelling_keeps_the_length() -> None:
    assert level(speak(1.3)).size == round(1.3 * RATE)
    assert _stream(speak(1.3), 777).size == round(1.3 * RATE)


def test_silence_stays_silence() -> None:
    assert not _stream(silence(3 * RATE), 960).any()


@pytest.mark.parametrize("phrases", [True, False])
def test_silence_is_not_held_back(phrases: bool) -> None:
    assert Leveller(phrases=phrases).feed(silence(RATE)).size > RATE // 2


def test_faint_noise_is_raised_by_no_more_than_30_db() -> None:
    levelled = level(noise(3.0, -66.0))

    assert loudness(levelled) == pytest.approx(loudness(noise(3.0, -66.0)) + 30, abs=0.5)


@pytest.mark.parametrize("phrases", [True, False])
def test_the_gain_does_not_jump_between_blocks(phrases: bool) -> None:
    steady = tone(2.0, 997, -20)
    leveller = Leveller(phrases=phrases)

    levelled = chain([leveller.feed(steady), leveller.feed(steady / 4), leveller.finish()])

    peaks = np.abs(levelled[2 * RATE : 3 * RATE]).reshape(-1, 480).max(axis=1)
    assert float(np.abs(np.diff(peaks)).max()) < 0.03


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000), gain=st.floats(0.1, 30.0), size=st.integers(100, 20_000), reach=st.sampled_from((8, 20))
)
def test_no_true_peak_passes_the_limiter(seed: int, gain: float, size: int, reach: int) -> None:
    rng = np.random.default_rng(seed)
    sound = (rng.standard_normal(RATE // 2) * rng.random(RATE // 2) ** 8 * gain).astype(np.float32)
    limiter = Limiter(reach)

    parts = [limiter.feed(sound[start : start + size]) for start in range(0, sound.size, size)]
    limited = chain([*parts, limiter.finish()])

    assert limited.size == sound.size
    assert true_peak(limited) <= PROMISED


def test_the_limiter_leaves_quiet_sound_as_it_is() -> None:
    speech = speak(2.0, level=-30)
    limiter = Limiter()

    assert np.array_equal(chain([limiter.feed(speech), limiter.finish()]), speech)


def test_a_true_peak_between_the_samples_is_seen() -> None:
    moments = np.arange(RATE // 10)
    between = np.sin(np.pi / 2 * moments + np.pi / 4).astype(np.float32)

    assert float(np.abs(between).max()) < 0.71
    assert true_peak(between[: RATE // 10]) == pytest.approx(1.0, abs=0.06)
