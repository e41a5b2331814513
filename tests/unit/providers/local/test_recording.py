import numpy as np
import pytest

from bot.providers.local.cepstrum import RATE
from bot.providers.local.recording import MOST_SECONDS, SAMPLE_RATE, find_edge, prepare, speech_seconds
from bot.providers.local.resample import resample
from tests.unit.providers.sound import to_pcm


def test_prepare_cuts_long_pauses_out(speech: np.ndarray) -> None:
    silence = np.zeros(SAMPLE_RATE * 20, np.float32)

    sound = prepare(to_pcm(np.concatenate([silence, speech, silence])))

    assert 0.5 * len(speech) / SAMPLE_RATE < len(sound) / RATE <= len(speech) / SAMPLE_RATE


def test_prepare_takes_no_more_than_it_needs(speech: np.ndarray) -> None:
    assert len(prepare(to_pcm(np.tile(speech, 6)))) / RATE <= MOST_SECONDS


@pytest.mark.parametrize("gain", [0.01, 0.3, 8.0])
def test_prepare_brings_quiet_and_loud_to_one_level(speech: np.ndarray, gain: float) -> None:
    sound = prepare(to_pcm(speech * gain))

    assert np.sqrt((sound**2).mean()) == pytest.approx(0.07, rel=0.05)


@pytest.mark.parametrize("pcm", [b"", b"\0", b"\0" * 500, b"\0" * 96_000])
def test_silence_is_no_speech(pcm: bytes) -> None:
    assert speech_seconds(pcm) == 0
    assert len(prepare(pcm)) == 0


def test_speech_is_counted_without_the_pauses(speech: np.ndarray) -> None:
    silence = np.zeros(SAMPLE_RATE * 5, np.float32)

    assert speech_seconds(to_pcm(np.concatenate([speech, silence]))) == pytest.approx(
        speech_seconds(to_pcm(speech)), abs=0.1
    )


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_edge_of_a_narrow_recording_is_found(speech: np.ndarray, rate: int) -> None:
    narrow = resample(resample(speech, SAMPLE_RATE, rate), rate, SAMPLE_RATE)

    assert find_edge(prepare(to_pcm(narrow))) == pytest.approx(rate / 2, abs=1000)


def test_noise_over_the_whole_band_has_no_edge() -> None:
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)

    assert find_edge(noise) == RATE / 2
    assert find_edge(noise[:100]) == RATE / 2
