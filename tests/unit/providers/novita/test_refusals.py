"""What HighwayAPI, MyRouter and Novita AI say no with, and what their check tells."""

import json
import logging
from typing import Any

import pytest

from bot.errors import ProviderError
from bot.providers.base import SpeechRequest
from bot.providers.faults import Account, Refusal, understand
from bot.providers.markup import FISH_S1, FISH_S2, PLAIN
from bot.providers.novita import MyRouterProvider, NovitaProvider
from bot.providers.novita._refusals import UnreadError, read_refusal
from bot.settings import NovitaSettings
from playground.services.novita import NovitaService
from playground.services.service import Fault
from tests.unit.providers.novita.house import (
    CLONE,
    LINE,
    LINKS,
    S2_LINE,
    SAMPLES,
    TEXT,
    Reseller,
    opened,
    reason,
)
from tests.unit.providers.sound import speak

ACCOUNT = Account(label="Novita AI", key_setting="NOVITA_API_KEY")


def understood(status: int, body: str | dict[str, Any] | list[Any]) -> ProviderError:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return understand(Refusal(status=status, body=raw), ACCOUNT, read_refusal)


async def test_an_empty_account_neither_clones_nor_speaks(service: NovitaService) -> None:
    async with opened(service, key="poor-key") as provider:
        with pytest.raises(ProviderError, match="credit") as speaking:
            await speak(provider, SpeechRequest(text=TEXT, samples=SAMPLES))
        with pytest.raises(ProviderError, match="credit") as checking:
            await provider.check()
    assert {speaking.value.kind, checking.value.kind} == {"no_credit"}


async def test_a_bad_key_is_named_by_its_setting_and_shown_nowhere(
    service: NovitaService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened(service, MyRouterProvider, key="sk-secret-1234") as provider:
        with pytest.raises(ProviderError, match="MYROUTER_API_KEY") as speaking:
            await speak(provider, SpeechRequest(text=TEXT, remote_id="voice"))
        with pytest.raises(ProviderError, match="MYROUTER_API_KEY") as creating:
            await provider.create(CLONE)
        with pytest.raises(ProviderError, match="MYROUTER_API_KEY") as checking:
            await provider.check()
        errors = [each.value for each in (speaking, creating, checking)]
        shown = "".join(map(repr, (provider, vars(provider), *errors, *map(str, errors)))) + caplog.text
    assert {error.kind for error in errors} == {"auth"}
    assert "secret" not in shown
    assert TEXT not in shown


async def test_nothing_that_was_sent_is_logged(
    service: NovitaService, provider: Reseller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    voice = await provider.create(CLONE)
    service.fail(f"POST {LINE}", reason(429, "RATE_LIMIT_EXCEEDED", message=TEXT))
    await speak(provider, SpeechRequest(text=TEXT, remote_id=voice.id))
    await provider.check()
    for secret in ("good-key", TEXT, LINKS[0], "The cat sat"):
        assert secret not in caplog.text


@pytest.mark.parametrize(("route", "path"), [("txt2speech", LINE), ("s2_pro", S2_LINE)])
async def test_check_shows_the_key_on_the_route_that_is_set_and_says_nothing(
    service: NovitaService, route: str, path: str
) -> None:
    async with opened(service, route=route) as provider:
        assert str(await provider.check()) == "key accepted, 5 at once"
    assert [(asked.path, asked.content()) for asked in service.asked] == [(path, {})]
    assert service.keys["good-key"] == 10.0


@pytest.mark.parametrize("fault", [reason(400, "INVALID_REQUEST_BODY"), Fault(status=422, body=[]), Fault(status=200)])
async def test_check_takes_any_word_about_the_body_for_a_good_key(
    service: NovitaService, provider: Reseller, fault: Fault
) -> None:
    service.fail(f"POST {LINE}", fault)
    assert (await provider.check()).summary == "key accepted"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (reason(403, "INVALID_API_KEY"), "auth"),
        (reason(403, "NOT_ENOUGH_BALANCE"), "no_credit"),
        (reason(404, "MODEL_NOT_FOUND"), "not_found"),
        (Fault(status=404, body="404 page not found"), "not_found"),
    ],
)
async def test_check_raises_what_speaking_would_meet(
    service: NovitaService, provider: Reseller, fault: Fault, kind: str
) -> None:
    service.fail(f"POST {LINE}", fault)
    with pytest.raises(ProviderError) as caught:
        await provider.check()
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("route", "model", "markup"),
    [("txt2speech", "s1", FISH_S1), ("txt2speech", "speech-1.6", PLAIN), ("s2_pro", "s1", FISH_S2)],
)
def test_tags_are_written_as_the_model_of_the_route_takes_them(route: Any, model: str, markup: object) -> None:
    settings = NovitaSettings(base_url="https://api.novita.ai", route=route, model=model)
    assert NovitaProvider(settings).markup is markup


@pytest.mark.parametrize(
    ("status", "name", "kind", "says"),
    [
        (401, "FAILED_TO_AUTH", "auth", "NOVITA_API_KEY"),
        (403, "INVALID_API_KEY", "auth", "NOVITA_API_KEY"),
        (400, "MISSING_API_KEY", "auth", "NOVITA_API_KEY"),
        (403, "ACCESS_DENY", "auth", "verified"),
        (403, "NOT_ENOUGH_BALANCE", "no_credit", "Nothing was charged"),
        (400, "BILLING_BALANCE_NOT_ENOUGH", "no_credit", "Nothing was charged"),
        (404, "MODEL_NOT_FOUND", "not_found", "NOVITA_MODEL"),
        (404, "API_NOT_FOUND", "not_found", "NOVITA_ROUTE and NOVITA_BASE_URL"),
        (400, "INVALID_REQUEST_BODY", "invalid", "HTTP 400"),
        (400, "INVALID_AUDIO_FILE", "invalid", "10 seconds"),
        (429, "RATE_LIMIT_EXCEEDED", "rate_limited", "busy"),
        (429, "TOKEN_LIMIT_EXCEEDED", "rate_limited", "busy"),
        (503, "SERVICE_NOT_AVAILABLE", "server", "try again"),
        (500, "TASK_FAILED", "server", "try again"),
        (418, "SOMETHING_NEW", "invalid", "HTTP 418"),
    ],
)
def test_each_reason_means_what_it_says(status: int, name: str, kind: str, says: str) -> None:
    error = understood(status, {"code": status, "reason": name, "message": "no", "metadata": {}})
    assert error.kind == kind
    assert says in str(error)


def test_a_reason_tells_more_than_the_words_beside_it() -> None:
    error = understood(404, {"code": 404, "reason": "MODEL_NOT_FOUND", "message": "model not found", "metadata": {}})
    assert "NOVITA_MODEL" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (400, {"message": "Reference not found", "status": 400}, "not_found", "clone it again"),
        (404, {"message": "Model not found", "status": 404, "reason": None}, "not_found", "clone it again"),
        (400, "reference_id must be 1..=128 chars of [A-Za-z0-9_-]", "not_found", "clone it again"),
        (400, {"reason": "INVALID_REQUEST_BODY", "message": "Reference not found"}, "not_found", "clone it again"),
        (400, {"message": "Reference Audio is not valid, please check", "status": 400}, "invalid", "10 seconds"),
        (400, {"message": "Reference audio too long", "status": 400}, "invalid", "less than six minutes"),
        (400, {"message": "speed must be in [0.5, 2.0]", "status": 400}, "invalid", "0.5 to 2"),
        (400, {"message": "Invalid sample rate 9 for format audio/mpeg"}, "invalid", "NOVITA_FORMAT"),
        (400, "Failed to parse json request body: unknown variant `aac`", "invalid", "NOVITA_FORMAT"),
        (429, "exceeded your current concurrency limit", "rate_limited", "busy"),
        (401, {"message": "Invalid Token", "status": 401}, "auth", "NOVITA_API_KEY"),
        (402, {"message": "Insufficient API credit.", "status": 402}, "no_credit", "Nothing was charged"),
        (413, "Payload too large", "too_large", "more than"),
        (422, [{"loc": ["body", "type"], "type": "missing", "msg": "Field required"}], "invalid", "HTTP 422"),
        (503, {"message": "Failed to preprocess audio: no available server", "status": 503}, "server", "HTTP 503"),
        (500, "reference not found", "server", "HTTP 500"),
        (404, "404 page not found", "not_found", "NOVITA_BASE_URL"),
    ],
)
def test_what_stands_behind_them_is_understood_too(status: int, body: Any, kind: str, says: str) -> None:
    error = understood(status, body)
    assert error.kind == kind
    assert says in str(error)


@pytest.mark.parametrize(
    ("status", "body"), [(400, {"reason": "INVALID_REQUEST_BODY"}), (415, "Unsupported Media Type")]
)
def test_a_body_that_was_not_read_is_told_from_one_that_was(status: int, body: Any) -> None:
    assert isinstance(understood(status, body), UnreadError)
    assert not isinstance(understood(422, []), UnreadError)
