"""The stand-in of HighwayAPI, MyRouter and Novita AI, asked by a bare client."""

import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import ormsgpack
import pytest

from playground.services.novita import NovitaService
from playground.services.service import Fault, ServiceBreachError
from tests.sounds import babble, to_wav

WAV = to_wav(babble(1.0, rate=16_000), rate=16_000)
FIELDS = {"type": "tts", "title": "Aki", "train_mode": "fast", "visibility": "private"}
OLD = "/v4beta/txt2speech"
S2 = "/v3/fish-audio-s2-pro-text-to-speech"


class Client:
    """Owns one session."""

    def __init__(self, service: NovitaService, session: aiohttp.ClientSession) -> None:
        self.service = service
        self.session = session

    async def ask(
        self,
        method: str,
        path: str,
        *,
        key: str | None = "good-key",
        headers: Mapping[str, str] | None = None,
        **sent: Any,
    ) -> tuple[aiohttp.ClientResponse, Any]:
        """Give the answer, and what is in it: JSON or bytes."""
        bearer = {"Authorization": f"Bearer {key}"} if key else {}
        async with self.session.request(
            method, self.service.url + path, headers={**bearer, **(headers or {})}, **sent
        ) as response:
            is_json = response.content_type == "application/json"
            return response, await (response.json() if is_json else response.read())

    async def clone(self, *, files: int = 1, cover: bool = False, **others: str) -> tuple[aiohttp.ClientResponse, Any]:
        """Ask for a voice by multipart."""
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in {**FIELDS, **others}.items():
            form.add_field(name, value)
        for _ in range(files):
            form.add_field("voices", WAV, filename="sample.wav", content_type="audio/wav")
        if cover:
            form.add_field("cover_image", b"a picture", filename="cover.png", content_type="image/png")
        return await self.ask("POST", "/v4beta/model", data=form)

    async def voice(self) -> str:
        """Make a voice and give its id."""
        return str((await self.clone())[1]["_id"])


@pytest.fixture
async def service() -> AsyncIterator[NovitaService]:
    async with NovitaService() as opened:
        yield opened


@pytest.fixture
async def client(service: NovitaService) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(service, session)


def reason(answer: tuple[aiohttp.ClientResponse, Any]) -> tuple[int, str]:
    """Give status and reason, having looked that the refusal has its shape."""
    response, body = answer
    assert set(body) == {"code", "reason", "message", "metadata"}
    assert body["code"] == response.status
    assert body["metadata"] == {}
    return response.status, body["reason"]


async def test_a_voice_is_made_from_a_form_with_several_recordings(client: Client) -> None:
    response, voice = await client.clone(files=2, description="low", enhance_audio_quality="true")

    assert response.status == 200
    assert response.headers["x-request-id"]
    assert voice["visibility"] == "private"
    assert voice["state"] == "trained"
    assert voice["description"] == "low"
    assert client.service.voices[voice["_id"]]["title"] == "Aki"
    assert client.service.recordings[voice["_id"]] == (WAV, WAV)


async def test_the_status_of_a_new_voice_and_its_state_are_switches(client: Client) -> None:
    client.service.create_status = 201
    client.service.made_state = "training"

    response, voice = await client.clone()

    assert (response.status, voice["state"]) == (201, "training")


async def test_a_voice_is_public_unless_asked_otherwise_and_then_needs_a_picture(client: Client) -> None:
    form = {**FIELDS, "visibility": "public"}

    assert reason(await client.clone(**form)) == (400, "INVALID_REQUEST_BODY")
    assert (await client.clone(cover=True, **form))[1]["visibility"] == "public"


async def test_what_is_asked_of_visibility_can_be_overruled(client: Client) -> None:
    client.service.forced_visibility = "public"

    assert (await client.clone())[1]["visibility"] == "public"


@pytest.mark.parametrize(
    ("encoding", "sound"),
    [("json_base64", base64.b64encode(WAV).decode()), ("json_url", "https://cdn.example.com/sample.wav")],
)
async def test_json_is_refused_until_it_is_allowed(client: Client, encoding: Any, sound: str) -> None:
    body = {**FIELDS, "voices": [sound]}

    before = await client.ask("POST", "/v4beta/model", json=body)
    client.service.encodings = frozenset({encoding})
    response, voice = await client.ask("POST", "/v4beta/model", json=body)

    assert reason(before) == (400, "INVALID_REQUEST_BODY")
    assert response.status == 200
    assert client.service.recordings[voice["_id"]] == (WAV if encoding == "json_base64" else sound,)
    assert reason(await client.clone()) == (400, "INVALID_REQUEST_BODY")


async def test_one_kind_of_json_does_not_allow_the_other(client: Client) -> None:
    client.service.encodings = frozenset({"json_url"})
    body = {**FIELDS, "voices": [base64.b64encode(WAV).decode()]}

    assert reason(await client.ask("POST", "/v4beta/model", json=body)) == (400, "INVALID_REQUEST_BODY")


async def test_what_is_no_sound_is_refused(client: Client) -> None:
    client.service.encodings = frozenset({"json_base64"})

    for junk in (base64.b64encode(b"<html>").decode(), "!not base64!"):
        body = {**FIELDS, "voices": [junk]}
        assert reason(await client.ask("POST", "/v4beta/model", json=body)) == (400, "INVALID_AUDIO_FILE")


@pytest.mark.parametrize("change", [{"type": "svc"}, {"train_mode": "full"}, {"title": ""}, {"texts": "one too few"}])
async def test_wrong_fields_are_refused(client: Client, change: dict[str, str]) -> None:
    assert reason(await client.clone(files=2, **change)) == (400, "INVALID_REQUEST_BODY")


async def test_speech_is_raw_sound_without_a_length(client: Client) -> None:
    voice_id = await client.voice()
    body = {"text": "Hello", "format": "mp3", "reference_id": voice_id, "prosody": {"speed": 1.2}}

    response, sound = await client.ask("POST", OLD, json=body, headers={"model": "s1"})

    assert response.status == 200
    assert response.headers["Content-Type"] == "audio/mpeg"
    assert response.headers["x-request-id"]
    assert "Content-Length" not in response.headers
    assert sound.startswith((b"ID3", b"\xff"))
    assert client.service.spoken[-1]["speed"] == 1.2
    assert client.service.keys["good-key"] < 10


@pytest.mark.parametrize(("form", "magic"), [("opus", b"OggS"), ("wav", b"RIFF")])
async def test_the_s2_route_speaks_each_format(client: Client, form: str, magic: bytes) -> None:
    voice_id = await client.voice()
    body = {"text": "Hello", "format": form, "reference_id": [voice_id], "latency": "low", "opus_bitrate": 64_000}

    response, sound = await client.ask("POST", S2, json=body)

    assert response.headers["Content-Type"] == f"audio/{form}"
    assert sound.startswith(magic)
    assert client.service.spoken[-1]["model"] == "s2-pro"


async def test_the_s2_route_may_be_missing(client: Client) -> None:
    client.service.s2_route = False

    assert reason(await client.ask("POST", S2, json={"text": "Hello"})) == (404, "API_NOT_FOUND")


async def test_recordings_beside_a_line_need_msgpack_on_the_old_route(client: Client) -> None:
    packed = ormsgpack.packb({"text": "Hello", "references": [{"audio": WAV, "text": "hm"}]})
    written = {"text": "Hello", "references": [{"audio": base64.b64encode(WAV).decode(), "text": "hm"}]}

    response, _ = await client.ask("POST", OLD, data=packed, headers={"Content-Type": "application/msgpack"})

    assert response.status == 200
    assert client.service.spoken[-1]["references"] == (WAV,)
    assert reason(await client.ask("POST", OLD, json=written)) == (400, "INVALID_REQUEST_BODY")
    assert (await client.ask("POST", S2, json=written))[0].status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"latency": "low"},
        {"opus_bitrate": 64_000},
        {"prosody": {"speed": 3}},
        {"format": "aac"},
        {"sample_rate": 22_050},
    ],
)
async def test_what_the_old_route_does_not_take_is_refused(client: Client, change: dict[str, Any]) -> None:
    answer = await client.ask("POST", OLD, json={"text": "Hello", **change})

    assert reason(answer) == (400, "INVALID_REQUEST_BODY")


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}"])
async def test_a_body_that_is_none_is_refused(client: Client, body: bytes) -> None:
    answer = await client.ask("POST", OLD, data=body, headers={"Content-Type": "application/json"})

    assert reason(answer) == (400, "INVALID_REQUEST_BODY")


async def test_an_unknown_voice_is_refused_by_fish_audio_or_by_the_family(client: Client) -> None:
    body = {"text": "Hello", "reference_id": "gone"}

    response, told = await client.ask("POST", OLD, json=body)
    client.service.unknown_voice = "MODEL_NOT_FOUND"

    assert (response.status, told) == (400, {"message": "Reference not found", "status": 400})
    assert reason(await client.ask("POST", OLD, json=body)) == (404, "MODEL_NOT_FOUND")


async def test_an_unknown_model_is_refused(client: Client) -> None:
    answer = await client.ask("POST", OLD, json={"text": "Hello"}, headers={"model": "s9"})

    assert reason(answer) == (404, "MODEL_NOT_FOUND")


async def test_the_brands_say_differently_that_a_key_is_bad_or_missing(client: Client) -> None:
    assert reason(await client.ask("POST", OLD, key="bad", json={})) == (401, "FAILED_TO_AUTH")
    assert reason(await client.ask("POST", OLD, key=None, json={})) == (401, "FAILED_TO_AUTH")
    client.service.bad_key = "INVALID_API_KEY"
    client.service.missing_key = "MISSING_API_KEY"
    assert reason(await client.ask("POST", OLD, key="bad", json={})) == (403, "INVALID_API_KEY")
    assert reason(await client.ask("GET", "/v4beta/model", key=None)) == (400, "MISSING_API_KEY")


async def test_the_brands_say_differently_that_there_is_no_money_and_before_they_read_the_body(client: Client) -> None:
    assert reason(await client.ask("POST", OLD, key="poor-key", json={})) == (403, "NOT_ENOUGH_BALANCE")
    client.service.no_money = "BILLING_BALANCE_NOT_ENOUGH"
    for path in (OLD, S2, "/v4beta/model"):
        answer = await client.ask("POST", path, key="poor-key", json={})
        assert reason(answer) == (400, "BILLING_BALANCE_NOT_ENOUGH")


async def test_keys_can_be_barred_and_rates_limited(client: Client) -> None:
    client.service.busy = 1
    client.service.busy_reason = "TOKEN_LIMIT_EXCEEDED"
    assert reason(await client.ask("POST", OLD, json={})) == (429, "TOKEN_LIMIT_EXCEEDED")
    client.service.barred["good-key"] = "ACCESS_DENY"
    assert reason(await client.ask("POST", OLD, json={})) == (403, "ACCESS_DENY")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v4beta/model"), ("GET", "/v4beta/model/x"), ("DELETE", "/v4beta/model/x")]
)
async def test_voices_are_not_listed_read_or_deleted_and_asking_is_no_breach(
    client: Client, method: str, path: str
) -> None:
    assert reason(await client.ask(method, path)) == (404, "API_NOT_FOUND")
    assert client.service.count(method, path) == 1
    assert client.service.breaches == []


async def test_a_fault_has_a_request_id_too(client: Client) -> None:
    client.service.fail(f"POST {OLD}", Fault(status=502, body="<html>"))

    response, _ = await client.ask("POST", OLD, json={"text": "Hello"})

    assert response.status == 502
    assert response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (OLD, {"text": "Hello", "seed": 1}),
        (OLD, {"text": "Hello", "prosody": {"normalize_loudness": True}}),
        (S2, {"text": "Hello", "model": "s2-pro"}),
        ("/v4beta/tts", {}),
    ],
)
async def test_what_nobody_documents_is_a_breach(path: str, body: dict[str, Any]) -> None:
    with pytest.raises(ServiceBreachError):
        async with NovitaService() as service, aiohttp.ClientSession() as session:
            await Client(service, session).ask("POST", path, json=body)


async def test_a_field_of_the_newer_fish_audio_is_a_breach() -> None:
    with pytest.raises(ServiceBreachError, match="generate_sample"):
        async with NovitaService() as service, aiohttp.ClientSession() as session:
            await Client(service, session).clone(generate_sample="true")
