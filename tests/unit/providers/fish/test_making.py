"""Voices are made at Fish Audio, each create sent once."""

import json

import pytest

from bot.errors import ProviderError
from bot.providers.base import CloneRequest
from bot.providers.fish import FishProvider
from bot.providers.patience import Patience
from bot.settings import FishSettings
from playground.services.fish import FishService
from playground.services.service import Fault, Upload
from tests.unit.providers.fish.house import HEAR, JPEG, MAKE, answering, form_of
from tests.unit.providers.fish_house import HASTY, KEY, OURS, clone_request, fish, sample


async def test_create_sends_every_field_as_the_service_names_it(service: FishService, provider: FishProvider) -> None:
    samples = (sample(1, transcript="One."), sample(2, transcript="Two."))

    voice = await provider.create(clone_request(*samples, visibility="unlist", cover=JPEG, party=7))

    form = form_of(service)
    recordings = form.pop("voices")
    assert form.pop("cover_image") == [Upload(JPEG, "cover.jpg", "image/jpeg")]
    assert form == {
        "type": ["tts"],
        "train_mode": ["fast"],
        "title": ["Aki"],
        "visibility": ["unlist"],
        "enhance_audio_quality": ["true"],
        "generate_sample": ["false"],
        "description": [f"warm (mynah:{OURS})"],
        "tags": ["a", "b"],
        "texts": ["One.", "Two."],
    }
    assert recordings == [
        Upload(samples[0].wav, "sample-1.wav", "audio/wav"),
        Upload(samples[1].wav, "sample-2.wav", "audio/wav"),
    ]
    assert (voice.title, voice.description, voice.tags, voice.visibility) == ("Aki", "warm", ("a", "b"), "unlist")
    assert voice.state == "trained"
    assert await provider.get(voice.id) == voice


async def test_create_leaves_out_transcripts_that_are_not_there_for_each_sample(
    service: FishService, provider: FishProvider
) -> None:
    await provider.create(clone_request(sample(1, transcript="One."), sample(1)))

    assert "texts" not in form_of(service)
    assert service.count("POST", "/v1/asr") == 0


async def test_create_sends_private_and_the_enhancement_that_is_set(service: FishService) -> None:
    async with fish(service, enhance=False) as provider:
        await provider.create(clone_request())

    assert form_of(service)["visibility"] == ["private"]
    assert form_of(service)["enhance_audio_quality"] == ["false"]


async def test_uploads_go_out_with_their_length_and_in_one_piece() -> None:
    long = sample(30)
    body = json.dumps({"_id": "a" * 32}).encode()
    answer = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )
    async with answering(answer) as (url, heard):
        settings = FishSettings(base_url=url, api_key=KEY)
        async with FishProvider(settings, patience=HASTY) as provider:
            await provider.create(clone_request(long, cover=JPEG))

    head, _, sent = heard[0].partition(b"\r\n\r\n")
    assert f"content-length: {len(sent)}".encode() in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert b"content-type: multipart/form-data; boundary=" in head.lower()
    assert long.wav in sent


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (CloneRequest(voice_id=OURS, title="Aki", samples=()), "attach one"),
        (clone_request(visibility="public"), "cover"),
    ],
)
async def test_create_that_cannot_be_right_is_not_sent(
    service: FishService, provider: FishProvider, request_: CloneRequest, words: str
) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        await provider.create(request_)

    assert caught.value.kind == "invalid"
    assert service.asked == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, body={"message": "Failed to preprocess audio: no available server", "status": 503}),
        Fault(status=500, works_first=True),
        Fault(drops=True, works_first=True),
        Fault(status=201, body={"message": "what"}),
        Fault(status=201, body="<html>", content_type="text/html"),
    ],
)
async def test_create_whose_outcome_is_unknown_is_sent_exactly_once(
    service: FishService, provider: FishProvider, fault: Fault
) -> None:
    service.fail(MAKE, fault)

    with pytest.raises(ProviderError) as caught:
        await provider.create(clone_request())

    assert caught.value.kind == "unknown_outcome"
    assert service.count("POST", "/model") == 1
    found = await provider.find(OURS)
    assert (found is not None) == fault.works_first


async def test_create_is_waited_for_longer_than_other_answers(service: FishService) -> None:
    service.fail(MAKE, Fault(hangs=True))
    patience = Patience(base=0.001, cap=0.002, first_byte=0.01, create=0.5)
    async with fish(service, patience=patience) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.create(clone_request())

    assert caught.value.kind == "unknown_outcome"
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert service.count("POST", "/model") == 1


async def test_refused_create_was_not_made_and_says_what_is_wrong(service: FishService, provider: FishProvider) -> None:
    service.fail(MAKE, Fault(status=429, body="You have exceeded your current concurrency limit"))

    with pytest.raises(ProviderError) as caught:
        await provider.create(clone_request())

    assert caught.value.kind == "rate_limited"
    assert service.count("POST", "/model") == 1


async def test_missing_transcripts_are_written_first_where_that_is_set(service: FishService) -> None:
    async with fish(service, transcribe=True) as provider:
        await provider.create(clone_request(sample(1.5, transcript="One."), sample(2)))

    assert form_of(service)["texts"] == ["One.", service.transcript]
    assert service.count("POST", "/v1/asr") == 1


@pytest.mark.parametrize("fault", [Fault(status=402), Fault(status=200, body={"text": "  "})])
async def test_failed_transcription_does_not_stop_the_create(service: FishService, fault: Fault) -> None:
    service.fail(HEAR, fault)
    async with fish(service, transcribe=True) as provider:
        voice = await provider.create(clone_request(sample(2), sample(2)))

    assert voice.state == "trained"
    assert "texts" not in form_of(service)
    assert service.count("POST", "/v1/asr") == 1


async def test_voice_in_training_is_told_until_it_is_trained(service: FishService, provider: FishProvider) -> None:
    service.trained_after = 2

    voice = await provider.create(clone_request())

    assert voice.state == "created"
    assert (await provider.get(voice.id)).state == "training"
    assert (await provider.get(voice.id)).state == "trained"
