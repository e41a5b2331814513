from dataclasses import replace

import numpy as np
import pytest

from bot.providers.local.cepstrum import RATE
from bot.providers.local.espeak import Espeak, EspeakError, Utterance
from bot.providers.local.phones import PHONES
from bot.providers.local.posterior import PosteriorNet
from bot.providers.local.profile import Profile
from bot.providers.local.recording import SAMPLE_RATE
from bot.providers.local.resample import resample
from bot.providers.local.studio import Studio
from bot.providers.local.vocoder import analyse
from bot.providers.local.wire import Frame
from bot.providers.local.worker import RefusedError
from tests.unit.providers.sound import heard, to_pcm


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio()


def clone(studio: Studio, pcm: bytes) -> bytes:
    *_, answer = studio.begin(Frame(request=1, verb="clone", body=pcm))
    assert answer.verb == "profile"
    return answer.body


def speak(studio: Studio, text: str, profile: bytes, language: str = "") -> list[np.ndarray]:
    question = Frame(request=1, verb="speak", text=text, body=profile, language=language)
    return [heard(frame.body) for frame in studio.begin(question)]


def assert_sounds_well(sound: np.ndarray) -> None:
    """Check that it is loud enough, never at full scale, and neither starts nor ends with a click."""
    assert np.sqrt((sound**2).mean()) > 0.01
    assert np.abs(sound).max() < 0.99
    assert max(abs(sound[0]), abs(sound[-1])) < 0.01


def share_above(sound: np.ndarray, hertz: float) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float(power[int(hertz / (RATE / 2) * (len(power) - 1)) :].sum() / power.sum())


def tone(hertz: float, seconds: float = 6) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(int(SAMPLE_RATE * seconds)) / SAMPLE_RATE)).astype(np.float32)


def chords() -> np.ndarray:
    return np.concatenate([sum(tone(root * step, 0.5) for step in (1, 1.25, 1.5)) / 3 for root in (220, 247, 262) * 4])


def other_pitch(sound: np.ndarray, factor: float) -> np.ndarray:
    return resample(sound, round(SAMPLE_RATE * factor), SAMPLE_RATE)


def noisy(sound: np.ndarray) -> np.ndarray:
    return sound + np.random.default_rng(0).standard_normal(len(sound)).astype(np.float32) * 0.03


def telephone(sound: np.ndarray) -> np.ndarray:
    return resample(resample(sound, SAMPLE_RATE, 8_000), 8_000, SAMPLE_RATE)


@pytest.mark.parametrize(
    "bend",
    [
        noisy,
        telephone,
        lambda sound: sound * 0.003,
        lambda sound: np.clip(sound * 30, -1, 1),
        lambda sound: other_pitch(sound, 0.55),
        lambda sound: other_pitch(sound, 1.9),
        lambda _: tone(440),
        lambda _: tone(60),
        lambda _: chords(),
        lambda sound: np.random.default_rng(0).standard_normal(len(sound)).astype(np.float32) * 0.2,
    ],
    ids=["noisy", "telephone", "quiet", "clipped", "low", "high", "tone", "hum", "music", "hiss"],
)
def test_any_recording_gives_a_voice_that_speaks(studio: Studio, speech: np.ndarray, bend: object) -> None:
    assert callable(bend)
    profile = clone(studio, to_pcm(bend(speech)[: 5 * SAMPLE_RATE]))

    (sound,) = speak(studio, "This is a test of the new voice.", profile)
    (foreign,) = speak(studio, "Das ist ein Test der neuen Stimme.", profile, "de")

    assert_sounds_well(sound)
    assert_sounds_well(foreign)


def test_narrow_recording_gives_no_hiss_above_its_band(studio: Studio, speech: np.ndarray) -> None:
    narrow = resample(resample(speech, SAMPLE_RATE, 16_000), 16_000, SAMPLE_RATE)

    (sound,) = speak(studio, "She sees six ships on the shore.", clone(studio, to_pcm(narrow)))

    assert share_above(sound, 8_600) < 1e-6


def test_speech_takes_the_pitch_of_the_sample(studio: Studio, speech: np.ndarray) -> None:
    own = analyse(resample(speech, SAMPLE_RATE, RATE))
    wanted = np.median(own.pitch[own.voiced])
    high = other_pitch(speech, 1.7)

    for sound, target in ((speech, wanted), (high, wanted * 1.7)):
        (said,) = speak(studio, "The weather will be fine on Sunday.", clone(studio, to_pcm(sound)))
        track = analyse(said.astype(np.float32))
        assert np.median(track.pitch[track.voiced]) == pytest.approx(target, rel=0.15)


@pytest.mark.parametrize(
    "text",
    [
        "On 31.12.2025 I paid $1,234.56 for 7 things.",
        "See https://example.com/a/b?c=d&e=f#g for more",
        "STOP SHOUTING AT ME RIGHT NOW",
        "Nooooooooooooooooooooooo waaaaaaaaaay",
        "a" * 300,
        "Hi",
        "5",
        "Hello 👋🏽 world 🎉",
        "<speak>no [[markup]] here</speak> & there",
        "left \u202e right \u200b zero \0 nul \ud800 lone",
        "你好 means hello, Привет too",
    ],
)
def test_any_text_is_spoken(studio: Studio, profile: Profile, text: str) -> None:
    assert_sounds_well(np.concatenate(speak(studio, text, profile.to_bytes())))


def test_long_text_is_spoken_phrase_by_phrase(studio: Studio, profile: Profile) -> None:
    text = "The train was late again, so we waited in the rain. " * 5

    phrases = speak(studio, text, profile.to_bytes())

    assert len(phrases) == 5
    for phrase in phrases:
        assert_sounds_well(phrase)


@pytest.mark.parametrize("text", ["", "   ", "!!!", "...", "👋🎉", "\u200b"])
def test_text_without_words_is_refused(studio: Studio, profile: Profile, text: str) -> None:
    with pytest.raises(RefusedError, match="nothing to say"):
        speak(studio, text, profile.to_bytes())


@pytest.mark.parametrize("language", ["xx", "tlh", "zh-CN", "ja", "ar", "../../etc"])
def test_any_language_code_is_spoken_somehow(studio: Studio, profile: Profile, language: str) -> None:
    assert_sounds_well(np.concatenate(speak(studio, "Taxi 3", profile.to_bytes(), language)))


@pytest.mark.parametrize("seconds", [0, 1, 2.5])
def test_too_little_speech_is_refused(studio: Studio, speech: np.ndarray, seconds: float) -> None:
    silence = np.zeros(SAMPLE_RATE * 10, np.float32)
    short = np.concatenate([speech[: int(SAMPLE_RATE * seconds)], silence])

    with pytest.raises(RefusedError, match="too little speech"):
        clone(studio, to_pcm(short))


def test_damaged_profile_is_refused(studio: Studio, profile: Profile) -> None:
    with pytest.raises(RefusedError, match="damaged"):
        speak(studio, "Hello.", profile.to_bytes()[:500])


def test_check_says_nothing_wrong(studio: Studio) -> None:
    assert [frame.verb for frame in studio.begin(Frame(request=3, verb="check"))] == ["busy"]


def test_verb_of_an_answer_is_no_request(studio: Studio) -> None:
    with pytest.raises(ValueError, match="sound"):
        studio.begin(Frame(request=3, verb="sound"))


class Mute(Espeak):
    """An espeak-ng that lacks a language, and with it its data."""

    def say(self, text: str, voice: str, *, speed: int = 165, pitch: int = 50, spread: int = 50):
        if not voice.startswith("en"):
            raise EspeakError(voice)
        if text == "Hello.":
            return replace(super().say(text, voice), samples=np.zeros(0, np.float32))
        return super().say(text, voice, speed=speed, pitch=pitch, spread=spread)


def test_language_that_is_not_installed_is_read_in_english(profile: Profile) -> None:
    assert_sounds_well(np.concatenate(speak(Studio(Mute()), "Guten Tag", profile.to_bytes(), "de")))


def test_check_refuses_an_engine_without_sound() -> None:
    with pytest.raises(RefusedError, match="no sound"):
        list(Studio(Mute()).begin(Frame(request=3, verb="check")))


def test_espeak_says_which_voice_it_lacks() -> None:
    with pytest.raises(EspeakError, match="nowhere"):
        Espeak().say("Hello.", "nowhere")


def test_net_hears_the_phones_that_were_said() -> None:
    said = Espeak().say("see", "en-us+m1", speed=100)

    heard_phones = PosteriorNet.load().listen(resample(said.samples, said.rate, 16_000)).argmax(axis=1)

    assert {"s", "i"} <= {PHONES[phone] for phone in heard_phones}


class Listed(Espeak):
    """espeak-ng, of which it is noted what it was asked to say."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def say(self, text: str, voice: str, **manner: int) -> Utterance:
        self.said.append((text, voice))
        return super().say(text, voice, **manner)


def test_what_is_said_again_is_not_read_again_and_sounds_the_same(profile: Profile) -> None:
    espeak = Listed()
    studio = Studio(espeak)

    first, other, again = (
        speak(studio, f"{who} sold nine green rings.", profile.to_bytes()) for who in ("Rachel", "Peter", "Rachel")
    )

    assert len(espeak.said) == 2
    assert len(first) == len(again)
    for sound, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(sound, same)
    assert not np.array_equal(first[0], other[0])
