"""The Fish Speech server of the playground, asked over real sockets."""

import asyncio
import base64
import io
import json
import threading
import wave
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp
import av
import numpy as np
import ormsgpack
import pytest

from playground.services.fish_speech import FishSpeechService
from playground.services.service import Fault, ServiceBreachError
from playground.services.sound import Samples, babble

RECORDING = b"RIFF" + bytes(400)
JSON = {"Accept": "application/json"}
MSGPACK = {"Content-Type": "application/msgpack"}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def service() -> AsyncIterator[FishSpeechService]:
    async with FishSpeechService() as service:
        yield service


def form(**fields: str | bytes | None) -> aiohttp.FormData:
    data = aiohttp.FormData(default_to_multipart=True)
    for name, value in {"id": "ada", "text": "words", "audio": RECORDING, **fields}.items():
        if isinstance(value, bytes):
            data.add_field(name, value, filename="ada.wav", content_type="audio/wav")
        elif value is not None:
            data.add_field(name, value)
    return data


async def add(session: aiohttp.ClientSession, service: FishSpeechService, **fields: str | bytes | None) -> int:
    async with session.post(f"{service.url}/v1/references/add", data=form(**fields), headers=JSON) as response:
        return response.status


async def say(
    session: aiohttp.ClientSession, service: FishSpeechService, **body: Any
) -> tuple[int, aiohttp.ClientResponse, bytes]:
    async with session.post(f"{service.url}/v1/tts", json={"text": "hello", **body}) as response:
        return response.status, response, await response.read()


def pitch(sound: bytes) -> float:
    with av.open(io.BytesIO(sound)) as file:
        values = np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)]).astype(np.float64)
    return float(np.argmax(np.abs(np.fft.rfft(values))) * 44_100 / len(values))


async def test_health_is_told_to_get_and_post(session: aiohttp.ClientSession, service: FishSpeechService) -> None:
    for method in ("GET", "POST"):
        async with session.request(method, f"{service.url}/v1/health") as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_a_key_is_wanted_everywhere_where_there_is_one(session: aiohttp.ClientSession) -> None:
    async with FishSpeechService(api_key="secret") as service:
        for method, path in (("GET", "/v1/health"), ("POST", "/v1/tts"), ("GET", "/v1/references/list")):
            async with session.request(method, service.url + path, headers={"Authorization": "Bearer bad"}) as response:
                assert response.status == 401
                told = {"statusCode": 401, "message": "Invalid token", "error": "Unauthorized"}
                assert await response.json() == told
        async with session.get(f"{service.url}/v1/health", headers={"Authorization": "Bearer secret"}) as response:
            assert response.status == 200


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("", "*/*", "application/msgpack"),
        ("", "application/json", "application/json"),
        ("", "application/json, application/msgpack", "application/msgpack"),
        ("?format=json", "*/*", "application/json"),
        ("?format=msgpack", "application/json", "application/msgpack"),
    ],
)
async def test_references_are_answered_in_messagepack_unless_json_is_wanted(
    session: aiohttp.ClientSession, service: FishSpeechService, query: str, accept: str, kind: str
) -> None:
    async with session.get(f"{service.url}/v1/references/list{query}", headers={"Accept": accept}) as response:
        body = await response.read()
        assert (response.status, response.content_type) == (200, kind)
    told = await response.json() if kind == "application/json" else ormsgpack.unpackb(body)
    assert told == {"success": True, "message": "Found 0 reference voices", "reference_ids": []}


async def test_a_voice_is_added_listed_renamed_and_deleted(
    session: aiohttp.ClientSession, service: FishSpeechService
) -> None:
    url = f"{service.url}/v1/references"
    async with session.post(f"{url}/add", data=form()) as response:
        told = ormsgpack.unpackb(await response.read())
    assert told == {"success": True, "message": "Reference voice 'ada' added successfully", "reference_id": "ada"}
    assert service.voices == {"ada": {"text": "words", "audio": RECORDING, "filename": "ada.wav"}}
    names = {"old_reference_id": "ada", "new_reference_id": "ada 2"}
    async with session.post(f"{url}/update", data=ormsgpack.packb(names), headers=MSGPACK | JSON) as response:
        told = await response.json()
    message = "Reference voice renamed from 'ada' to 'ada 2' successfully"
    assert told == {"success": True, "message": message, **names}
    async with session.get(f"{url}/list", headers=JSON) as response:
        assert (await response.json())["reference_ids"] == ["ada 2"]
    async with session.delete(f"{url}/delete", json={"reference_id": "ada 2"}, headers=JSON) as response:
        told = await response.json()
    assert told == {"success": True, "message": "Reference voice 'ada 2' deleted successfully", "reference_id": "ada 2"}
    assert service.voices == {}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"text": " "}, 400),
        ({"text": None}, 422),
        ({"audio": b""}, 400),
        ({"audio": "no file"}, 422),
        ({"id": "a/b"}, 400),
        ({"id": " "}, 400),
        ({"id": "a" * 256}, 400),
        ({"id": "a" * 255}, 200),
        ({"id": "taken"}, 409),
    ],
)
async def test_a_voice_is_added_only_whole_and_under_a_free_id(
    session: aiohttp.ClientSession, service: FishSpeechService, fields: dict[str, Any], status: int
) -> None:
    await add(session, service, id="taken")
    assert await add(session, service, **fields) == status
    assert len(service.voices) == (2 if status == 200 else 1)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("", "b", 400),
        ("ada", " ", 400),
        ("ada", "ada", 400),
        ("ada", "a/b", 400),
        ("nobody", "b", 404),
        ("ada", "bob", 409),
        ("ghost", "b", 200),
    ],
)
async def test_a_rename_is_judged(
    session: aiohttp.ClientSession, service: FishSpeechService, old: str, new: str, status: int
) -> None:
    await add(session, service)
    await add(session, service, id="bob")
    await say(session, service, reference_id="ghost")
    body = {"old_reference_id": old, "new_reference_id": new}
    async with session.post(f"{service.url}/v1/references/update", json=body, headers=JSON) as response:
        assert response.status == status
        told = await response.json()
    assert (told["success"], told["old_reference_id"]) == (status == 200, old)
    assert service.folders == ({"b"} if status == 200 else {"ghost"})


@pytest.mark.parametrize(("gone", "status"), [("nobody", 404), ("a/b", 400), ("", 400), ("ada", 200)])
async def test_a_deletion_is_judged(
    session: aiohttp.ClientSession, service: FishSpeechService, gone: str, status: int
) -> None:
    await add(session, service)
    async with session.delete(f"{service.url}/v1/references/delete", json={"reference_id": gone}) as response:
        told = ormsgpack.unpackb(await response.read())
    assert (response.status, told["success"], told["reference_id"]) == (status, status == 200, gone)


async def test_an_unknown_voice_is_spoken_by_default_and_then_taken(
    session: aiohttp.ClientSession, service: FishSpeechService
) -> None:
    await add(session, service)
    _, _, known = await say(session, service, reference_id="ada")
    assert service.spoke_by_default == []
    status, _, unknown = await say(session, service, text="who am I", reference_id="ghost")
    assert (status, service.spoke_by_default) == (200, ["who am I"])
    assert pitch(known) < 600 < pitch(unknown)
    assert await add(session, service, id="ghost") == 409
    async with session.get(f"{service.url}/v1/references/list", headers=JSON) as response:
        assert (await response.json())["reference_ids"] == ["ada"]


async def test_a_recording_sent_along_is_spoken_like(
    session: aiohttp.ClientSession, service: FishSpeechService
) -> None:
    told = {"text": "hello", "references": [{"audio": RECORDING, "text": "words"}]}
    async with session.post(f"{service.url}/v1/tts", data=ormsgpack.packb(told), headers=MSGPACK) as response:
        assert response.status == 200
    written = base64.b64encode(RECORDING).decode()
    status, _, _ = await say(session, service, references=[{"audio": written, "text": ""}])
    assert (status, service.spoke_by_default) == (200, [])
    await say(session, service)
    assert service.spoke_by_default == ["hello"]


async def test_sound_is_a_whole_wav_unless_something_else_is_asked(
    session: aiohttp.ClientSession, service: FishSpeechService
) -> None:
    _, response, sound = await say(session, service)
    assert response.headers["Content-Type"] == "audio/wav"
    assert response.headers["Content-Disposition"] == "attachment; filename=audio.wav"
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes() * 2 + 44) == (44_100, 1, len(sound))
    _, _, streamed = await say(session, service, streaming=True)
    assert (streamed[40:44], len(streamed)) == (bytes(4), len(sound))
    _, response, _ = await say(session, service, format="mp3")
    assert response.headers["Content-Type"] == "audio/mpeg"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"streaming": True, "format": "mp3"}, 400, "Streaming only supports WAV format"),
        ({"streaming": True, "format": "pcm"}, 400, "Streaming only supports WAV format"),
        ({"text": "x" * 11}, 400, "Text is too long, max length is 10"),
        ({"format": "pcm"}, 500, "Failed to generate speech"),
        ({"format": "opus"}, 500, "Failed to generate speech"),
        ({"reference_id": "a/b"}, 500, "Failed to generate speech"),
        ({"references": [{"audio": "short", "text": ""}]}, 500, "Failed to generate speech"),
        ({"references": [{"audio": "?" * 300, "text": ""}]}, 500, "Failed to generate speech"),
        ({"text": " "}, 500, "Failed to generate speech"),
    ],
)
async def test_a_line_is_refused(
    session: aiohttp.ClientSession, service: FishSpeechService, body: dict[str, Any], status: int, message: str
) -> None:
    service.max_text_length = 10
    got, _, told = await say(session, service, **body)
    error = {400: "Bad Request", 500: "Internal Server Error"}[status]
    assert (got, json.loads(told)) == (status, {"statusCode": status, "message": message, "error": error})
    assert service.spoke_by_default == []


@pytest.mark.parametrize(
    "body", [{"text": None}, {"chunk_length": 99}, {"format": "flac"}, {"temperature": 2}, {"reference_id": ["a"]}]
)
async def test_a_body_that_does_not_fit_is_a_list_of_faults(
    session: aiohttp.ClientSession, service: FishSpeechService, body: dict[str, Any]
) -> None:
    async with session.post(f"{service.url}/v1/tts", json={"text": "hello", **body}) as response:
        faults = await response.json()
    assert (response.status, faults[0]["loc"], faults[0]["in"]) == (422, list(body), "body")


async def test_the_kind_of_a_body_is_believed(session: aiohttp.ClientSession, service: FishSpeechService) -> None:
    url = f"{service.url}/v1/tts"
    data = aiohttp.FormData(default_to_multipart=True)
    data.add_field("text", "hello")
    async with session.post(url, data=data) as response:
        assert response.status == 200
    async with session.post(url, data={"text": "hello"}) as response:
        assert (response.status, (await response.json())["error"]) == (415, "Unsupported Media Type")
    for kind in ("application/json", "application/msgpack"):
        async with session.post(url, data=b"\xc1", headers={"Content-Type": kind}) as response:
            assert response.status == 400


async def test_one_line_is_made_at_a_time(session: aiohttp.ClientSession) -> None:
    meeting = threading.Barrier(2)
    met: list[str] = []

    def speak(text: str, speed: float) -> Samples:
        with suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=0.05)
            met.append(text)
        return babble(text, speed)

    async with FishSpeechService(speak=speak) as service:
        said = await asyncio.gather(say(session, service, text="one"), say(session, service, text="two"))
    assert [status for status, _, _ in said] == [200, 200]
    assert met == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/v1/tts", {"text": "x", "prosody": {}}), ("GET", "/model", None), ("POST", "/v1/vqgan/encode", {})],
)
async def test_what_the_server_does_not_know_is_a_breach(
    session: aiohttp.ClientSession, method: str, path: str, body: dict[str, Any] | None
) -> None:
    service = FishSpeechService()
    await service.__aenter__()
    async with session.request(method, service.url + path, json=body) as response:
        assert response.status >= 400
    with pytest.raises(ServiceBreachError):
        await service.__aexit__(None, None, None)


async def test_a_route_fails_when_it_is_told_to(session: aiohttp.ClientSession, service: FishSpeechService) -> None:
    service.fail("POST /v1/tts", Fault(status=503, body="busy"))
    assert (await say(session, service))[0] == 503
    assert (await say(session, service))[0] == 200
