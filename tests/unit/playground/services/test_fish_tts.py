"""The stand-in of Fish Audio at POST /v1/tts: sound, its forms and price, and every way to be refused."""

import asyncio
import io
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import av
import pytest

from playground.services.fish import FishService
from playground.services.service import Fault, ServiceBreachError
from tests.sounds import quiet, to_wav
from tests.unit.playground.services.fishing import WAV, Angler, bearer, breach

LINE = "Hello there, this is a line that takes a moment."


@asynccontextmanager
async def speaking(angler: Angler) -> AsyncIterator[aiohttp.ClientResponse]:
    """Hold an answer of which the first portion was read; leave it where that is."""
    url = angler.url + "/v1/tts"
    async with angler.session.post(url, json={"text": LINE}, headers=bearer("good-key")) as response:
        await response.content.readany()
        yield response
        response.close()


def samples_of(data: bytes, rate: int) -> int:
    with av.open(io.BytesIO(data), "r") as file:
        stream = file.streams.audio[0]
        assert (stream.rate, stream.channels) == (rate, 1)
        return sum(frame.samples for frame in file.decode(stream))


@pytest.mark.parametrize(
    ("form", "kind", "magic", "rate"),
    [
        ("mp3", "audio/mpeg", b"ID3", 44_100),
        ("opus", "audio/opus", b"OggS", 48_000),
        ("wav", "audio/wav", b"RIFF", 44_100),
        ("pcm", "audio/pcm", b"", 44_100),
    ],
)
async def test_speech_is_raw_sound_in_the_form_that_was_asked_and_its_length_is_not_told(
    angler: Angler, form: str, kind: str, magic: bytes, rate: int
) -> None:
    answer = await angler.say(text=LINE, format=form)

    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in answer.headers
    assert answer.body.startswith(magic)
    seconds = len(answer.body) / 2 / rate if form == "pcm" else samples_of(answer.body, rate) / rate
    assert seconds == pytest.approx(0.06 * len(LINE), abs=0.15)


async def test_speech_is_mp3_where_no_form_is_asked(angler: Angler) -> None:
    assert (await angler.say(text=LINE)).headers["Content-Type"] == "audio/mpeg"


async def test_wav_header_holds_a_length_that_means_nothing(angler: Angler) -> None:
    data = (await angler.say(text=LINE, format="wav", sample_rate=16_000)).body

    assert struct.unpack("<I", data[4:8]) == (4_294_967_076,)
    assert struct.unpack("<I", data[24:28]) == (16_000,)
    assert struct.unpack("<I", data[40:44]) == (4_294_967_040,)


async def test_ogg_holds_packets_of_twenty_milliseconds(angler: Angler) -> None:
    data = (await angler.say(text=LINE, format="opus")).body

    with av.open(io.BytesIO(data), "r") as file:
        packets = [bytes(packet) for packet in file.demux(file.streams.audio[0]) if packet.size]

    assert len(packets) > 50
    # RFC 6716 section 3.1: full-band CELT of 20 ms, mono, one frame
    assert {packet[0] for packet in packets} == {31 << 3}


async def test_speed_shortens_speech(angler: Angler) -> None:
    usual, fast = [len((await angler.say(text=LINE, format="pcm", prosody={"speed": speed})).body) for speed in (1, 2)]

    assert fast == pytest.approx(usual / 2, rel=0.05)


@pytest.mark.parametrize(
    ("model", "spoken"), [("s1", "s1"), ("s2.1-pro-free", "s2.1-pro-free"), (None, "s2.1-pro"), ("gpt", "s2.1-pro")]
)
async def test_model_is_a_header_and_one_that_is_not_known_is_the_paid_one(
    fish: FishService, angler: Angler, model: str | None, spoken: str
) -> None:
    await angler.say(text=LINE, model=model)

    assert [line["model"] for line in fish.spoken] == [spoken]
    assert (fish.keys["good-key"] < 10) == (spoken != "s2.1-pro-free")


async def test_model_in_the_body_is_not_looked_at(fish: FishService, angler: Angler) -> None:
    headers = {"Content-Type": "application/json"}
    body = {"text": LINE, "model": "s1"}
    await angler.ask("POST", "/v1/tts", json=body, headers=headers)

    assert fish.spoken[0]["model"] == "s2.1-pro"


async def test_free_model_speaks_with_an_empty_wallet_unless_the_switch_says_no(
    fish: FishService, angler: Angler
) -> None:
    free = await angler.say(key="poor-key", model="s2.1-pro-free", text=LINE)
    fish.free_needs_credit = True
    refused = await angler.say(key="poor-key", model="s2.1-pro-free", text=LINE)

    assert (free.status, refused.status) == (200, 402)


async def test_speech_is_paid_by_bytes_of_text_and_counted_at_the_voice(fish: FishService, angler: Angler) -> None:
    voice = await angler.made()

    answer = await angler.say(text="é" * 50, reference_id=voice["_id"])

    assert answer.status == 200
    assert fish.keys["good-key"] == pytest.approx(10 - 100 * 15 / 1_000_000)
    assert fish.voices[voice["_id"]]["task_count"] == 1
    assert fish.spoken[0]["reference_id"] == voice["_id"]


async def test_public_voice_of_somebody_else_can_be_spoken_with(fish: FishService, angler: Angler) -> None:
    voice = fish.publish("The Captain")

    assert (await angler.say(text=LINE, reference_id=voice["_id"])).status == 200


async def test_several_voices_speak_with_the_second_family_only(angler: Angler) -> None:
    first, second = (await angler.made())["_id"], (await angler.made())["_id"]

    both = await angler.say(text="<|speaker:0|>Hi<|speaker:1|>Ho", reference_id=[first, second])
    old = await angler.say(text=LINE, reference_id=[first, second], model="s1")
    mixed = await angler.say(text=LINE, reference_id=[None, first])
    bad = await angler.say(text=LINE, reference_id=["a b"])

    assert both.status == 200
    assert (old.status, "MultiSpeakerReference" in old.content["message"]) == (400, True)
    assert (mixed.status, "ClientSideReferenceId" in mixed.text) == (400, True)
    assert bad.content["message"] == "reference_id[0] must be 1..=128 chars of [A-Za-z0-9_-]"


async def test_wallet_is_looked_at_before_anything_else_that_was_asked(angler: Angler) -> None:
    answers = [
        await angler.say(key="poor-key", text=LINE),
        await angler.say(key="poor-key", model="not-a-model", text=LINE),
        await angler.say(key="poor-key", format="aac"),
        await angler.ask("POST", "/v1/tts", key="poor-key", data=b"{"),
    ]

    assert {answer.status for answer in answers} == {402}
    assert answers[0].content["message"].startswith("Insufficient API credit. API credit is managed independently")
    assert answers[0].headers["x-fish-error-code"] == "insufficient_balance"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"reference_id": "0" * 32}, "Reference not found"),
        ({"reference_id": "a b"}, "reference_id must be 1..=128 chars of [A-Za-z0-9_-]"),
        ({"prosody": {"speed": 2.5}}, "speed must be in [0.5, 2.0]"),
        ({"prosody": {"speed": 0.4}}, "speed must be in [0.5, 2.0]"),
        ({"format": "mp3", "sample_rate": 22_050}, "Invalid sample rate 22050 for format audio/mpeg. Supported"),
        ({"format": "pcm", "sample_rate": 48_000}, "Invalid sample rate 48000 for format audio/pcm. Supported"),
        ({"format": "opus", "sample_rate": 44_100}, "Invalid sample rate 44100 for format audio/opus. Supported"),
    ],
)
async def test_wrong_value_is_refused_in_an_object(angler: Angler, body: dict[str, Any], message: str) -> None:
    answer = await angler.say(text=LINE, **body)

    assert answer.status == answer.content["status"] == 400
    assert answer.content["message"].startswith(message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"text": LINE, "format": "aac"},
            "Failed to parse json request body: unknown variant `aac`, expected one of `mp3`, `wav`, `pcm`, `opus`",
        ),
        ({"format": "mp3"}, "Failed to parse json request body: missing field `text`"),
        ({"text": 5}, "Failed to parse json request body: invalid type: int, expected str"),
        ({"text": LINE, "chunk_length": True}, "Failed to parse json request body: invalid type: bool, expected int"),
        ({"text": LINE, "latency": "fast"}, "Failed to parse json request body: unknown variant `fast`"),
        ({"text": LINE, "references": ["x"]}, "Failed to parse json request body: data did not match any variant"),
        (
            {"text": LINE, "references": [{"audio": "UklGRg==", "text": ""}]},
            "Failed to parse json request body: invalid type: str, expected byte array",
        ),
        ([LINE], "Failed to parse json request body: invalid type: list, expected struct TTSRequest"),
    ],
)
async def test_body_that_cannot_be_read_is_refused_in_plain_text(angler: Angler, body: Any, message: str) -> None:
    answer = await angler.ask("POST", "/v1/tts", json=body)

    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text.startswith(message)


async def test_broken_msgpack_and_unknown_kinds_of_body_are_refused_in_plain_text(angler: Angler) -> None:
    packed = await angler.ask("POST", "/v1/tts", data=b"\xc1", headers={"Content-Type": "application/msgpack"})
    form = await angler.ask("POST", "/v1/tts", data={"text": LINE})

    assert packed.text.startswith("Failed to parse msgpack request body: invalid type")
    assert form.status == 400


async def test_empty_text_and_a_temperature_out_of_bounds_are_taken(angler: Angler) -> None:
    assert (await angler.say(text="", temperature=2)).status == 200


@pytest.mark.parametrize(
    "body", [{"seed": 1}, {"prosody": {"pitch": 1}}, {"references": [{"audio": [1], "text": "", "id": 1}]}]
)
async def test_field_that_synthesis_does_not_know_is_a_breach(body: dict[str, Any]) -> None:
    with pytest.raises(ServiceBreachError, match="has no field"):
        await breach(FishService(), lambda angler: angler.say(text=LINE, **body))


async def test_references_come_as_bytes_in_msgpack_or_as_numbers_in_json(fish: FishService, angler: Angler) -> None:
    packed = await angler.say_packed(text=LINE, references=[{"audio": WAV, "text": "Hm."}])
    nested = await angler.say_packed(text=LINE, references=[[{"audio": WAV, "text": ""}]])
    listed = await angler.say(text=LINE, references=[{"audio": list(WAV), "text": "Hm."}])

    assert (packed.status, nested.status, listed.status) == (200, 200, 200)
    assert [line["references"] for line in fish.spoken] == [(WAV,)] * 3


async def test_reference_that_is_no_sound_or_too_long_is_refused(angler: Angler) -> None:
    endless = to_wav(quiet(378, rate=8_000), rate=8_000)

    answers = [
        await angler.say_packed(text=LINE, references=[{"audio": audio, "text": ""}])
        for audio in (b"no sound", b"RIFF but broken", endless)
    ]

    assert [answer.content["message"] for answer in answers] == [
        "Reference Audio is not valid, please check your reference audio",
        "Reference Audio is not valid, please check your reference audio",
        "Reference audio too long",
    ]


async def test_body_over_fifty_megabytes_is_refused_in_plain_text(angler: Angler) -> None:
    body = io.BytesIO(bytes((50 << 20) + 1))

    answer = await angler.ask("POST", "/v1/tts", data=body, headers={"Content-Type": "application/msgpack"})

    assert (answer.status, answer.text) == (413, "Payload too large")


async def test_request_beyond_the_account_s_places_is_refused_without_a_time_to_come_again(
    fish: FishService, angler: Angler
) -> None:
    fish.concurrency, fish.gate = 2, asyncio.Event()
    fish.keys["other-key"] = 1.0

    async with speaking(angler), speaking(angler) as last:
        refused = await angler.say(text=LINE)
        listed = await angler.ask("GET", "/model", params={"self": "true"})
        other = await angler.ask("GET", "/model", key="other-key", params={"self": "true"})
        fish.gate.set()
        rest = await last.read()

    assert (refused.status, listed.status, other.status) == (429, 429, 200)
    assert "exceeded your current concurrency limit" in refused.content["message"]
    assert "Retry-After" not in refused.headers
    assert refused.headers["ratelimit-current-concurrency"] == "2"
    assert rest
    assert fish.most_at_once == 2


async def test_place_is_free_again_when_its_client_leaves(fish: FishService, angler: Angler) -> None:
    fish.concurrency, fish.gate = 1, asyncio.Event()
    async with speaking(angler):
        taken = await angler.say(text=LINE)

    while (answer := await angler.ask("GET", "/model")).status == 429:
        fish.gate = None

    assert (taken.status, answer.status) == (429, 200)


async def test_fault_on_demand_answers_in_place_of_speech(fish: FishService, angler: Angler) -> None:
    fish.fail("POST /v1/tts", Fault(status=503, body={"message": "later", "status": 503}))

    first, second = await angler.say(text=LINE), await angler.say(text=LINE)

    assert (first.status, first.content["message"], second.status) == (503, "later", 200)
    assert "x-fish-trace-id" in first.headers
