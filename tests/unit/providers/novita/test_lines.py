"""Lines of HighwayAPI, MyRouter and Novita AI on each route."""

import asyncio
import base64
from dataclasses import replace

import ormsgpack
import pytest

from bot.errors import ProviderError
from bot.providers.base import SpeechRequest
from bot.providers.novita import HighwayProvider, MyRouterProvider, NovitaProvider
from playground.services.novita import NovitaService
from playground.services.service import Fault
from tests.unit.providers.novita.house import (
    CLONE,
    LINE,
    S2_LINE,
    SAMPLES,
    SECONDS,
    TEXT,
    Reseller,
    opened,
    reason,
)
from tests.unit.providers.sound import speak


async def listen(provider: Reseller, request: SpeechRequest, heard: bytearray) -> None:
    """Speak a line, and keep what comes even where it breaks off."""
    async with provider.synthesize(request) as stream:
        async for chunk in stream.chunks:
            heard += chunk


@pytest.fixture
async def line(provider: Reseller) -> SpeechRequest:
    """Give a line of a voice that was made."""
    return SpeechRequest(text=TEXT, remote_id=(await provider.create(CLONE)).id)


@pytest.mark.parametrize("route", ["txt2speech", "s2_pro"])
@pytest.mark.parametrize("form", ["opus", "mp3", "wav", "pcm"])
async def test_a_line_is_heard_whole_in_each_format_on_each_route(
    service: NovitaService, route: str, form: str
) -> None:
    async with opened(service, route=route, format=form) as provider:
        voice = await provider.create(CLONE)
        assert await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id)) == pytest.approx(SECONDS, abs=0.15)


async def test_the_model_is_named_in_the_header_of_each_line(service: NovitaService) -> None:
    service.models = frozenset({"s1", "s1-next"})
    async with opened(service, model="s1-next") as provider:
        voice = await provider.create(CLONE)
        await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))
        await speak(provider, SpeechRequest(text=TEXT, samples=SAMPLES))
        await provider.check()
    assert [asked.headers["model"] for asked in service.asked if asked.path == LINE] == ["s1-next"] * 3
    assert [spoken["model"] for spoken in service.spoken] == ["s1-next"] * 2


async def test_a_model_that_is_not_there_is_named_by_its_setting(service: NovitaService) -> None:
    async with opened(service, HighwayProvider, model="s9") as provider:
        with pytest.raises(ProviderError, match="HIGHWAYAPI_MODEL"):
            await speak(provider, SpeechRequest(text=TEXT, samples=SAMPLES))
        with pytest.raises(ProviderError, match="HIGHWAYAPI_MODEL"):
            await provider.check()


async def test_a_brand_without_the_s2_route_says_which_setting_to_change(service: NovitaService) -> None:
    service.s2_route = False
    async with opened(service, MyRouterProvider, route="s2_pro") as provider:
        with pytest.raises(ProviderError, match="MYROUTER_ROUTE"):
            await speak(provider, SpeechRequest(text=TEXT, samples=SAMPLES))
        with pytest.raises(ProviderError, match="MYROUTER_ROUTE"):
            await provider.check()


async def test_a_line_says_what_the_older_route_knows(
    service: NovitaService, provider: Reseller, line: SpeechRequest
) -> None:
    assert await speak(provider, replace(line, speed=2.0)) == pytest.approx(SECONDS / 2, abs=0.15)
    asked = service.last("POST", LINE)
    assert asked.media_type == "application/json"
    assert asked.content() == {
        "text": TEXT,
        "reference_id": line.remote_id,
        "format": "mp3",
        "sample_rate": 44_100,
        "latency": "balanced",
        "prosody": {"speed": 2.0},
    }


@pytest.mark.parametrize(("latency", "older"), [("low", "balanced"), ("normal", "normal"), ("balanced", "balanced")])
async def test_the_older_route_is_not_asked_for_a_latency_it_does_not_know(
    service: NovitaService, latency: str, older: str
) -> None:
    for route, path, sent in (("txt2speech", LINE, older), ("s2_pro", S2_LINE, latency)):
        async with opened(service, route=route, latency=latency, format="opus") as provider:
            voice = await provider.create(CLONE)
            await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))
        content = service.last("POST", path).content()
        assert (content["latency"], content["sample_rate"]) == (sent, 48_000)
        assert "prosody" not in content


async def test_recordings_go_with_a_line_as_bytes_on_the_older_route(
    service: NovitaService, provider: Reseller
) -> None:
    assert await speak(provider, SpeechRequest(text=TEXT, samples=SAMPLES)) > 1
    asked = service.last("POST", LINE)
    content = ormsgpack.unpackb(asked.body)
    assert asked.media_type == "application/msgpack"
    assert asked.headers["model"] == "s1"
    assert content["references"] == [{"audio": each.wav, "text": each.transcript} for each in SAMPLES]
    assert "reference_id" not in content
    assert not service.voices


async def test_recordings_go_with_a_line_as_base64_on_the_s2_route(service: NovitaService) -> None:
    async with opened(service, route="s2_pro") as provider:
        assert await speak(provider, SpeechRequest(text=TEXT, samples=SAMPLES)) > 1
    content = service.last("POST", S2_LINE).content()
    assert [base64.b64decode(each["audio"], validate=True) for each in content["references"]] == [
        each.wav for each in SAMPLES
    ]
    assert [each["text"] for each in content["references"]] == [each.transcript for each in SAMPLES]


async def test_a_line_without_a_voice_is_not_sent(service: NovitaService, provider: Reseller) -> None:
    with pytest.raises(ProviderError, match="needs a voice") as caught:
        await speak(provider, SpeechRequest(text=TEXT))
    assert caught.value.kind == "invalid"
    assert not service.asked


async def test_sound_arrives_while_the_rest_is_still_being_made(
    service: NovitaService, provider: Reseller, line: SpeechRequest
) -> None:
    service.gate = asyncio.Event()
    async with provider.synthesize(line) as stream:
        first = await anext(stream.chunks)
        service.gate.set()
        rest = [chunk async for chunk in stream.chunks]
    assert first
    assert rest


async def test_a_voice_that_is_gone_is_not_found(service: NovitaService, provider: Reseller) -> None:
    with pytest.raises(ProviderError, match="clone it again") as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id="f" * 32))
    assert caught.value.kind == "not_found"


@pytest.mark.parametrize(
    "faults",
    [
        [reason(429, "RATE_LIMIT_EXCEEDED")],
        [reason(429, "TOKEN_LIMIT_EXCEEDED"), reason(503, "SERVICE_NOT_AVAILABLE")],
        [Fault(status=503, body="busy"), reason(500, "TASK_FAILED")],
    ],
)
async def test_a_line_is_asked_for_again_until_it_is_spoken(
    service: NovitaService, provider: Reseller, line: SpeechRequest, faults: list[Fault]
) -> None:
    service.fail(f"POST {LINE}", *faults)
    assert await speak(provider, line) == pytest.approx(SECONDS, abs=0.15)
    assert service.count("POST", LINE) == 1 + len(faults)


async def test_a_line_whose_answer_was_lost_is_not_paid_for_again(
    service: NovitaService, provider: Reseller, line: SpeechRequest
) -> None:
    service.fail(f"POST {LINE}", Fault(drops=True))
    with pytest.raises(ProviderError) as caught:
        await speak(provider, line)
    assert caught.value.kind == "network"
    assert service.count("POST", LINE) == 1


async def test_a_check_may_be_asked_twice(service: NovitaService, provider: Reseller) -> None:
    service.fail(f"POST {LINE}", Fault(drops=True))
    assert "key accepted" in str(await provider.check())


@pytest.mark.parametrize(("upload", "needs"), [("multipart", False), ("json_base64", False), ("json_url", True)])
async def test_links_are_needed_where_recordings_are_sent_as_links(
    service: NovitaService, upload: str, needs: bool
) -> None:
    async with opened(service, upload=upload) as provider:
        assert provider.capabilities.needs_links is needs
    assert NovitaProvider.capabilities.needs_links is False


async def test_a_refusal_under_200_is_understood_by_its_reason(
    service: NovitaService, provider: Reseller, line: SpeechRequest
) -> None:
    service.fail(f"POST {LINE}", reason(200, "NOT_ENOUGH_BALANCE"))
    with pytest.raises(ProviderError) as caught:
        await speak(provider, line)
    assert caught.value.kind == "no_credit"


async def test_a_line_that_breaks_off_is_not_said_again(
    service: NovitaService, provider: Reseller, line: SpeechRequest
) -> None:
    service.fail(f"POST {LINE}", Fault(body=b"ID3" + bytes(60_000), cuts_after=30_000, content_type="audio/mpeg"))
    heard = bytearray()
    with pytest.raises(ProviderError, match="broke off"):
        await listen(provider, line, heard)
    assert len(heard) == 30_000
    assert service.count("POST", LINE) == 1
