"""Voices of HighwayAPI, MyRouter and Novita AI: sent in every encoding, and once."""

import base64
import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bot.errors import ProviderError
from bot.models import Sample, Visibility
from bot.providers.base import SpeechRequest, VoiceEdit
from bot.providers.novita import HighwayProvider, MyRouterProvider, NovitaProvider
from playground.services.novita import NovitaService
from playground.services.service import Fault, Upload
from tests.unit.providers.novita.house import (
    CLONE,
    LINKS,
    SAMPLES,
    SECONDS,
    TEXT,
    VOICE,
    VOICE_ID,
    Reseller,
    opened,
    reason,
    sample,
)
from tests.unit.providers.sound import REPORT, speak, to_wav

BRANDS: tuple[type[Reseller], ...] = (HighwayProvider, MyRouterProvider, NovitaProvider)
FIELDS = {
    "type": "tts",
    "title": "Aki",
    "train_mode": "fast",
    "visibility": "private",
    "description": f"A warm voice. (mynah:{VOICE_ID})",
    "enhance_audio_quality": True,
    "tags": ["warm", "low"],
    "texts": ["The cat sat by the fire.", "Nobody else was there."],
}
"""Of `CLONE`, but for its recordings."""


def test_each_brand_has_its_own_name_and_key() -> None:
    assert [(brand.name, brand.label, brand.account.key_setting) for brand in BRANDS] == [
        ("highwayapi", "HighwayAPI", "HIGHWAYAPI_API_KEY"),
        ("myrouter", "MyRouter", "MYROUTER_API_KEY"),
        ("novita", "Novita AI", "NOVITA_API_KEY"),
    ]


@pytest.mark.parametrize("brand", BRANDS)
async def test_each_brand_clones_and_speaks(service: NovitaService, brand: type[Reseller]) -> None:
    async with opened(service, brand) as provider:
        voice = await provider.create(CLONE)
        assert await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id)) == pytest.approx(SECONDS, abs=0.15)


async def test_a_voice_comes_back_as_it_was_asked_for(service: NovitaService, provider: Reseller) -> None:
    voice = await provider.create(CLONE)
    assert set(service.voices) == {voice.id}
    assert (voice.title, voice.description, voice.tags) == ("Aki", "A warm voice.", ("warm", "low"))
    assert (voice.visibility, voice.state) == ("private", "trained")


async def test_multipart_carries_each_recording_and_what_is_said_in_it(
    service: NovitaService, provider: Reseller
) -> None:
    await provider.create(CLONE)
    asked = service.last("POST", VOICE)
    assert asked.form is not None
    form = dict(asked.form)
    assert form.pop("voices") == [
        Upload(SAMPLES[0].wav, "sample-1.wav", "audio/wav"),
        Upload(SAMPLES[1].wav, "sample-2.wav", "audio/wav"),
    ]
    words = {**FIELDS, "enhance_audio_quality": "true"}
    assert form == {name: value if isinstance(value, list) else [value] for name, value in words.items()}
    assert "content-length" in asked.headers


async def test_base64_carries_each_recording_in_json(service: NovitaService) -> None:
    service.encodings = frozenset({"json_base64"})
    async with opened(service, upload="json_base64") as provider:
        voice = await provider.create(CLONE)
    asked = service.last("POST", VOICE)
    content = asked.content()
    assert asked.media_type == "application/json"
    assert [base64.b64decode(each, validate=True) for each in content.pop("voices")] == [each.wav for each in SAMPLES]
    assert content == FIELDS
    assert service.recordings[voice.id] == tuple(each.wav for each in SAMPLES)


async def test_links_are_carried_in_json(service: NovitaService, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service.encodings = frozenset({"json_url"})
    async with opened(service, upload="json_url") as provider:
        voice = await provider.create(CLONE)
    assert service.last("POST", VOICE).content() == {**FIELDS, "voices": list(LINKS)}
    assert service.recordings[voice.id] == LINKS
    assert LINKS[0] not in caplog.text


@pytest.mark.parametrize("upload", ["multipart", "json_base64", "json_url"])
async def test_an_encoding_that_is_not_taken_is_named_by_its_setting(service: NovitaService, upload: Any) -> None:
    service.encodings = frozenset({"multipart", "json_base64", "json_url"}) - {upload}
    async with opened(service, upload=upload) as provider:
        with pytest.raises(ProviderError, match="NOVITA_UPLOAD") as caught:
            await provider.create(CLONE)
    assert caught.value.kind == "invalid"
    assert service.count("POST", VOICE) == 1
    assert not service.voices


@pytest.mark.parametrize("upload", ["multipart", "json_base64", "json_url"])
@pytest.mark.parametrize("visibility", ["private", "unlist"])
async def test_who_sees_a_voice_is_always_said_and_read_back(
    service: NovitaService, upload: Any, visibility: Visibility
) -> None:
    service.encodings = frozenset({upload})
    async with opened(service, upload=upload) as provider:
        voice = await provider.create(replace(CLONE, visibility=visibility))
        assert service.voices[voice.id]["visibility"] == voice.visibility == visibility
        service.forced_visibility = "public"
        assert (await provider.create(CLONE)).visibility == "public"


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("state", ["created", "training", "trained", "failed"])
async def test_a_voice_may_come_with_200_or_201_in_any_state(
    service: NovitaService, provider: Reseller, status: Any, state: Any
) -> None:
    service.create_status, service.made_state = status, state
    assert (await provider.create(CLONE)).state == state


async def test_what_would_be_empty_is_left_out(service: NovitaService) -> None:
    half = replace(CLONE, samples=(SAMPLES[0], sample()), tags=())
    async with opened(service, enhance=False) as provider:
        await provider.create(half)
    form = service.last("POST", VOICE).form
    assert form is not None
    assert not {"tags", "texts"} & set(form)
    assert form["enhance_audio_quality"] == ["false"]


async def test_samples_of_many_megabytes_are_taken(service: NovitaService, provider: Reseller) -> None:
    long = Sample(wav=to_wav(np.zeros(48_000 * 60)), report=REPORT)
    assert (await provider.create(replace(CLONE, samples=(long,)))).state == "trained"


async def test_links_are_not_sent_where_there_is_none_for_each_recording(service: NovitaService) -> None:
    async with opened(service, upload="json_url") as provider:
        for links in ((), LINKS[:1]):
            with pytest.raises(ProviderError, match="NOVITA_UPLOAD") as caught:
                await provider.create(replace(CLONE, links=links))
            assert caught.value.kind == "invalid"
    assert not service.asked


async def test_a_voice_without_a_recording_is_not_asked_for(service: NovitaService, provider: Reseller) -> None:
    with pytest.raises(ProviderError, match="needs a recording"):
        await provider.create(replace(CLONE, samples=()))
    assert not service.asked


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_create_that_met_an_error_is_sent_once_and_its_outcome_unknown(
    service: NovitaService, provider: Reseller, status: int
) -> None:
    service.fail(f"POST {VOICE}", Fault(status=status, body="upstream", works_first=True))
    with pytest.raises(ProviderError, match="did not say whether the voice was made") as caught:
        await provider.create(CLONE)
    assert caught.value.kind == "unknown_outcome"
    assert service.count("POST", VOICE) == 1
    assert len(service.voices) == 1


@pytest.mark.parametrize("fault", [reason(500, "TASK_FAILED"), reason(503, "SERVICE_NOT_AVAILABLE"), Fault(drops=True)])
async def test_a_create_whose_answer_is_lost_is_sent_once(
    service: NovitaService, provider: Reseller, fault: Fault
) -> None:
    service.fail(f"POST {VOICE}", fault)
    with pytest.raises(ProviderError) as caught:
        await provider.create(CLONE)
    assert caught.value.kind == "unknown_outcome"
    assert service.count("POST", VOICE) == 1


@pytest.mark.parametrize("body", ["<html>", {"code": 0}, {"_id": ""}, []])
async def test_an_answer_to_a_create_that_makes_no_sense_leaves_its_outcome_unknown(
    service: NovitaService, provider: Reseller, body: Any
) -> None:
    service.fail(f"POST {VOICE}", Fault(status=200, body=body))
    with pytest.raises(ProviderError) as caught:
        await provider.create(CLONE)
    assert caught.value.kind == "unknown_outcome"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (reason(429, "RATE_LIMIT_EXCEEDED"), "rate_limited"),
        (reason(400, "BILLING_BALANCE_NOT_ENOUGH"), "no_credit"),
        (reason(400, "INVALID_AUDIO_FILE"), "invalid"),
    ],
)
async def test_a_create_that_was_refused_is_not_sent_again(
    service: NovitaService, provider: Reseller, fault: Fault, kind: str
) -> None:
    service.fail(f"POST {VOICE}", fault)
    with pytest.raises(ProviderError) as caught:
        await provider.create(CLONE)
    assert caught.value.kind == kind
    assert service.count("POST", VOICE) == 1
    assert not service.voices


async def test_it_says_that_it_can_neither_show_change_nor_delete_a_voice(
    service: NovitaService, provider: Reseller
) -> None:
    with pytest.raises(ProviderError, match="Novita AI cannot be asked about a voice") as getting:
        await provider.get("voice")
    with pytest.raises(ProviderError, match="cannot be asked which voices") as finding:
        await provider.find(VOICE_ID)
    with pytest.raises(ProviderError, match="cannot change a voice") as updating:
        await provider.update("voice", VoiceEdit(title="Mia"))
    with pytest.raises(ProviderError, match="Novita AI cannot delete voices: it stays") as deleting:
        await provider.delete("voice")
    assert {each.value.kind for each in (getting, finding, updating, deleting)} == {"invalid"}
    can = provider.capabilities
    assert (can.clones, can.instant, can.deletes, can.edits, can.finds) == (True, True, False, False, False)
    assert can.visibilities == ("private",)
    assert not service.asked
