"""The stand-in of Fish Audio below /model: voices are made, read, changed and removed."""

import io
from collections.abc import AsyncIterator
from typing import Any

import ormsgpack
import pytest

from playground.services.fish import FishService
from playground.services.service import ServiceBreachError
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


async def test_form_without_its_length_breaks_the_parser(fish: FishService, angler: Angler) -> None:
    fields = {"type": "tts", "title": "Aki", "train_mode": "fast", "visibility": "private"}
    parts = [f'form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    parts.append(b'form-data; name="voices"; filename="upload"\r\n\r\n' + WAV)
    body = b"".join(b"--x\r\nContent-Disposition: " + part + b"\r\n" for part in parts) + b"--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    async def bit_by_bit() -> AsyncIterator[bytes]:
        yield body

    whole = await angler.ask("POST", "/model", data=io.BytesIO(body), headers=headers)
    chunked = await angler.ask("POST", "/model", data=bit_by_bit(), headers=headers)

    assert (whole.status, chunked.status) == (201, 500)
    assert chunked.content["status"] == 500
    assert len(fish.voices) == 1


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


async def test_voices_are_made_read_and_removed_with_an_empty_wallet(angler: Angler) -> None:
    voice = await angler.made(key="poor-key")

    assert (await angler.ask("GET", f"/model/{voice['_id']}", key="poor-key")).status == 200
    assert (await angler.ask("DELETE", f"/model/{voice['_id']}", key="poor-key")).status == 204


async def test_nothing_is_made_while_no_recordings_are_taken(fish: FishService, angler: Angler) -> None:
    fish.takes_recordings = False

    answer = await angler.make()

    assert answer.content == {"message": "Failed to preprocess audio: no available server", "status": 503}
    assert fish.voices == {}


async def test_new_value_of_the_wrong_kind_changes_nothing(fish: FishService, angler: Angler) -> None:
    voice = await angler.made()

    answer = await angler.ask("PATCH", f"/model/{voice['_id']}", json={"title": "Bea", "description": 5})

    assert (answer.status, answer.content[0]["msg"]) == (422, "Input should be a valid string")
    assert fish.voices[voice["_id"]]["title"] == "Aki"
