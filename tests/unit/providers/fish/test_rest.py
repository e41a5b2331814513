"""What else Fish Audio is asked: transcripts, credit; and that no key is shown."""

import logging

import pytest

from bot.errors import ProviderError
from bot.providers.base import SpeechRequest
from bot.providers.fish import FishProvider
from bot.settings import FishSettings
from playground.services.fish import FishService
from playground.services.service import Fault, Upload
from tests.unit.providers.fish.house import HEAR, answering, form_of
from tests.unit.providers.fish_house import HASTY, TEXT, chain, fish, sample
from tests.unit.providers.sound import speak


async def test_recording_is_written_down(service: FishService, provider: FishProvider) -> None:
    recording = sample(1.5)

    assert await provider.transcribe(recording) == service.transcript
    assert form_of(service, path="/v1/asr") == {
        "audio": [Upload(recording.wav, "sample-1.wav", "audio/wav")],
        "ignore_timestamps": ["true"],
    }


@pytest.mark.parametrize(("seconds", "kind"), [(0.9, "invalid"), (209.0, "too_large")])
async def test_recording_that_will_not_be_taken_is_not_sent(
    service: FishService, provider: FishProvider, seconds: float, kind: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        await provider.transcribe(sample(seconds, silent=True))

    assert caught.value.kind == kind
    assert service.asked == []


@pytest.mark.parametrize("body", [{"duration": 1.0}, ["x"]])
async def test_transcript_without_words_is_a_fault_of_the_service(
    service: FishService, provider: FishProvider, body: dict[str, float] | list[str]
) -> None:
    service.fail(HEAR, Fault(status=200, body=body))

    with pytest.raises(ProviderError) as caught:
        await provider.transcribe(sample())

    assert caught.value.kind == "server"


async def test_check_tells_credit_and_concurrency_and_costs_nothing(
    service: FishService, provider: FishProvider
) -> None:
    service.concurrency = 15

    health = await provider.check()

    assert (health.summary, health.credit, health.concurrency) == ("key accepted", "$10.00", 15)
    assert [asked.path for asked in service.asked] == ["/wallet/self/api-credit"]


@pytest.mark.parametrize("body", [{}, {"credit": "much"}, {"credit": "NaN"}])
async def test_wallet_that_says_nothing_of_credit_is_no_fault(
    service: FishService, provider: FishProvider, body: dict[str, str]
) -> None:
    service.fail("GET /wallet/{user_id}/api-credit", Fault(status=200, body=body))

    assert (await provider.check()).credit == ""


async def test_wallet_that_is_none_is_a_fault(service: FishService, provider: FishProvider) -> None:
    service.fail("GET /wallet/{user_id}/api-credit", Fault(status=200, body="<html>"))

    with pytest.raises(ProviderError) as caught:
        await provider.check()

    assert caught.value.kind == "server"


async def test_free_model_and_free_credit_need_nothing_in_the_wallet(service: FishService) -> None:
    async with fish(service, key="poor-key", model="s2.1-pro-free") as provider:
        assert (await provider.check()).credit == "$0.00"
    service.fail(
        "GET /wallet/{user_id}/api-credit", Fault(status=200, body={"credit": "0.000000", "has_free_credit": True})
    )
    async with fish(service, key="poor-key") as provider:
        assert (await provider.check()).credit == "$0.00"


@pytest.mark.parametrize(("model", "brackets"), [("s1", "round"), ("s2-pro", "square"), ("s2.1-pro-free", "square")])
def test_tags_are_written_as_the_model_takes_them(model: str, brackets: str) -> None:
    provider = FishProvider(FishSettings.model_validate({"model": model}))

    assert provider.markup.brackets == brackets


async def test_key_is_in_no_error_repr_or_log(service: FishService, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "a-key-nobody-may-see"
    errors: list[BaseException] = []
    seen: list[str] = []
    async with answering(b"no HTTP at all\r\n\r\n") as (url, _), fish(service, key=key) as refused:
        settings = FishSettings(base_url=url, api_key=key)
        live = settings.model_copy(update={"transport": "websocket"})
        one, two = FishProvider(settings, patience=HASTY), FishProvider(live, patience=HASTY)
        refused_live = fish(service, key=key, transport="websocket")
        async with one, two, refused_live:
            for provider in (one, two, refused, refused_live):
                seen += [repr(provider), repr(provider._http), repr(provider._settings), str(vars(provider))]
                with pytest.raises(ProviderError) as caught:
                    await speak(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))
                errors += chain(caught.value)

    assert {getattr(error, "kind", None) for error in errors} >= {"network", "auth"}
    seen += [f"{error!r} {error} {vars(error)}" for error in errors]
    assert not [text for text in [*seen, caplog.text] if key in text]
