"""What Fish Speech is asked, as values."""

import io
import json
import wave
from typing import Any

import numpy as np
import ormsgpack
import pytest

from bot.errors import ProviderError
from bot.models import Sample
from bot.providers.base import SpeechRequest
from bot.providers.faults import Account, Refusal, understand
from bot.providers.fish_speech import FishSpeechProvider
from bot.providers.fish_speech._questions import read_refusal, speech_question
from bot.providers.fish_speech._reference import join, make_id, read_voice, read_voice_id
from bot.settings import FishSpeechSettings
from tests.unit.providers.fish_speech.house import AKI, VOICE_ID, sample
from tests.unit.providers.sound import REPORT, heard, to_wav

ACCOUNT = Account(label="Fish Speech", key_setting="FISHSPEECH_API_KEY")


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Aki", "Aki"),
        ("  Aki   Sun ", "Aki Sun"),
        ("Zoë's vo/ice", "Zoe s vo ice"),
        ("あき", "voice"),
        ("a_b-c", "a_b-c"),
        ("x" * 500, "x" * 200),
    ],
)
def test_id_says_the_title_within_the_rule_and_is_read_back(title: str, slug: str) -> None:
    made = make_id(title, VOICE_ID)

    assert made == f"{slug}-{VOICE_ID}"
    assert len(made) <= 255
    assert read_voice_id(made) == VOICE_ID
    assert read_voice(made).title == slug


def test_id_that_is_not_ours_is_its_own_title() -> None:
    assert read_voice_id("narrator") == ""
    assert read_voice("narrator").title == "narrator"
    assert make_id("Bo", "") == "Bo"
    assert read_voice(VOICE_ID).title == VOICE_ID


def test_recordings_become_one_in_order_with_their_words() -> None:
    reference = join((sample(level=0.25, transcript=" One. "), sample(level=0.5, transcript="Two.")))

    with wave.open(io.BytesIO(reference.wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        sound = heard(file.readframes(file.getnframes()))
    assert reference.text == "One. Two."
    assert (len(sound), round(sound[0], 2), round(sound[-1], 2)) == (9600, 0.25, 0.5)


def test_recording_whose_words_are_not_known_is_left_out() -> None:
    reference = join((sample(level=0.25, transcript=" "), sample(level=0.5, transcript="Two.")))

    assert reference.text == "Two."


def test_reference_grows_no_longer_than_the_model_holds() -> None:
    samples = (sample(seconds=80, transcript="One."), sample(seconds=20, transcript="Two."))

    assert join(samples).text == "One."


def test_first_recording_is_taken_however_long_it_is() -> None:
    assert join((sample(seconds=300, transcript="One."),)).text == "One."


def test_reference_without_words_is_refused_with_what_to_do() -> None:
    with pytest.raises(ProviderError, match="with its transcript") as caught:
        join((sample(transcript=""),))

    assert caught.value.kind == "invalid"


@pytest.mark.parametrize("wav", [b"", b"RIFF1234WAVEjunk", to_wav(np.zeros(100), rate=16_000)])
def test_what_is_no_recording_is_refused(wav: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        join((Sample(wav=wav, report=REPORT, transcript="One."),))

    assert caught.value.kind == "invalid"


def test_line_is_streamed_as_wav_with_the_reference_kept_in_memory() -> None:
    question = speech_question(SpeechRequest(text="Hello.", remote_id=AKI, party=7), FishSpeechSettings())

    assert (question.method, question.path, question.party) == ("POST", "/v1/tts", 7)
    assert question.json == {
        "text": "Hello.",
        "format": "wav",
        "streaming": True,
        "use_memory_cache": "on",
        "reference_id": AKI,
    }
    assert "model" not in question.all_headers()


def test_mp3_is_asked_for_whole_because_only_wav_can_be_streamed() -> None:
    question = speech_question(SpeechRequest(text="Hello.", remote_id=AKI), FishSpeechSettings(format="mp3"))

    assert (question.json["format"], question.json["streaming"]) == ("mp3", False)


def test_samples_go_along_as_bytes_in_msgpack() -> None:
    question = speech_question(SpeechRequest(text="Hello.", samples=(sample(),)), FishSpeechSettings())

    assert question.all_headers()["Content-Type"] == "application/msgpack"
    assert question.raw is not None
    content = ormsgpack.unpackb(question.raw)
    assert content["references"] == [{"audio": sample().wav, "text": "The cat sat by the fire."}]
    assert "reference_id" not in content


def test_line_without_any_voice_is_refused() -> None:
    with pytest.raises(ProviderError) as caught:
        speech_question(SpeechRequest(text="Hello."), FishSpeechSettings())

    assert caught.value.kind == "invalid"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            400,
            {"statusCode": 400, "message": "Text is too long, max length is 100", "error": "Bad Request"},
            "too_large",
        ),
        (400, {"statusCode": 400, "message": "Streaming only supports WAV format", "error": "Bad Request"}, "invalid"),
        (401, {"statusCode": 401, "message": "Invalid token", "error": "Unauthorized"}, "auth"),
        (404, {"success": False, "message": "Reference ID 'x' not found", "reference_id": "x"}, "not_found"),
        (409, {"success": False, "message": "Reference ID 'x' already exists", "reference_id": "x"}, "invalid"),
        (415, {"statusCode": 415, "message": "x", "error": "Unsupported Media Type"}, "invalid"),
        (500, {"statusCode": 500, "message": "Failed to generate speech", "error": "x"}, "server"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_refusal_is_understood_in_json_and_msgpack(status: int, body: Any, kind: str, *, packed: bool) -> None:
    written = ormsgpack.packb(body) if packed else json.dumps(body).encode()

    assert understand(Refusal(status=status, body=written), ACCOUNT, read_refusal).kind == kind


def test_server_without_an_address_is_not_built() -> None:
    with pytest.raises(ValueError, match="FISHSPEECH_BASE_URL"):
        FishSpeechProvider(FishSpeechSettings())
