"""The dialect of /v1/audio/speech against its stand-in server, through real sockets; and its refusals as values."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from bot.errors import ProviderError
from bot.providers.base import CloneRequest, SpeechRequest, VoiceEdit
from bot.providers.faults import Account, Refusal, understand
from bot.providers.markup import FISH_S1, FISH_S2, PLAIN
from bot.providers.openai import OpenAIProvider, _read_refusal
from bot.providers.patience import Patience
from bot.settings import OpenAISettings
from playground.services.openai import OpenAIService
from playground.services.service import Fault
from playground.services.sound import RATE, babble
from tests.unit.providers.sound import speak

TEXT = "A line that is long enough to last for a few seconds."
LINE = SpeechRequest(text=TEXT, remote_id="alloy")
SECONDS = len(babble(TEXT)) / RATE
QUICK = Patience(base=0.001, cap=0.002, connect=5.0, first_byte=5.0, between=5.0, create=5.0)
SPEECH = "POST /v1/audio/speech"
MODELS = "GET /v1/models"
ACCOUNT = Account(label="OpenAI-style speech", key_setting="OPENAI_API_KEY")


@pytest.fixture
async def service() -> AsyncIterator[OpenAIService]:
    async with OpenAIService() as opened:
        yield opened


def settings(service: OpenAIService, key: str | None = "good-key", **fields: Any) -> OpenAISettings:
    return OpenAISettings(
        base_url=f"{service.url}/v1", api_key=None if key is None else SecretStr(key), **{"voices": "alloy", **fields}
    )


@asynccontextmanager
async def opened(service: OpenAIService, key: str | None = "good-key", **fields: Any) -> AsyncIterator[OpenAIProvider]:
    async with OpenAIProvider(settings(service, key, **fields), patience=QUICK) as provider:
        yield provider


@pytest.fixture
async def provider(service: OpenAIService) -> AsyncIterator[OpenAIProvider]:
    async with opened(service) as made:
        yield made


async def seconds(provider: OpenAIProvider, request: SpeechRequest = LINE) -> float:
    """Speak a line, and measure it."""
    return await speak(provider, request)


async def listen(provider: OpenAIProvider, heard: bytearray) -> None:
    """Speak a line, and keep what comes even where it breaks off."""
    async with provider.synthesize(LINE) as stream:
        async for chunk in stream.chunks:
            heard += chunk


def understood(status: int, body: str | dict[str, Any]) -> ProviderError:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return understand(Refusal(status=status, body=raw), ACCOUNT, _read_refusal)


def test_it_is_not_made_without_an_address() -> None:
    with pytest.raises(ValueError, match="OPENAI_BASE_URL"):
        OpenAIProvider(OpenAISettings())


@pytest.mark.parametrize("form", ["opus", "mp3", "wav", "pcm"])
async def test_a_line_is_heard_whole_in_each_format(service: OpenAIService, form: str) -> None:
    async with opened(service, format=form) as provider:
        assert await seconds(provider) == pytest.approx(SECONDS, abs=0.15)
    assert service.last("POST", "/v1/audio/speech").content()["response_format"] == form


async def test_a_line_says_everything_the_route_knows(service: OpenAIService, provider: OpenAIProvider) -> None:
    assert await seconds(provider, replace(LINE, speed=2.0)) == pytest.approx(SECONDS / 2, abs=0.15)
    asked = service.last("POST", "/v1/audio/speech")
    assert asked.content() == {
        "model": "gpt-4o-mini-tts",
        "input": TEXT,
        "voice": "alloy",
        "response_format": "opus",
        "speed": 2.0,
    }
    assert asked.key == "good-key"


async def test_sound_arrives_while_the_rest_is_still_being_made(
    service: OpenAIService, provider: OpenAIProvider
) -> None:
    service.gate = asyncio.Event()
    async with provider.synthesize(LINE) as stream:
        first = await anext(stream.chunks)
        service.gate.set()
        rest = [chunk async for chunk in stream.chunks]
    assert first
    assert rest


async def test_a_server_without_keys_is_sent_none(service: OpenAIService) -> None:
    service.keys[""] = 10.0
    async with opened(service, key=None) as provider:
        assert await seconds(provider) > 1
        health = await provider.check()
    assert str(health) == "answers, 5 at once"
    assert all("authorization" not in asked.headers for asked in service.asked)


def test_ready_made_voices_are_those_that_are_set_each_once(service: OpenAIService) -> None:
    provider = OpenAIProvider(settings(service, voices=" alloy, nova,,alloy "))
    assert [(voice.id, voice.title, voice.state, voice.visibility) for voice in provider.ready_made] == [
        ("alloy", "alloy", "trained", "public"),
        ("nova", "nova", "trained", "public"),
    ]


async def test_get_knows_the_voices_that_are_set_and_no_others(provider: OpenAIProvider) -> None:
    assert (await provider.get("alloy")).title == "alloy"
    with pytest.raises(ProviderError, match="OPENAI_VOICES") as caught:
        await provider.get("echo")
    assert caught.value.kind == "not_found"
    assert await provider.find("0" * 32) is None


async def test_it_says_that_it_clones_changes_and_deletes_nothing(
    service: OpenAIService, provider: OpenAIProvider
) -> None:
    with pytest.raises(ProviderError, match="ready-made voices and clones none") as creating:
        await provider.create(CloneRequest(voice_id="0" * 32, title="Aki", samples=()))
    with pytest.raises(ProviderError, match="nobody can change") as updating:
        await provider.update("alloy", VoiceEdit(title="Aki"))
    with pytest.raises(ProviderError, match="nobody can delete") as deleting:
        await provider.delete("alloy")
    with pytest.raises(ProviderError, match="cannot speak from a recording") as speaking:
        await seconds(provider, SpeechRequest(text=TEXT))
    assert {each.value.kind for each in (creating, updating, deleting, speaking)} == {"invalid"}
    can = provider.capabilities
    assert not any((can.clones, can.instant, can.deletes, can.edits, can.finds))
    assert not service.asked


def test_tags_are_written_for_fish_audio_models_only(service: OpenAIService) -> None:
    models = {"gpt-4o-mini-tts": PLAIN, "fish-audio/s2.1-pro": FISH_S2, "fish-audio/s1": FISH_S1}
    for model, markup in models.items():
        assert OpenAIProvider(settings(service, model=model)).markup is markup


async def test_an_empty_account_is_told_from_a_busy_one_and_not_asked_again(service: OpenAIService) -> None:
    async with opened(service, key="poor-key") as provider:
        with pytest.raises(ProviderError, match="credit") as caught:
            await seconds(provider)
    assert caught.value.kind == "no_credit"
    assert service.count("POST", "/v1/audio/speech") == 1


async def test_an_unknown_voice_is_not_found_and_names_the_setting(
    service: OpenAIService, provider: OpenAIProvider
) -> None:
    with pytest.raises(ProviderError, match="OPENAI_VOICES") as caught:
        await seconds(provider, replace(LINE, remote_id="gone"))
    assert caught.value.kind == "not_found"


async def test_an_unknown_model_names_the_setting(service: OpenAIService) -> None:
    async with opened(service, model="tts-9") as provider:
        with pytest.raises(ProviderError, match="OPENAI_MODEL") as caught:
            await seconds(provider)
    assert caught.value.kind == "invalid"


async def test_a_text_past_what_the_route_takes_is_too_large(provider: OpenAIProvider) -> None:
    with pytest.raises(ProviderError, match="fewer words") as caught:
        await seconds(provider, replace(LINE, text="word " * 1000))
    assert caught.value.kind == "too_large"


async def test_a_busy_server_is_asked_again_until_it_speaks(service: OpenAIService, provider: OpenAIProvider) -> None:
    service.busy = 2
    service.retry_after = 0
    assert await seconds(provider) > 1
    assert service.count("POST", "/v1/audio/speech") == 3


async def test_an_overloaded_server_is_asked_again_until_it_speaks(
    service: OpenAIService, provider: OpenAIProvider
) -> None:
    service.fail(SPEECH, *[Fault(status=503, body={"error": {"message": "The engine is overloaded"}})] * 2)
    assert await seconds(provider) > 1
    assert service.count("POST", "/v1/audio/speech") == 3


async def test_a_line_whose_answer_was_lost_is_not_paid_for_again(
    service: OpenAIService, provider: OpenAIProvider
) -> None:
    service.fail(SPEECH, Fault(drops=True))
    with pytest.raises(ProviderError):
        await seconds(provider)
    assert service.count("POST", "/v1/audio/speech") == 1


async def test_a_bad_key_is_named_and_shown_nowhere(service: OpenAIService, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened(service, key="sk-secret-1234") as provider:
        with pytest.raises(ProviderError, match="OPENAI_API_KEY") as speaking:
            await seconds(provider)
        with pytest.raises(ProviderError, match="OPENAI_API_KEY") as checking:
            await provider.check()
        shown = repr((provider, vars(provider), speaking.value, checking.value)) + str(speaking.value) + caplog.text
    assert speaking.value.kind == checking.value.kind == "auth"
    assert "secret" not in shown
    assert TEXT not in shown


async def test_an_error_page_under_200_is_no_sound(service: OpenAIService, provider: OpenAIProvider) -> None:
    page = Fault(status=200, body="<html>", content_type="text/html")
    service.fail(SPEECH, *[page] * 4)
    with pytest.raises(ProviderError) as caught:
        await seconds(provider)
    assert caught.value.kind == "server"


async def test_a_line_that_breaks_off_is_not_said_again(service: OpenAIService, provider: OpenAIProvider) -> None:
    service.fail(SPEECH, Fault(body=b"OggS" + bytes(60_000), cuts_after=30_000, content_type="audio/ogg"))
    heard = bytearray()
    with pytest.raises(ProviderError, match="broke off"):
        await listen(provider, heard)
    assert len(heard) == 30_000
    assert service.count("POST", "/v1/audio/speech") == 1


async def test_fish_audios_own_layer_speaks_and_refuses_in_its_shape(service: OpenAIService) -> None:
    service.fish = True
    async with opened(service) as provider:
        assert await seconds(provider) > 1
    async with opened(service, key="poor-key") as provider:
        with pytest.raises(ProviderError) as caught:
            await seconds(provider)
    assert caught.value.kind == "no_credit"


async def test_fish_audios_layer_is_waited_for_as_it_says(service: OpenAIService, provider: OpenAIProvider) -> None:
    service.fish = True
    service.busy = 1
    service.retry_after = 0
    assert await seconds(provider) > 1
    assert service.count("POST", "/v1/audio/speech") == 2


async def test_check_shows_the_key_for_nothing(service: OpenAIService, provider: OpenAIProvider) -> None:
    assert str(await provider.check()) == "key accepted, 5 at once"
    assert service.keys["good-key"] == 10.0
    assert service.count("POST", "/v1/audio/speech") == 0


async def test_check_tells_that_the_model_is_not_listed(service: OpenAIService) -> None:
    async with opened(service, model="tts-9") as provider:
        assert (await provider.check()).summary == "key accepted, but lists no model tts-9"


@pytest.mark.parametrize("status", [404, 405])
async def test_check_says_so_where_a_server_lists_no_models(
    service: OpenAIService, provider: OpenAIProvider, status: int
) -> None:
    service.fail(MODELS, Fault(status=status, body={"detail": "Not Found"}))
    assert (await provider.check()).summary == "answers, but lists no models: key and model not checked"


async def test_check_takes_any_list_for_an_answer(service: OpenAIService, provider: OpenAIProvider) -> None:
    service.fail(MODELS, Fault(status=200, body=["gpt"]))
    assert (await provider.check()).summary == "key accepted"


async def test_check_raises_what_speaking_would_meet(service: OpenAIService, provider: OpenAIProvider) -> None:
    service.fail(MODELS, *[Fault(status=500, body="down")] * 4)
    with pytest.raises(ProviderError) as caught:
        await provider.check()
    assert caught.value.kind == "server"


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (429, {"error": {"type": "insufficient_quota", "code": None}}, "no_credit", "credit"),
        (403, {"error": {"code": "insufficient_user_quota", "type": "new_api_error"}}, "no_credit", "credit"),
        (402, {"error": {"code": 402, "message": "Insufficient API credit."}}, "no_credit", "credit"),
        (429, {"error": {"code": 429, "message": "slow down"}}, "rate_limited", "busy"),
        (401, {"error": {"code": "invalid_api_key"}}, "auth", "OPENAI_API_KEY"),
        (403, {"error": {"code": "model_not_found", "type": "invalid_request_error"}}, "invalid", "OPENAI_MODEL"),
        (404, {"error": {"message": "The model `x` does not exist", "code": None}}, "invalid", "OPENAI_MODEL"),
        (400, {"error": {"message": "Invalid value: 'x'.", "param": "voice"}}, "not_found", "OPENAI_VOICES"),
        (400, {"error": {"message": "Reference not found", "code": 400}}, "not_found", "OPENAI_VOICES"),
        (400, {"detail": {"message": "Voice 'x' not found. Available voices: a"}}, "not_found", "OPENAI_VOICES"),
        (422, {"detail": [{"loc": ["body", "voice"], "msg": "Input should be 'a'"}]}, "not_found", "OPENAI_VOICES"),
        (400, {"error": {"message": "no", "param": "response_format"}}, "invalid", "OPENAI_FORMAT"),
        (400, {"error": {"message": "no", "param": "speed"}}, "invalid", "leave the speed out"),
        (400, {"error": {"message": "[{'type': 'string_too_long', 'loc': ('body', 'input')}]"}}, "too_large", "fewer"),
        (404, "404 page not found", "invalid", "OPENAI_BASE_URL"),
        (400, "what?", "invalid", "HTTP 400"),
        (413, "", "too_large", "more than"),
        (502, "<html>the voice model not found</html>", "server", "HTTP 502"),
    ],
)
def test_each_refusal_means_what_it_says(status: int, body: str | dict[str, Any], kind: str, says: str) -> None:
    error = understood(status, body)
    assert error.kind == kind
    assert says in str(error)
