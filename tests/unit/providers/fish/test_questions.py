"""What Fish Audio is asked, as values."""

import ormsgpack
import pytest

from bot.providers.base import SpeechRequest
from bot.providers.fish import _questions as questions
from bot.settings import FishSettings
from tests.unit.providers.fish_house import TEXT, clone_request, sample


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (TEXT, ("The first sentence is short. ", "The second one is a little longer than that! ")),
        ('He said "Stop!" Then he ran…  far', ('He said "Stop!" ', "Then he ran… ", "far ")),
        ("[happy] Version 2.5 is out? Yes.", ("[happy] Version 2.5 is out? ", "Yes. ")),
        ("はい。「そうです。」いいえ！", ("はい。 ", "「そうです。」いいえ！ ")),
        ("no end", ("no end ",)),
    ],
)
def test_text_is_cut_after_its_sentences_and_loses_nothing(text: str, pieces: tuple[str, ...]) -> None:
    assert questions.sentences(text) == pieces
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_question_shows_neither_words_nor_recordings() -> None:
    recording = sample(1, transcript="My secret words.")
    request = SpeechRequest(text="My secret words.", samples=(recording,))
    settings = FishSettings()
    shown = repr(
        (
            questions.line(request, settings),
            questions.live_line(request, settings),
            questions.creation(clone_request(recording, title="My secret words."), ("My secret words.",), enhance=True),
        )
    )

    assert "secret" not in shown
    assert "RIFF" not in shown


def test_live_line_is_start_then_sentences_then_stop() -> None:
    line = questions.live_line(SpeechRequest(text=TEXT, remote_id="a" * 32), FishSettings(model="s2-pro"))
    events = [ormsgpack.unpackb(frame) for frame in line.frames]

    assert line.headers == {"model": "s2-pro"}
    assert [event["event"] for event in events] == ["start", "text", "text", "stop"]
    assert events[0]["request"]["text"] == ""
    assert events[0]["request"]["reference_id"] == "a" * 32
