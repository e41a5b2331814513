"""What Fish Audio says no with, and what a member reads."""

import pytest

from bot.errors import ProviderError
from bot.providers.base import SpeechRequest
from bot.providers.fish import FishProvider
from bot.settings import FishSettings
from playground.services.fish import FishService
from playground.services.service import Fault
from tests.unit.providers.fish.house import HEAR, SAY
from tests.unit.providers.fish_house import HASTY, KEY, TEXT, clone_request, fish, sample
from tests.unit.providers.sound import speak


def told(status: int, message: str) -> Fault:
    return Fault(status=status, body={"message": message, "status": status})


RECORDING = [{"loc": ["body", "voices"], "type": "missing", "msg": "Field required", "in": "body"}]
LITERAL = [{"loc": ["body", "train_mode"], "type": "literal_error", "msg": "Input should be 'fast'", "in": "body"}]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (told(401, "Invalid Token"), "auth", "FISH_API_KEY"),
        (Fault(status=401, body="No permission -- see authorization schemes"), "auth", "FISH_API_KEY"),
        (Fault(status=400, headers={"X-Fish-Error-Code": "invalid_api_key"}), "auth", "FISH_API_KEY"),
        (Fault(status=403, headers={"x-fish-error-code": "insufficient_balance"}), "no_credit", "API credit"),
        (told(402, "Insufficient API credit."), "no_credit", "API credit"),
        (told(403, "Forbidden"), "auth", "does not let"),
        (told(404, "Model not found"), "not_found", "no such voice"),
        (told(400, "Reference not found"), "not_found", "no such voice"),
        (told(400, "reference_id must be 1..=128 chars of [A-Za-z0-9_-]"), "not_found", "no such voice"),
        (told(400, "reference_id[0] must be 1..=128 chars of [A-Za-z0-9_-]"), "not_found", "no such voice"),
        (told(400, "Reference Audio is not valid, please check your reference audio"), "invalid", "not valid"),
        (told(400, "Reference audio too long"), "invalid", "too long"),
        (told(400, "Invalid audio input: failed to detect a supported audio format: x"), "invalid", "cannot read"),
        (told(400, "speed must be in [0.5, 2.0]"), "invalid", r"0\.5 to 2"),
        (told(400, "Invalid sample rate 7 for format audio/mpeg. Supported 44100"), "invalid", "FISH_FORMAT"),
        (Fault(status=400, body="Failed to parse json request body: unknown variant `aac`"), "invalid", "FISH_FORMAT"),
        (
            Fault(status=400, body="Failed to parse json request body: missing field `text`"),
            "invalid",
            "nothing to say",
        ),
        (Fault(status=400, body="Failed to parse msgpack request body: invalid type"), "invalid", "HTTP 400"),
        (Fault(status=413, body="Payload too large"), "too_large", "more than"),
        (Fault(status=422, body=RECORDING), "invalid", "recording"),
        (Fault(status=422, body=LITERAL), "invalid", "HTTP 422"),
        (Fault(status=422, body=["x", {"loc": "y"}]), "invalid", "HTTP 422"),
    ],
)
async def test_each_refusal_has_its_kind_and_a_sentence_that_says_what_to_do(
    service: FishService, provider: FishProvider, fault: Fault, kind: str, words: str
) -> None:
    service.fail(SAY, fault)

    with pytest.raises(ProviderError, match=words) as caught:
        await speak(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))

    assert caught.value.kind == kind
    assert service.count("POST", "/v1/tts") == 1


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Failed to preprocess audio: no available server", "recordings"),
        ("Failed to transcribe audio: x", "write down"),
    ],
)
async def test_service_that_is_down_says_what_for(
    service: FishService, provider: FishProvider, message: str, words: str
) -> None:
    service.fail(HEAR, *[told(503, message)] * 9)

    with pytest.raises(ProviderError, match=words) as caught:
        await provider.transcribe(sample())

    assert caught.value.kind == "server"
    assert service.count("POST", "/v1/asr") == HASTY.attempts


@pytest.mark.parametrize(("key", "kind"), [("bad-key", "auth"), ("poor-key", "no_credit")])
async def test_account_that_may_not_speak_is_told_why(service: FishService, key: str, kind: str) -> None:
    async with fish(service, key=key) as provider:
        with pytest.raises(ProviderError) as said:
            await speak(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))
        with pytest.raises(ProviderError) as checked:
            await provider.check()

    assert (said.value.kind, checked.value.kind) == (kind, kind)
    assert service.count("POST", "/v1/tts") == 1


async def test_answer_nested_without_end_is_a_fault_of_the_service(
    service: FishService, provider: FishProvider
) -> None:
    service.fail("GET /model/{id}", Fault(status=200, body=b"[" * 200_000))

    with pytest.raises(ProviderError) as caught:
        await provider.get("a" * 32)

    assert caught.value.kind == "server"


async def test_service_that_cannot_be_reached_is_a_fault_of_the_network() -> None:
    settings = FishSettings(base_url="http://nowhere.invalid", api_key=KEY)
    async with FishProvider(settings, patience=HASTY) as provider:
        with pytest.raises(ProviderError, match="cannot be reached") as said:
            await speak(provider, SpeechRequest(text=TEXT, remote_id="a" * 32))
        with pytest.raises(ProviderError) as made:
            await provider.create(clone_request())

    assert (said.value.kind, made.value.kind) == ("network", "network")
