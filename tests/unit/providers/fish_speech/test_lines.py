"""Lines of Fish Speech, one at a time; and what its check tells."""

import asyncio
import logging
from typing import Any

import pytest

from bot.errors import ProviderError
from bot.providers.base import SpeechRequest
from bot.providers.fish_speech import FishSpeechProvider
from bot.settings import FishSpeechSettings
from playground.services.fish_speech import FishSpeechService
from playground.services.service import Fault
from playground.services.sound import babble, encode
from tests.unit.providers.fish_speech.house import AKI, QUICK, VOICE_ID, build, clone_request, sample
from tests.unit.providers.sound import speak

TEXT = "The first sentence is short. The second one is a little longer than that."


def answered(service: FishSpeechService, method: str, path: str) -> Any:
    return service.last(method, path).content()


@pytest.mark.parametrize("form", ["wav", "mp3"])
async def test_line_is_spoken_in_its_voice(service: FishSpeechService, form: str) -> None:
    async with build(service, format=form) as provider:
        await provider.create(clone_request())

        seconds = await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI))

    assert seconds == pytest.approx(0.06 * len(TEXT), abs=0.2)
    assert service.spoke_by_default == []
    assert answered(service, "POST", "/v1/tts")["use_memory_cache"] == "on"
    assert "model" not in service.last("POST", "/v1/tts").headers


async def test_wav_is_heard_while_it_is_made(service: FishSpeechService) -> None:
    service.gate = asyncio.Event()
    async with build(service) as provider:
        await provider.create(clone_request())
        async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=AKI)) as stream:
            assert stream.encoding == "wav"
            first = await anext(stream.chunks)
            service.gate.set()
            rest = b"".join([chunk async for chunk in stream.chunks])

    assert len(first) <= service.portion
    assert len(rest) > len(first)


async def test_line_is_spoken_once_from_a_recording_that_is_not_kept(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    seconds = await speak(provider, SpeechRequest(text=TEXT, samples=(sample(),)))

    assert seconds == pytest.approx(0.06 * len(TEXT), abs=0.2)
    assert service.voices == {}
    assert service.spoke_by_default == []
    assert service.last("POST", "/v1/tts").media_type == "application/msgpack"


async def test_unknown_voice_is_found_out_before_the_server_speaks_in_another(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    with pytest.raises(ProviderError, match="no such voice") as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI))

    assert caught.value.kind == "not_found"
    assert service.count("POST", "/v1/tts") == 0
    assert service.folders == set()


async def test_server_is_given_one_line_at_a_time_and_answers_other_questions_meanwhile(
    service: FishSpeechService,
) -> None:
    service.gate = asyncio.Event()
    async with build(service) as provider:
        await provider.create(clone_request())
        async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=AKI)) as first:
            await anext(first.chunks)
            second = asyncio.create_task(speak(provider, SpeechRequest(text=TEXT, remote_id=AKI)))
            for _ in range(5):
                assert await provider.find(VOICE_ID) is not None
            assert service.count("POST", "/v1/tts") == 1
            service.gate.set()
        await second

    assert service.count("POST", "/v1/tts") == 2
    assert service.most_sounds == 1


async def test_leaving_early_leaves_the_server_usable(service: FishSpeechService) -> None:
    async with build(service) as provider:
        await provider.create(clone_request())
        async with provider.synthesize(SpeechRequest(text=TEXT * 20, remote_id=AKI)) as stream:
            await anext(stream.chunks)

        assert await speak(provider, SpeechRequest(text="Again.", remote_id=AKI)) > 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, body={"statusCode": 429, "message": "x", "error": "y"}, headers={"Retry-After": "0"}),
        Fault(status=500, body={"statusCode": 500, "message": "Failed to generate speech", "error": "y"}),
    ],
)
async def test_line_is_asked_for_again_where_that_may_help(
    provider: FishSpeechProvider, service: FishSpeechService, fault: Fault
) -> None:
    await provider.create(clone_request())
    service.fail("POST /v1/tts", fault)

    assert await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI)) > 1
    assert service.count("POST", "/v1/tts") == 2


@pytest.mark.parametrize("fault", [Fault(drops=True), Fault(status=200, body="<html>down</html>")])
async def test_line_that_may_have_been_made_is_not_asked_for_again(
    provider: FishSpeechProvider, service: FishSpeechService, fault: Fault
) -> None:
    await provider.create(clone_request())
    service.fail("POST /v1/tts", fault)

    with pytest.raises(ProviderError):
        await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI))

    assert service.count("POST", "/v1/tts") == 1


async def test_line_gives_its_place_back_when_all_has_arrived_heard_or_not(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    await provider.create(clone_request())
    line = SpeechRequest(text=TEXT, remote_id=AKI)

    async with asyncio.timeout(30), provider.synthesize(line) as unheard:
        assert await speak(provider, line) > 1
        assert b"".join([chunk async for chunk in unheard.chunks]).startswith(b"RIFF")


async def test_text_that_is_too_long_for_the_server_is_told_so(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    await provider.create(clone_request())
    service.max_text_length = 10

    with pytest.raises(ProviderError, match="fewer words") as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI))

    assert caught.value.kind == "too_large"
    assert service.count("POST", "/v1/tts") == 1


async def test_sound_that_breaks_off_is_told_and_not_asked_for_again(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    await provider.create(clone_request())
    second = encode(babble(TEXT), "wav")[:88_244]
    service.fail("POST /v1/tts", Fault(body=second * 2, cuts_after=len(second)))

    with pytest.raises(ProviderError, match="broke off") as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=AKI))

    assert caught.value.kind == "network"
    assert service.count("POST", "/v1/tts") == 1


async def test_text_without_words_is_refused_before_it_is_sent(
    provider: FishSpeechProvider, service: FishSpeechService
) -> None:
    with pytest.raises(ProviderError, match="write some words") as caught:
        await speak(provider, SpeechRequest(text="🎉🎉", remote_id=AKI))

    assert caught.value.kind == "invalid"
    assert service.asked == []


async def test_check_counts_voices(provider: FishSpeechProvider) -> None:
    before = str(await provider.check())
    await provider.create(clone_request())

    assert before == "answers, 0 voices, 1 at once"
    assert str(await provider.check()) == "answers, 1 voice, 1 at once"


async def test_check_names_the_setting_of_a_wrong_key(service: FishSpeechService) -> None:
    async with build(service, key="bad-key") as provider:
        with pytest.raises(ProviderError, match="FISHSPEECH_API_KEY") as caught:
            await provider.check()

    assert caught.value.kind == "auth"


async def test_server_without_a_key_is_asked_without_one() -> None:
    async with FishSpeechService() as service:
        settings = FishSpeechSettings.model_validate({"base_url": service.url})
        async with FishSpeechProvider(settings, patience=QUICK) as provider:
            await provider.check()

        assert "authorization" not in service.asked[-1].headers


@pytest.mark.parametrize("body", ["<html>hello</html>", {"success": False, "message": "x"}, {"success": True}, [1]])
async def test_list_that_makes_no_sense_is_the_servers_fault(
    provider: FishSpeechProvider, service: FishSpeechService, body: Any
) -> None:
    service.fail("GET /v1/references/list", Fault(status=200, body=body))

    with pytest.raises(ProviderError) as caught:
        await provider.check()

    assert caught.value.kind == "server"


async def test_answers_are_asked_for_as_set(service: FishSpeechService) -> None:
    for form in ("msgpack", "json"):
        async with build(service, answers=form) as provider:
            await provider.check()
        assert service.last("GET", "/v1/references/list").headers["accept"] == f"application/{form}"


async def test_key_and_words_are_in_no_repr_error_or_log(
    service: FishSpeechService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.keys = {}
    service.keys["another-key"] = 1.0
    async with build(service) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.create(clone_request())
        shown = repr(provider) + repr(vars(provider)) + repr(caught.value) + repr(caught.value.__cause__)

    assert "good-key" not in shown + caplog.text
    assert "fire" not in shown + caplog.text


def test_provider_says_what_it_can_do() -> None:
    able = FishSpeechProvider.capabilities

    assert (able.clones, able.instant, able.deletes, able.edits, able.finds) == (True,) * 5
    assert able.needs_transcripts
    assert able.idempotent_create
    assert able.visibilities == ("private",)
    assert FishSpeechProvider(FishSpeechSettings(base_url="http://127.0.0.1:1")).markup.takes("laughing")
