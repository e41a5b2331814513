"""The stand-in of Fish Audio at WebSocket /v1/tts/live: events, sound as text arrives, and every way it ends."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import av
import ormsgpack
import pytest

from playground.services.fish import FishService
from playground.services.service import Fault, ServiceBreachError
from tests.unit.playground.services.fishing import WAV, Angler, bearer, breach

START: dict[str, Any] = {"event": "start", "request": {"text": "", "format": "opus"}}
FLUSH, STOP = {"event": "flush"}, {"event": "stop"}


def text(words: str) -> dict[str, Any]:
    return {"event": "text", "text": words}


class Line:
    """Owns one connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, *events: dict[str, Any]) -> None:
        for event in events:
            await self.socket.send_bytes(ormsgpack.packb(event))

    async def next(self) -> dict[str, Any]:
        event: dict[str, Any] = ormsgpack.unpackb(await self.socket.receive_bytes())
        return event

    async def rest(self) -> list[dict[str, Any]]:
        return [ormsgpack.unpackb(message.data) async for message in self.socket]


@asynccontextmanager
async def connected(angler: Angler, *, key: str = "good-key", model: str = "s2-pro") -> AsyncIterator[Line]:
    headers = {**bearer(key), "model": model}
    async with angler.session.ws_connect(angler.url + "/v1/tts/live", headers=headers) as socket:
        yield Line(socket)


def sound(events: list[dict[str, Any]]) -> bytes:
    return b"".join(event["audio"] for event in events if event["event"] == "audio")


@pytest.mark.parametrize("form", ["opus", "mp3", "wav"])
async def test_one_stream_of_sound_comes_for_all_the_text_and_finish_only_after_stop(
    fish: FishService, angler: Angler, form: str
) -> None:
    start = {"event": "start", "request": {"text": "", "format": form, "reference_id": None}}
    async with connected(angler) as line:
        await line.send(start, text("Hello, "), text("there."), FLUSH, text("And again."), STOP)
        events = await line.rest()

    names = [event["event"] for event in events]
    assert names[0] == "log"
    assert set(names[1:-1]) == {"audio"}
    assert events[-1] == {"event": "finish", "reason": "stop"}
    assert {type(event["time"]) for event in events[1:-1]} == {float}
    assert [line["text"] for line in fish.spoken] == ["Hello, there.", "And again."]
    with av.open(io.BytesIO(sound(events)), "r") as file:
        frames = list(file.decode(audio=0))
    seconds = sum(frame.samples for frame in frames) / frames[0].rate
    assert seconds == pytest.approx((13 + 10) * 0.06, abs=0.15)


async def test_sound_comes_while_text_is_still_to_come(fish: FishService, angler: Angler) -> None:
    async with connected(angler) as line:
        await line.send(START, text("The first sentence. "), FLUSH)
        first = [await line.next(), await line.next()]
        await line.send(text("The second."), STOP)
        await line.rest()

    assert [event["event"] for event in first] == ["log", "audio"]
    assert [event["event"] for event in fish.heard] == ["start", "text", "flush", "text", "stop"]


async def test_text_waits_until_there_is_enough_for_a_chunk(fish: FishService, angler: Angler) -> None:
    start = {"event": "start", "request": {"text": "Well, ", "format": "pcm", "chunk_length": 100}}
    async with connected(angler) as line:
        await line.send(start, text("a" * 50), text("b" * 50), text("c"), STOP)
        await line.rest()

    assert [line["text"] for line in fish.spoken] == ["Well, " + "a" * 50 + "b" * 50, "c"]


async def test_stop_without_text_finishes_without_sound(angler: Angler) -> None:
    async with connected(angler) as line:
        await line.send(START, FLUSH, STOP)
        events = await line.rest()

    assert [event["event"] for event in events] == ["log", "finish"]


@pytest.mark.parametrize(("key", "status"), [("", 401), ("bad-key", 401), ("poor-key", 402)])
async def test_handshake_is_refused_with_a_status(angler: Angler, key: str, status: int) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connected(angler, key=key).__aenter__()

    assert refused.value.status == status
    assert refused.value.headers is not None
    assert "x-fish-trace-id" in refused.value.headers


async def test_free_model_is_live_with_an_empty_wallet(angler: Angler) -> None:
    async with connected(angler, key="poor-key", model="s2.1-pro-free") as line:
        await line.send(START, text("Hi."), STOP)
        events = await line.rest()

    assert events[-1]["reason"] == "stop"


async def test_connection_beyond_the_account_s_places_is_refused_at_the_handshake(
    fish: FishService, angler: Angler
) -> None:
    fish.concurrency = 1
    async with connected(angler):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connected(angler).__aenter__()

    assert refused.value.status == 429


async def test_connection_beyond_the_account_s_places_can_be_told_by_an_event(
    fish: FishService, angler: Angler
) -> None:
    fish.concurrency, fish.live_busy = 1, "event"
    async with connected(angler), connected(angler) as second:
        events = await second.rest()

    assert events == [{"event": "error", "error": "Concurrency limit exceeded", "max_concurrency": 1}]


async def test_fault_on_demand_refuses_the_handshake(fish: FishService, angler: Angler) -> None:
    fish.fail("GET /v1/tts/live", Fault(status=503))

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connected(angler).__aenter__()

    assert refused.value.status == 503


@pytest.mark.parametrize(
    "request_", [{"text": "", "reference_id": "0" * 32}, {"text": "", "format": "aac"}, {"text": "", "sample_rate": 1}]
)
async def test_what_synthesis_refuses_finishes_with_error(angler: Angler, request_: dict[str, Any]) -> None:
    async with connected(angler) as line:
        await line.send({"event": "start", "request": request_})
        events = await line.rest()

    assert events == [{"event": "finish", "reason": "error"}]


async def test_switch_finishes_with_error_after_the_sound(fish: FishService, angler: Angler) -> None:
    fish.live_finish = "error"
    async with connected(angler) as line:
        await line.send(START, text("Hi."), STOP)
        events = await line.rest()

    assert sound(events)
    assert events[-1] == {"event": "finish", "reason": "error"}


async def test_switch_closes_in_the_middle_of_the_sound(fish: FishService, angler: Angler) -> None:
    fish.live_cut_after = 2
    async with connected(angler) as line:
        await line.send(START, text("A sentence that takes a while to say."), STOP)
        events = await line.rest()
        code = line.socket.close_code

    assert [event["event"] for event in events] == ["log", "audio", "audio"]
    assert code == 1011


async def test_switch_closes_before_what_is_flushed_and_a_chunk_alike(fish: FishService, angler: Angler) -> None:
    fish.live_cut_after = 0
    for events in ([text("Hi."), FLUSH], [text("a" * 300)]):
        async with connected(angler) as line:
            await line.send(START, *events)
            assert [event["event"] for event in await line.rest()] == ["log"]


async def test_place_is_free_again_when_the_client_leaves_in_the_middle(fish: FishService, angler: Angler) -> None:
    fish.concurrency, fish.gate = 1, asyncio.Event()
    async with connected(angler) as line:
        await line.send(START, text("A sentence that takes a while to say."), FLUSH)
        await line.next()
        await line.next()

    while (answer := await angler.ask("GET", "/model")).status == 429:
        fish.gate = None

    assert answer.status == 200


async def test_references_come_as_bytes(fish: FishService, angler: Angler) -> None:
    start = {"event": "start", "request": {"text": "", "references": [{"audio": WAV, "text": "Hm."}]}}
    async with connected(angler) as line:
        await line.send(start, text("Hi."), STOP)
        await line.rest()

    assert fish.spoken[0]["references"] == (WAV,)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([text("Hi.")], "the first event was text, not start"),
        ([START, START], "the event start came twice"),
        ([START, {"event": "close"}], "there is no event close"),
        ([START, {"event": "text"}], r"the event text came with the fields \[\]"),
        ([START, {**FLUSH, "text": "x"}], r"the event flush came with the fields \['text'\]"),
        ([{"event": "start", "request": {"text": "", "voice": "x"}}], "TTSRequest has no field voice"),
        ([[1]], "a frame was not a map"),
    ],
)
async def test_event_that_does_not_exist_is_a_breach(events: list[dict[str, Any]], words: str) -> None:
    async def talk(angler: Angler) -> None:
        async with connected(angler) as line:
            await line.send(*events)
            await line.rest()

    with pytest.raises(ServiceBreachError, match=words):
        await breach(FishService(), talk)


@pytest.mark.parametrize(("frame", "words"), [("text", "a frame was TEXT, not binary"), (b"\xc1", "not msgpack")])
async def test_frame_that_is_not_msgpack_is_a_breach(frame: str | bytes, words: str) -> None:
    async def talk(angler: Angler) -> None:
        async with connected(angler) as line:
            await (line.socket.send_str(frame) if isinstance(frame, str) else line.socket.send_bytes(frame))
            await line.rest()

    with pytest.raises(ServiceBreachError, match=words):
        await breach(FishService(), talk)
