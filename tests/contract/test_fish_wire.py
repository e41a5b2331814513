"""What our Fish Audio provider says on the wire, against the service's own schemas."""

from typing import Any

import pytest

from bot.providers.base import SpeechRequest, VoiceEdit, VoiceQuery
from bot.providers.fish import FishProvider
from playground.services.fish import FishService
from tests.contract.conftest import make
from tests.contract.schemas import (
    check,
    form_values,
    needs_asyncapi,
    needs_openapi,
    query_schema,
    request_schema,
    typed,
    websocket_message,
)
from tests.unit.providers.fish_house import clone_request, fish, sample
from tests.unit.providers.sound import speak

COVER = b"\xff\xd8\xff\xe0 a picture"
LINE = "The first sentence is short. The second one is longer."
FULL_QUERY = VoiceQuery(
    mine=False,
    title="a",
    tags=("warm", "low"),
    author="0" * 32,
    languages=("en", "de"),
    title_language="en",
    sort="task_count",
    page=2,
    size=50,
)


@needs_openapi
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"visibility": "public", "cover": COVER},
        {"description": "", "tags": ()},
    ],
)
async def test_created_voice_is_asked_for_as_documented(
    service: FishService, provider: FishProvider, changes: dict[str, Any]
) -> None:
    samples = (sample(transcript="One."), sample(transcript="Two."))

    await provider.create(clone_request(*samples, **changes))

    asked = service.last("POST", "/model")
    schema = request_schema("/model", "post", asked.media_type)
    body = typed(form_values(asked), schema)
    check(body, schema)
    assert (body["type"], body["train_mode"], body["visibility"]) == (
        "tts",
        "fast",
        changes.get("visibility", "private"),
    )
    assert (body["texts"], body["voices"]) == (["One.", "Two."], [each.wav for each in samples])
    assert "transfer-encoding" not in asked.headers


@needs_openapi
@pytest.mark.parametrize("query", [VoiceQuery(), FULL_QUERY, VoiceQuery(author="x", size=500)])
async def test_list_is_asked_for_as_documented(service: FishService, provider: FishProvider, query: VoiceQuery) -> None:
    await provider.list(query)

    schema = query_schema("/model", "get")
    check(typed(service.last("GET", "/model").query, schema), schema)


@needs_openapi
@pytest.mark.parametrize(
    "edit",
    [
        VoiceEdit(title="Bea", description="new", tags=("x", "y"), visibility="unlist"),
        VoiceEdit(title="Bea", tags=("x", "y"), visibility="public", cover=COVER),
        VoiceEdit(tags=(), cover=COVER),
    ],
)
async def test_change_is_asked_for_as_documented(service: FishService, provider: FishProvider, edit: VoiceEdit) -> None:
    voice_id = await make(provider)

    await provider.update(voice_id, edit)

    changes = [asked for asked in service.asked if asked.method == "PATCH"]
    assert changes
    for asked in changes:
        schema = request_schema("/model/{id}", "patch", asked.media_type)
        check(asked.content() if asked.form is None else typed(form_values(asked), schema), schema)


@needs_openapi
@pytest.mark.parametrize("form", ["opus", "mp3", "wav", "pcm"])
async def test_line_is_asked_for_as_documented(service: FishService, form: str) -> None:
    async with fish(service, format=form) as provider:
        voice_id = await make(provider)
        await speak(provider, SpeechRequest(text=LINE, remote_id=voice_id, speed=1.5))
        await speak(provider, SpeechRequest(text=LINE, samples=(sample(transcript="Hm."), sample())))

    kept, instant = [asked for asked in service.asked if asked.path == "/v1/tts"]
    assert (kept.media_type, instant.media_type) == ("application/json", "application/msgpack")
    for asked in (kept, instant):
        check(asked.content(), request_schema("/v1/tts", "post", asked.media_type))
        assert asked.headers["model"] == "s2.1-pro"


@needs_openapi
async def test_transcription_is_asked_for_as_documented(service: FishService, provider: FishProvider) -> None:
    await provider.transcribe(sample())

    asked = service.last("POST", "/v1/asr")
    schema = request_schema("/v1/asr", "post", asked.media_type)
    check(typed(form_values(asked), schema), schema)


@needs_openapi
async def test_credit_is_asked_for_as_documented(service: FishService, provider: FishProvider) -> None:
    await provider.check()

    schema = query_schema("/wallet/{user_id}/api-credit", "get")
    check(typed(service.last("GET", "/wallet/self/api-credit").query, schema), schema)


@needs_openapi
@needs_asyncapi
async def test_events_of_a_live_line_are_as_documented(service: FishService) -> None:
    async with fish(service, transport="websocket") as provider:
        voice_id = await make(provider)
        await speak(provider, SpeechRequest(text=LINE, remote_id=voice_id, speed=0.5))
        await speak(provider, SpeechRequest(text=LINE, samples=(sample(transcript="Hm."),)))

    names = {"start": "StartEvent", "text": "TextEvent", "flush": "FlushEvent", "stop": "CloseEvent"}
    assert [event["event"] for event in service.heard if event["event"] != "flush"] == [
        "start", "text", "text", "stop", "start", "text", "text", "stop"
    ]  # fmt: skip
    for event in service.heard:
        check(event, websocket_message(names[event["event"]]))
    for event in service.heard:
        if event["event"] == "start":
            check(event["request"], request_schema("/v1/tts", "post", "application/msgpack"))
