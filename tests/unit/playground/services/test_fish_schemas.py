"""The stand-in's answers against Fish Audio's own OpenAPI file, where it lies beside the repository."""

from typing import Any

import ormsgpack
import pytest

from playground.services.fish import FishService
from tests.contract.schemas import check, needs_asyncapi, needs_openapi, response_schema, websocket_message
from tests.unit.playground.services.fishing import COVER, WAV, Angler, bearer, form


@needs_openapi
async def test_created_voice_is_a_model_entity(fish: FishService, angler: Angler) -> None:
    plain = await angler.made()
    full = await angler.made(
        ("tags", "a"), ("cover_image", COVER), ("generate_sample", "true"), description="d", visibility="public"
    )
    fish.training_fault = "noise"
    failed = await angler.made()

    for voice in (plain, full, failed):
        check(voice, response_schema("/model", "post", 201))


@needs_openapi
async def test_read_voice_and_list_are_as_documented(fish: FishService, angler: Angler) -> None:
    fish.trained_after, fish.training_fault = 2, "noise"
    voice = await angler.made()
    fish.publish("The Captain")

    for _ in range(2):
        read = await angler.ask("GET", f"/model/{voice['_id']}")
        check(read.content, response_schema("/model/{id}", "get", 200))
    for query in ({"self": "true"}, {}):
        check((await angler.ask("GET", "/model", params=query)).content, response_schema("/model", "get", 200))


@needs_openapi
async def test_list_at_its_window_is_as_documented(fish: FishService, angler: Angler) -> None:
    for number in range(1001):
        fish.publish(f"Voice {number}")

    page = (await angler.ask("GET", "/model")).content

    assert page["window_limited"]
    check(page, response_schema("/model", "get", 200))


@needs_openapi
async def test_transcription_is_as_documented(angler: Angler) -> None:
    for more in ((), (("ignore_timestamps", "false"),)):
        answer = await angler.ask("POST", "/v1/asr", data=form(("audio", WAV), *more))
        check(answer.content, response_schema("/v1/asr", "post", 200))


@needs_openapi
async def test_wallet_is_as_documented(angler: Angler) -> None:
    for query in ({}, {"check_free_credit": "true"}):
        credit = await angler.ask("GET", "/wallet/self/api-credit", params=query)
        check(credit.content, response_schema("/wallet/{user_id}/api-credit", "get", 200))
    package = (await angler.ask("GET", "/wallet/self/package")).content

    # the official client needs an id that the file does not have
    assert package.pop("_id")
    check(package, response_schema("/wallet/{user_id}/package", "get", 200))


@needs_openapi
@pytest.mark.parametrize(
    ("method", "path", "documented", "key", "status"),
    [
        ("POST", "/v1/tts", "/v1/tts", "bad-key", 401),
        ("POST", "/v1/tts", "/v1/tts", "poor-key", 402),
        ("POST", "/v1/asr", "/v1/asr", "bad-key", 401),
        ("POST", "/v1/asr", "/v1/asr", "poor-key", 402),
        ("GET", "/wallet/self/api-credit", "/wallet/{user_id}/api-credit", "bad-key", 401),
        ("GET", "/wallet/self/package", "/wallet/{user_id}/package", "bad-key", 401),
        ("GET", "/model/none", "/model/{id}", "good-key", 404),
    ],
)
async def test_refusal_is_as_documented(
    angler: Angler, method: str, path: str, documented: str, key: str, status: int
) -> None:
    answer = await angler.ask(method, path, key=key)

    assert answer.status == status
    check(answer.content, response_schema(documented, method.casefold(), status))


@needs_asyncapi
async def test_events_are_as_documented_but_for_the_two_that_were_only_seen(angler: Angler) -> None:
    start = {"event": "start", "request": {"text": "", "format": "opus"}}
    events: list[dict[str, Any]] = []
    async with angler.session.ws_connect(angler.url + "/v1/tts/live", headers=bearer("good-key")) as socket:
        for event in (start, {"event": "text", "text": "Hi."}, {"event": "stop"}):
            await socket.send_bytes(ormsgpack.packb(event))
        events = [ormsgpack.unpackb(message.data) async for message in socket]

    log, *sounds, finish = events
    assert log["event"] == "log"
    check(finish, websocket_message("FinishEvent"))
    for event in sounds:
        assert isinstance(event.pop("time"), float)
        check(event, websocket_message("AudioEvent"))
