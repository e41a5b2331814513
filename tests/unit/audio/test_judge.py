"""What is heard in recordings of many kinds, in figures and in words."""

import numpy as np
import pytest

from bot.audio import Limits, Recording, decode, join, judge
from bot.audio.judge import measure_clipping
from bot.audio.recording import RATE, silence
from tests.unit.audio.sounds import make_file, measure, noise, speak, tone

SPEECH = speak(14.0)


@pytest.mark.parametrize("pitch", [90.0, 120.0, 210.0])
def test_clear_speech_is_good(pitch: float) -> None:
    report = judge(Recording(speak(14.0, pitch=pitch)))

    assert report.grade == "good"
    assert report.sentence == f"Good: {int(report.speech_seconds)} s of clear speech."
    assert 9.5 < report.speech_seconds < 13
    assert report.seconds == 14.0


def test_speech_is_good_after_mp3_at_64_kbit() -> None:
    recording = decode(make_file(SPEECH, "mp3", "libmp3lame"), Limits(max_bytes=10**7, max_seconds=60))

    report = judge(recording)

    assert report.grade == "good"
    assert report.speech_seconds == pytest.approx(judge(Recording(SPEECH)).speech_seconds, abs=0.5)


def test_loudness_agrees_with_ffmpeg() -> None:
    assert judge(Recording(SPEECH)).loudness == pytest.approx(measure(SPEECH), abs=0.1)


@pytest.mark.parametrize("seconds", [0.0, 0.005, 1.0, 20.0])
def test_silence_is_called_silence(seconds: float) -> None:
    report = judge(Recording(silence(round(seconds * RATE))))

    assert report.grade == "poor"
    assert report.sentence.startswith("Silence: nothing was heard.")
    assert report.loudness == -70
    assert report.speech_seconds == 0


def _music() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    chords = ((262, 330, 392), (220, 262, 330), (196, 247, 294), (175, 220, 262)) * 3
    moments = np.arange(RATE) / RATE
    bars = [sum(np.sin(2 * np.pi * f * h * moments) / h for f in chord for h in range(1, 8)) for chord in chords]
    return (np.concatenate([bar * np.exp(-moments) for bar in bars]) * 0.05).astype(np.float32)


OTHERS = {
    "noise": noise(10, -26),
    "a tone": tone(10, 220),
    "hum": sum((tone(10, 50.0 * h, -30) for h in range(2, 8)), silence(10 * RATE)),
    "beeps": (tone(10) * (np.arange(10 * RATE) % RATE < RATE // 2)).astype(np.float32),
    "music": _music(),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_not_a_voice_is_not_counted_as_speech(kind: str) -> None:
    report = judge(Recording(OTHERS[kind]))

    assert report.speech_seconds < 1
    assert report.grade == "poor"


def test_noise_alone_is_told_from_speech_in_words() -> None:
    assert judge(Recording(noise(10, -26))).sentence.startswith("No speech was heard")


@pytest.mark.parametrize("level", [-46, -52, -58])
def test_the_noise_figure_follows_the_noise(level: int) -> None:
    report = judge(Recording((SPEECH + noise(14, level)).astype(np.float32)))

    assert report.noise == pytest.approx(level - 5.5, abs=1.5)
    assert report.speech_seconds > 8


def test_noisy_speech_is_called_noisy() -> None:
    report = judge(Recording((SPEECH + noise(14, -30)).astype(np.float32)))

    assert report.grade != "good"
    assert "nois" in report.sentence.lower()


def test_quiet_and_noisy_speech_is_asked_for_closer() -> None:
    quiet = SPEECH * 10 ** (-22 / 20) + noise(14, -54)

    report = judge(Recording(quiet.astype(np.float32)))

    assert report.sentence == "Quiet and noisy: record closer to the microphone."


def test_very_quiet_speech_is_poor() -> None:
    report = judge(Recording((SPEECH * 10 ** (-32 / 20)).astype(np.float32)))

    assert report.grade == "poor"
    assert report.sentence.startswith("Very quiet")


def test_quiet_speech_without_noise_is_fair() -> None:
    report = judge(Recording((SPEECH * 10 ** (-22 / 20)).astype(np.float32)))

    assert report.grade == "fair"
    assert "quiet" in report.sentence


def _drive(gain: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.clip(SPEECH / np.abs(SPEECH).max() * 10 ** (gain / 20), -1, 1).astype(np.float32)


def test_clipped_speech_is_asked_to_be_turned_down() -> None:
    report = judge(Recording(_drive(15)))

    assert report.grade == "poor"
    assert report.sentence.startswith("Clipped: turn the microphone down")
    assert report.clipped > 0.01


def test_clipping_is_seen_after_mp3_and_another_rate() -> None:
    data = make_file(_drive(18), "mp3", "libmp3lame", rate=44_100)

    assert measure_clipping(decode(data, Limits(max_bytes=10**7, max_seconds=60)).samples) > 0.004


def test_a_little_clipping_is_fair() -> None:
    report = judge(Recording(_drive(3)))

    assert report.grade == "fair"
    assert "slightly clipped" in report.sentence


def test_speech_that_just_touches_full_scale_is_not_clipped() -> None:
    assert measure_clipping(_drive(0)) < 0.0001


@pytest.mark.parametrize(("seconds", "words"), [(3.0, "I hear 2 s of speech in 3 s: "), (0.8, "I hear 0.")])
def test_too_little_speech_names_what_is_needed(seconds: float, words: str) -> None:
    report = judge(Recording(speak(seconds)))

    assert report.grade == "poor"
    assert report.sentence.startswith(words)
    assert report.sentence.endswith(" s: record at least 5 s of speech.")


def test_quiet_speech_of_which_little_is_heard_is_asked_for_closer() -> None:
    report = judge(Recording((speak(4.0) * 10 ** (-32 / 20)).astype(np.float32)))

    assert 0 < report.speech_seconds < 5
    assert report.sentence == "Very quiet: record closer to the microphone."


def test_a_short_sample_is_fair() -> None:
    assert judge(Recording(speak(9.0))).grade == "fair"


def test_several_short_samples_are_judged_as_one() -> None:
    together = join([Recording(speak(4.0, seed=seed)) for seed in (1, 2, 3, 4)])

    assert together.seconds == pytest.approx(16.9)
    assert judge(together).grade == "good"


def test_nothing_joined_is_nothing() -> None:
    assert join([]).seconds == 0


def test_the_outline_has_256_points_and_follows_the_level() -> None:
    half = np.concatenate([silence(RATE), tone(1.0, level=0)])

    outline = judge(Recording(half.astype(np.float32))).waveform

    assert len(outline) == 256
    assert max(outline[:127]) == 0
    assert min(outline[129:]) == 255


def test_a_recording_of_few_samples_has_as_few_points() -> None:
    assert judge(Recording(np.ones(10, dtype=np.float32))).waveform == b"\xff" * 10
