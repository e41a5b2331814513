"""What Ace Data Cloud is asked and what it answers, as values."""

import json
from typing import Any

import pytest

from bot.errors import ProviderError
from bot.models import Sample
from bot.providers.acedata._questions import create_question, list_question, speech_question, voice_question
from bot.providers.acedata._refusals import read_refusal
from bot.providers.acedata._tasks import read_task
from bot.providers.base import CloneRequest, SpeechRequest, VoiceQuery
from bot.providers.faults import Account, Refusal, understand
from bot.providers.question import Question
from bot.settings import AceDataSettings
from tests.unit.providers.acedata.house import LINK, VOICE_ID
from tests.unit.providers.sound import REPORT

ACCOUNT = Account(label="Ace Data Cloud", key_setting="ACEDATA_API_KEY")


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({}, "running"),
        ("nonsense", "running"),
        ({"task_id": "t", "started_at": 1778462584.742}, "running"),
        ({"id": "t", "request": {"callback_url": LINK, "image_url": LINK}, "created_at": 1.5}, "running"),
        ({"response": {"callback_url": LINK}}, "running"),
        ({"response": {"data": [{"audio_url": LINK}]}}, "succeeded"),
        ({"audio_url": LINK}, "succeeded"),
        ({"data": {"task_id": "t", "status": "succeeded", "audio_url": LINK}, "success": True}, "succeeded"),
        ({"response": {"data": {"state": "Completed", "url": LINK}}}, "succeeded"),
        ({"response": {"status": "succeeded"}}, "failed"),
        ({"response": {"status": "processing", "audio_url": LINK}, "finished_at": 2.0}, "running"),
        ({"response": {"data": [{"status": "cancelled", "audio_url": LINK}]}}, "failed"),
        ({"response": {"success": False, "error": {"code": "api_error", "message": "fetch failed"}}}, "failed"),
        ({"response": {"success": False, "error": "temporary"}}, "running"),
        ({"response": {"success": False, "error": {"message": "temporary"}}}, "running"),
        ({"response": {"success": False, "error": "temporary"}, "finished_at": 2.0}, "failed"),
        ({"response": {"success": False, "audio_url": LINK}}, "failed"),
        ({"response": {"success": True}, "finished_at": 2.0}, "failed"),
        ({"response": {"success": True, "data": [{"audio_urls": [LINK]}]}, "finished_at": 2.0}, "succeeded"),
        ({"response": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"audio_url": LINK}}}}}}}}}, "running"),
    ],
)
def test_task_is_reduced_to_its_state_however_that_is_told(told: Any, state: str) -> None:
    task = read_task(told)

    assert task.state == state
    assert task.link == (LINK if state == "succeeded" else "")


def test_sound_is_taken_from_the_address_of_its_name_and_never_from_what_was_asked() -> None:
    other = "https://cdn.example.com/cover.png"

    task = read_task({"response": {"image_url": other, "request": {"url": other}, "data": [{"audio_url": LINK}]}})

    assert task.link == LINK


def test_task_shows_no_link() -> None:
    assert "SECRET" not in repr(read_task({"task_id": "t", "audio_url": LINK}))
    assert "SECRET" not in repr(read_task({"response": {"status": "failed", "audio_url": LINK}}))


def request_for(*, clips: int = 1, transcripts: tuple[str, ...] = ()) -> CloneRequest:
    words = transcripts or ("",) * clips
    return CloneRequest(
        voice_id=VOICE_ID,
        title="Aki",
        samples=tuple(Sample(wav=b"RIFF", report=REPORT, transcript=text) for text in words),
        description="warm",
        tags=("a", "b"),
        party=7,
    )


def test_create_says_who_may_see_the_voice_and_carries_our_id() -> None:
    question = create_question(request_for(), ["https://example.com/a.wav"], enhance=False, as_list=False)

    assert (question.method, question.path, question.party) == ("POST", "/fish/model", 7)
    assert question.json == {
        "title": "Aki",
        "voices": "https://example.com/a.wav",
        "description": f"warm (mynah:{VOICE_ID})",
        "visibility": "private",
        "tags": ["a", "b"],
        "enhance_audio_quality": False,
        "generate_sample": False,
    }


@pytest.mark.parametrize(("transcripts", "texts"), [(("one", "two"), ["one", "two"]), (("one", ""), None)])
def test_words_are_sent_where_those_of_every_recording_are_known(
    transcripts: tuple[str, ...], texts: list[str] | None
) -> None:
    links = ["https://example.com/a.wav", "https://example.com/b.wav"]

    question = create_question(request_for(transcripts=transcripts), links, enhance=True, as_list=True)

    assert question.json["voices"] == links
    assert question.json.get("texts") == texts


def test_list_asks_with_every_filter_there_is() -> None:
    query = VoiceQuery(
        mine=False,
        title="Aki",
        tags=("a", "b"),
        author="someone",
        languages=("en", "ja"),
        title_language="en",
        page=3,
        size=20,
    )

    assert list_question(query).params == (
        ("page_size", "20"),
        ("page_number", "3"),
        ("self", "false"),
        ("title", "Aki"),
        ("tag", "a"),
        ("tag", "b"),
        ("author_id", "someone"),
        ("language", "en"),
        ("language", "ja"),
        ("title_language", "en"),
    )


def test_author_is_not_asked_for_among_ones_own() -> None:
    assert list_question(VoiceQuery(author="someone")).params == (
        ("page_size", "10"),
        ("page_number", "1"),
        ("self", "true"),
    )


def test_id_cannot_lead_to_another_route() -> None:
    assert voice_question("a/../b?c").path == "/fish/model/a%2F..%2Fb%3Fc"


def line(mode: str, *, speed: float = 1.0, callback_url: str | None = None) -> Question:
    settings = AceDataSettings.model_validate({"mode": mode, "model": "s2.1-pro"})
    return speech_question(
        SpeechRequest(text="Hello.", remote_id="v", speed=speed, party=7), settings, callback_url=callback_url
    )


def test_line_names_its_model_and_format_always() -> None:
    question = line("sync")

    assert (question.path, question.headers, question.party) == ("/fish/tts", {"model": "s2.1-pro"}, 7)
    assert question.json == {"text": "Hello.", "reference_id": "v", "format": "mp3", "latency": "normal"}


def test_speed_is_sent_where_it_is_not_as_usual() -> None:
    assert line("sync", speed=1.5).json["prosody"] == {"speed": 1.5}


def test_line_is_asked_for_as_a_task_where_that_is_set() -> None:
    assert line("async").json["async"] is True
    assert line("callback", callback_url=LINK).json["callback_url"] == LINK
    assert "async" not in line("callback", callback_url=LINK).json


def test_callback_without_an_address_is_asked_after_instead() -> None:
    assert line("callback").json["async"] is True


def test_old_way_has_its_own_names_for_everything() -> None:
    question = line("legacy", callback_url=LINK)

    assert question.path == "/fish/audios"
    assert question.headers == {"model": "s2.1-pro"}
    assert question.json == {
        "action": "speech",
        "prompt": "Hello.",
        "voice_id": "v",
        "model": "fish-tts",
        "callback_url": LINK,
    }


def test_old_way_refuses_another_speed_than_the_usual() -> None:
    with pytest.raises(ProviderError, match="leave the speed out") as caught:
        line("legacy", speed=1.2)

    assert caught.value.kind == "invalid"


ENCODED = json.dumps([{"type": "literal_error", "loc": ["format"], "msg": "Input should be 'pcm'", "input": "wav"}])


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"code": "token_mismatched", "message": "x"}}, "auth"),
        (400, {"error": {"code": "api_not_implemented", "message": "x"}}, "invalid"),
        (400, {"error": {"code": "disabled", "message": "x"}}, "auth"),
        (400, {"error": {"code": "bad_request", "message": "model is invalid."}}, "invalid"),
        (400, {"error": {"code": "no_token", "message": "x"}}, "auth"),
        (401, {"error": {"code": "invalid_token", "message": "x"}}, "auth"),
        (401, {"error": {"code": "token_expired", "message": "x"}}, "auth"),
        (403, {"success": False, "error": {"code": "used_up", "message": "x"}, "trace_id": "t"}, "no_credit"),
        (404, {"error": {"code": "no_api", "message": "x"}}, "invalid"),
        (404, {"error": {"code": "not_found", "message": "x"}}, "not_found"),
        (429, {"error": {"code": "too_many_requests", "message": "x"}}, "rate_limited"),
        (500, {"error": {"code": "api_error", "message": "x"}}, "server"),
        (400, {"error": {"code": "api_error", "message": "fetch failed"}}, "server"),
        (418, {"error": {"code": "never heard of", "message": "x"}}, "invalid"),
        (400, {"status": 400, "message": ENCODED}, "invalid"),
        (500, {"status": 400, "message": ENCODED}, "invalid"),
        (500, {"status": 500, "message": ENCODED}, "invalid"),
        (500, {"status": 500, "message": "upstream"}, "server"),
        (500, {"status": "500", "message": "upstream"}, "server"),
        (400, {"status": 400, "message": "Reference not found"}, "not_found"),
        (503, "<html>down</html>", "server"),
        (403, "forbidden", "auth"),
    ],
)
def test_refusal_is_understood_in_both_shapes(status: int, body: Any, kind: str) -> None:
    written = body if isinstance(body, str) else json.dumps(body)

    error = understand(Refusal(status=status, body=written.encode()), ACCOUNT, read_refusal)

    assert error.kind == kind
    assert "x" not in str(error).split()
    assert "Input should be" not in str(error)
