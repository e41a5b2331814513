"""The stand-in of Fish Audio below /model and /wallet: voices are made, listed, changed and removed."""

from typing import Any

import ormsgpack
import pytest

from playground.services.fish import FishService, account_id
from playground.services.service import Fault, ServiceBreachError
from tests.unit.playground.services.fishing import COVER, WAV, Angler, breach, form


async def test_voice_is_made_with_all_that_was_sent_and_is_trained_at_once(angler: Angler) -> None:
    answer = await angler.make(
        ("voices", WAV), ("texts", "One."), ("texts", "Two."), ("tags", "warm"), ("tags", "low"),
        ("cover_image", COVER), ("enhance_audio_quality", "false"), description="A voice",
    )  # fmt: skip

    voice = answer.content
    assert answer.status == 201
    assert (voice["title"], voice["description"], voice["tags"]) == ("Aki", "A voice", ["warm", "low"])
    assert (voice["state"], voice["visibility"], voice["train_mode"]) == ("trained", "private", "fast")
    assert voice["cover_image"] == f"coverimage/{voice['_id']}"
    assert voice["samples"] == []
    assert len(voice["_id"]) == 32
    assert voice["created_at"].endswith("Z")


async def test_voice_is_public_unless_asked_otherwise_and_a_public_one_needs_a_picture(angler: Angler) -> None:
    bare = await angler.make(visibility=None)
    shown = await angler.make(("cover_image", COVER), visibility=None)

    assert bare.status == 422
    assert bare.content[0]["loc"] == ["body", "cover_image"]
    assert shown.content["visibility"] == "public"


@pytest.mark.parametrize(
    ("fields", "place", "message"),
    [
        ({"title": None}, "title", "Field required"),
        ({"type": None}, "type", "Field required"),
        ({"train_mode": None}, "train_mode", "Field required"),
        ({"train_mode": "default"}, "train_mode", "Input should be 'fast'"),
        ({"visibility": "secret"}, "visibility", "Input should be 'public', 'unlist' or 'private'"),
        ({"enhance_audio_quality": "maybe"}, "enhance_audio_quality", "Input should be a valid boolean"),
        ({"voices": "not a file"}, "voices", "Value error, Expected UploadFile"),
    ],
)
async def test_wrong_field_of_a_new_voice_is_named_in_a_bare_array(
    angler: Angler, fields: dict[str, Any], place: str, message: str
) -> None:
    answer = await angler.make(**fields)

    assert answer.status == 422
    assert [each["loc"] for each in answer.content] == [["body", place]]
    assert answer.content[0]["msg"].startswith(message)


async def test_twenty_one_recordings_or_texts_that_do_not_match_are_too_many(angler: Angler) -> None:
    many = await angler.make(*[("voices", WAV)] * 20)
    uneven = await angler.make(("texts", "One."), ("texts", "Two."))

    assert many.content[0]["msg"] == "List should have at most 20 items after validation, not 21"
    assert uneven.status == 422


async def test_recording_without_a_byte_is_refused_and_a_body_of_no_known_kind_cannot_be_read(angler: Angler) -> None:
    empty = await angler.ask("POST", "/model", data=form(
        ("voices", b""), ("type", "tts"), ("title", "Aki"), ("train_mode", "fast"), ("visibility", "private")
    ))  # fmt: skip
    broken = await angler.ask("POST", "/model", data=b"{", headers={"Content-Type": "application/json"})
    listed = await angler.ask("POST", "/model", json=["title"])

    assert empty.content == {"message": "Failed to preprocess audio: empty file", "status": 400}
    assert (broken.status, listed.status) == (400, 400)
    assert broken.headers["Content-Type"].startswith("text/plain")


async def test_voice_is_made_from_msgpack_with_raw_bytes(angler: Angler) -> None:
    body = {"type": "tts", "title": "Packed", "train_mode": "fast", "visibility": "unlist", "voices": [WAV, WAV],
            "tags": "one", "generate_sample": True, "description": None}  # fmt: skip

    answer = await angler.ask(
        "POST", "/model", data=ormsgpack.packb(body), headers={"Content-Type": "application/msgpack"}
    )

    assert answer.status == 201
    assert (answer.content["tags"], answer.content["visibility"]) == (["one"], "unlist")
    assert answer.content["samples"][0]["audio"].startswith("task/")


async def test_form_without_its_length_breaks_the_parser(angler: Angler) -> None:
    async def parts() -> Any:
        yield b"--x\r\n"

    answer = await angler.ask(
        "POST", "/model", data=parts(), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert answer.status == 500


async def test_field_that_does_not_exist_is_a_breach() -> None:
    async def ask(angler: Angler) -> None:
        assert (await angler.make(samples="x")).status == 501
        assert (await angler.ask("GET", "/model", params={"tags": "warm"})).status == 501

    with pytest.raises(ServiceBreachError, match="POST /model has no field samples; GET /model has no field tags"):
        await breach(FishService(), ask)


async def test_voice_is_trained_on_the_read_that_the_switch_names(fish: FishService, angler: Angler) -> None:
    fish.trained_after = 3
    voice = await angler.made()

    states = [(await angler.ask("GET", f"/model/{voice['_id']}")).content["state"] for _ in range(4)]

    assert voice["state"] == "created"
    assert states == ["training", "training", "trained", "trained"]


@pytest.mark.parametrize("reads", [0, 1])
async def test_voice_fails_with_what_was_wrong_with_its_recordings(
    fish: FishService, angler: Angler, reads: int
) -> None:
    fish.trained_after, fish.training_fault = reads, "too much noise"
    made = await angler.made()

    voice = (await angler.ask("GET", f"/model/{made['_id']}")).content

    assert made["state"] == ("created" if reads else "failed")
    assert voice["state"] == "failed"
    assert voice["quality"]["audios"][0]["quality_reason"] == "too much noise"
    assert (await angler.say(text="Hi", reference_id=made["_id"])).content["message"] == "Reference not found"


async def test_forced_visibility_overrides_what_was_asked_until_it_is_changed(
    fish: FishService, angler: Angler
) -> None:
    fish.forced_visibility = "public"
    voice = await angler.made()

    changed = await angler.ask("PATCH", f"/model/{voice['_id']}", json={"visibility": "private"})

    assert voice["visibility"] == "public"
    assert (changed.status, changed.body) == (200, b"")
    assert fish.voices[voice["_id"]]["visibility"] == "private"


async def test_locked_visibility_stays_as_it_is(fish: FishService, angler: Angler) -> None:
    fish.forced_visibility, fish.locks_visibility = "public", True
    voice = await angler.made()

    await angler.ask("PATCH", f"/model/{voice['_id']}", json={"visibility": "private"})

    assert fish.voices[voice["_id"]]["visibility"] == "public"


async def test_voice_takes_new_values_and_keeps_the_others(fish: FishService, angler: Angler) -> None:
    voice = await angler.made(("tags", "warm"), description="first")
    path = f"/model/{voice['_id']}"

    await angler.ask("PATCH", path, data=form(("title", "Bea"), ("cover_image", COVER)))
    await angler.ask("PATCH", path, json={"tags": [], "visibility": "public"})
    now = (await angler.ask("GET", path)).content

    assert (now["title"], now["description"], now["tags"], now["visibility"]) == ("Bea", "first", [], "public")
    assert now["cover_image"] == f"coverimage/{voice['_id']}"
    assert now["updated_at"] > voice["updated_at"]


async def test_voice_is_not_made_public_without_a_picture(angler: Angler) -> None:
    voice = await angler.made()

    answer = await angler.ask("PATCH", f"/model/{voice['_id']}", json={"visibility": "public"})

    assert answer.status == 422


@pytest.mark.parametrize("status", [200, 204])
async def test_removed_voice_is_gone(fish: FishService, angler: Angler, status: int) -> None:
    fish.delete_status = status
    voice = await angler.made()

    first = await angler.ask("DELETE", f"/model/{voice['_id']}")
    second = await angler.ask("DELETE", f"/model/{voice['_id']}")
    read = await angler.ask("GET", f"/model/{voice['_id']}")

    assert (first.status, second.status, read.status) == (status, 404, 404)
    assert read.content == {"message": "Model not found", "status": 404}


async def test_voice_belongs_to_the_key_that_made_it(fish: FishService, angler: Angler) -> None:
    fish.keys["other-key"] = 1.0
    voice = await angler.made()
    path = f"/model/{voice['_id']}"

    for method in ("GET", "PATCH", "DELETE"):
        answer = await angler.ask(method, path, key="other-key", json={} if method == "PATCH" else None)
        assert (method, answer.status) == (method, 403)
    theirs = await angler.ask("GET", "/model", key="other-key", params={"self": "true"})
    spoken = await angler.say(key="other-key", text="Hi", reference_id=voice["_id"])

    assert theirs.content["items"] == []
    assert spoken.content == {"message": "Reference not found", "status": 400}


async def test_voice_with_a_link_is_open_to_who_has_it_and_on_no_list(angler: Angler) -> None:
    voice = await angler.made(visibility="unlist")

    assert (await angler.ask("GET", f"/model/{voice['_id']}", key="")).status == 200
    assert (await angler.ask("GET", "/model", key="")).content["total"] == 0


@pytest.mark.parametrize("key", ["", "bad-key"])
async def test_wrong_key_is_told_in_plain_text_below_model_and_as_an_object_elsewhere(angler: Angler, key: str) -> None:
    listed = await angler.ask("GET", "/model", key=key, params={"self": "true"})
    made = await angler.make(key=key)
    wallet = await angler.ask("GET", "/wallet/self/api-credit", key=key)
    said = await angler.say(key=key, text="Hi")
    public = await angler.ask("GET", "/model", key=key)

    assert (listed.status, listed.text) == (401, "No permission -- see authorization schemes")
    assert made.status == 401
    assert wallet.content == said.content == {"message": "Invalid Token", "status": 401}
    assert wallet.headers["x-fish-error-code"] == "invalid_api_key"
    assert public.status == 200


async def test_list_is_filtered_by_everything_that_is_documented(fish: FishService, angler: Angler) -> None:
    fish.publish("The Captain", tags=["deep", "calm"], languages=["en"], author=account_id("x"), task_count=5)
    fish.publish("船長", tags=["deep"], languages=["zh", "en"], task_count=9)
    fish.publish("キャプテン", languages=["ja"])

    async def titles(**query: Any) -> list[str]:
        answer = await angler.ask("GET", "/model", key="", params=query)
        return [voice["title"] for voice in answer.content["items"]]

    assert await titles() == ["船長", "The Captain", "キャプテン"]
    assert await titles(sort_by="created_at") == ["キャプテン", "船長", "The Captain"]
    assert await titles(title="captain") == ["The Captain"]
    assert await titles(tag="deep") == ["船長", "The Captain"]
    assert await titles(tag=["deep", "calm"]) == ["The Captain"]
    assert await titles(author_id=account_id("x")) == ["The Captain"]
    assert await titles(language=["ja", "zh"]) == ["船長", "キャプテン"]
    assert await titles(language="en-US") == []
    assert await titles(title_language=["ja", "zh"]) == ["船長", "キャプテン"]
    assert await titles(liked="true") == await titles()


async def test_own_list_has_private_voices_newest_first_and_looks_at_no_author(
    fish: FishService, angler: Angler
) -> None:
    fish.publish("Somebody's")
    for title in ("One", "Two", "Three"):
        await angler.made(title=title)
    query = {"self": "true", "author_id": "x", "sort_by": "created_at", "page_size": 2}

    first = (await angler.ask("GET", "/model", params=query)).content
    second = (await angler.ask("GET", "/model", params={**query, "page_number": 2})).content

    assert [voice["title"] for voice in first["items"]] == ["Three", "Two"]
    assert (first["total"], first["has_more"], first["total_is_exact"]) == (3, True, True)
    assert [voice["title"] for voice in second["items"]] == ["One"]
    assert second["has_more"] is False


async def test_nothing_beyond_a_thousand_is_listed(fish: FishService, angler: Angler) -> None:
    for number in range(1001):
        fish.publish(f"Voice {number}")

    tenth, eleventh = [
        (await angler.ask("GET", "/model", params={"page_size": 100, "page_number": number})).content
        for number in (10, 11)
    ]

    assert len(tenth["items"]) == 100
    assert eleventh["items"] == []
    assert (tenth["total"], tenth["max_offset"], tenth["accessible_upper_bound"]) == (1000, 1000, 1000)
    assert (tenth["window_limited"], tenth["total_is_exact"], tenth["has_more"]) == (True, False, False)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"page_size": 101}, "Input should be less than or equal to 100"),
        ({"page_number": 0}, "Input should be greater than or equal to 1"),
        ({"page_size": "many"}, "Input should be a valid integer, unable to parse string as an integer"),
        ({"sort_by": "age"}, "Input should be 'score', 'task_count' or 'created_at'"),
        ({"self": "mine"}, "Input should be a valid boolean, unable to interpret input"),
    ],
)
async def test_list_refuses_what_is_out_of_bounds(angler: Angler, query: dict[str, Any], message: str) -> None:
    answer = await angler.ask("GET", "/model", params=query)

    assert answer.status == 422
    assert answer.content[0]["msg"] == message
    assert answer.content[0]["loc"][0] == "query"


async def test_voices_are_made_read_and_removed_with_an_empty_wallet(angler: Angler) -> None:
    voice = await angler.made(key="poor-key")

    assert (await angler.ask("GET", f"/model/{voice['_id']}", key="poor-key")).status == 200
    assert (await angler.ask("DELETE", f"/model/{voice['_id']}", key="poor-key")).status == 204


async def test_wallet_tells_credit_as_a_decimal_in_a_string(fish: FishService, angler: Angler) -> None:
    mine = await angler.ask("GET", "/wallet/self/api-credit", params={"check_free_credit": "true"})
    poor = await angler.ask("GET", "/wallet/self/api-credit", key="poor-key")
    plan = await angler.ask("GET", "/wallet/self/package")
    theirs = await angler.ask("GET", f"/wallet/{account_id('poor-key')}/package")

    assert (mine.content["credit"], mine.content["has_free_credit"]) == ("10.000000", False)
    assert (poor.content["credit"], poor.content["has_free_credit"]) == ("0.000000", None)
    assert mine.content["user_id"] == account_id("good-key")
    assert plan.content["balance"] == 8000
    assert theirs.status == 403


async def test_every_answer_has_a_trace_and_the_account_s_places(fish: FishService, angler: Angler) -> None:
    fish.concurrency = 15
    fish.fail("GET /model", Fault(status=503, body={"message": "busy", "status": 503}))

    answers = [
        await angler.ask("GET", "/model"),
        await angler.ask("GET", "/model"),
        await angler.ask("GET", "/model/none"),
        await angler.say(text="Hi", format="opus"),
    ]

    assert [answer.status for answer in answers] == [503, 200, 404, 200]
    assert len({answer.headers["x-fish-trace-id"] for answer in answers}) == 4
    assert {answer.headers["ratelimit-limit-concurrency"] for answer in answers} == {"15"}


async def test_route_that_does_not_exist_is_not_found_and_a_breach() -> None:
    async def ask(angler: Angler) -> None:
        assert (await angler.ask("GET", "/v1/user")).status == 404

    with pytest.raises(ServiceBreachError, match="no such route: GET /v1/user"):
        await breach(FishService(), ask)


async def test_transcription_takes_a_form_or_msgpack_and_tells_seconds(fish: FishService, angler: Angler) -> None:
    fish.transcript = "One. Two."
    packed = ormsgpack.packb({"audio": WAV, "ignore_timestamps": False, "language": "en"})

    plain = await angler.ask("POST", "/v1/asr", data=form(("audio", WAV)), headers={"model": "transcribe-1-pro"})
    timed = await angler.ask("POST", "/v1/asr", data=packed, headers={"Content-Type": "application/msgpack"})

    assert (plain.content["text"], plain.content["segments"]) == ("One. Two.", [])
    assert plain.content["duration"] == pytest.approx(2.0, abs=0.05)
    assert [(each["text"], round(each["end"])) for each in timed.content["segments"]] == [("One.", 1), ("Two.", 2)]
    assert fish.keys["good-key"] < 10


async def test_transcription_refuses_what_it_cannot_hear(angler: Angler) -> None:
    silence = WAV[:44] + bytes(len(WAV) - 44)
    cases: list[tuple[Any, int, str]] = [
        (form(("audio", silence)), 503, "Failed to transcribe audio: upstream ASR service timed out."),
        (form(("audio", b"not a sound")), 400, "Invalid audio input: failed to detect a supported audio format"),
        (form(("audio", WAV[: 44 + 16_000])), 400, "Invalid audio input"),
        (form(("audio", WAV + bytes(20_000_000))), 413, "Payload too large"),
        (form(("language", "en")), 422, "Field required"),
    ]

    for data, status, words in cases:
        answer = await angler.ask("POST", "/v1/asr", data=data)
        assert (answer.status, words in answer.text) == (status, True)
    assert (await angler.ask("POST", "/v1/asr", json={"audio": "x"})).status == 400
    assert (await angler.ask("POST", "/v1/asr", data=form(("audio", WAV)), key="poor-key")).status == 402


async def test_transcription_with_the_model_of_speech_is_a_breach() -> None:
    async def ask(angler: Angler) -> None:
        await angler.ask("POST", "/v1/asr", data=form(("audio", WAV)), headers={"model": "s2-pro"})

    with pytest.raises(ServiceBreachError, match="model header of /v1/asr"):
        await breach(FishService(), ask)
