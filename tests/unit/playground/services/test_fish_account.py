"""The stand-in of Fish Audio: keys, what every answer carries, the wallet, and recordings written down."""

from typing import Any

import ormsgpack
import pytest

from playground.services.fish import FishService, account_id
from playground.services.service import Fault, ServiceBreachError
from tests.unit.playground.services.fishing import WAV, Angler, breach, form


@pytest.mark.parametrize("key", ["", "bad-key"])
async def test_wrong_key_is_told_in_plain_text_below_model_and_as_an_object_elsewhere(angler: Angler, key: str) -> None:
    listed = await angler.ask("GET", "/model", key=key, params={"self": "true"})
    made = await angler.make(key=key)
    wallet = await angler.ask("GET", "/wallet/self/api-credit", key=key)
    said = await angler.say(key=key, text="Hi")
    public = await angler.ask("GET", "/model", key=key)

    assert (listed.status, listed.text) == (401, "No permission -- see authorization schemes")
    assert made.status == 401
    assert wallet.content == said.content == {"message": "Invalid Token", "status": 401}
    assert wallet.headers["x-fish-error-code"] == "invalid_api_key"
    assert public.status == 200


async def test_wallet_tells_credit_as_a_decimal_in_a_string(fish: FishService, angler: Angler) -> None:
    mine = await angler.ask("GET", "/wallet/self/api-credit", params={"check_free_credit": "true"})
    poor = await angler.ask("GET", "/wallet/self/api-credit", key="poor-key")
    plan = await angler.ask("GET", "/wallet/self/package")
    theirs = await angler.ask("GET", f"/wallet/{account_id('poor-key')}/package")

    assert (mine.content["credit"], mine.content["has_free_credit"]) == ("10.000000", False)
    assert (poor.content["credit"], poor.content["has_free_credit"]) == ("0.000000", None)
    assert mine.content["user_id"] == account_id("good-key")
    assert plan.content["balance"] == 8000
    assert theirs.status == 403


async def test_every_answer_has_a_trace_and_the_account_s_places(fish: FishService, angler: Angler) -> None:
    fish.concurrency = 15
    fish.fail("GET /model", Fault(status=503, body={"message": "busy", "status": 503}))

    answers = [
        await angler.ask("GET", "/model"),
        await angler.ask("GET", "/model"),
        await angler.ask("GET", "/model/none"),
        await angler.say(text="Hi", format="opus"),
    ]

    assert [answer.status for answer in answers] == [503, 200, 404, 200]
    assert len({answer.headers["x-fish-trace-id"] for answer in answers}) == 4
    assert {answer.headers["ratelimit-limit-concurrency"] for answer in answers} == {"15"}


async def test_route_that_does_not_exist_is_not_found_and_a_breach() -> None:
    async def ask(angler: Angler) -> None:
        assert (await angler.ask("GET", "/v1/user")).status == 404

    with pytest.raises(ServiceBreachError, match="no such route: GET /v1/user"):
        await breach(FishService(), ask)


async def test_transcription_takes_a_form_or_msgpack_and_tells_seconds(fish: FishService, angler: Angler) -> None:
    fish.transcript = "One. Two."
    packed = ormsgpack.packb({"audio": WAV, "ignore_timestamps": False, "language": "en"})

    plain = await angler.ask("POST", "/v1/asr", data=form(("audio", WAV)), headers={"model": "transcribe-1-pro"})
    timed = await angler.ask("POST", "/v1/asr", data=packed, headers={"Content-Type": "application/msgpack"})

    assert (plain.content["text"], plain.content["segments"]) == ("One. Two.", [])
    assert plain.content["duration"] == pytest.approx(2.0, abs=0.05)
    assert [(each["text"], round(each["end"])) for each in timed.content["segments"]] == [("One.", 1), ("Two.", 2)]
    assert fish.keys["good-key"] < 10


async def test_transcription_refuses_what_it_cannot_hear(angler: Angler) -> None:
    silence = WAV[:44] + bytes(len(WAV) - 44)
    cases: list[tuple[Any, int, str]] = [
        (form(("audio", silence)), 503, "Failed to transcribe audio: upstream ASR service timed out."),
        (form(("audio", b"not a sound")), 400, "Invalid audio input: failed to detect a supported audio format"),
        (form(("audio", WAV[: 44 + 16_000])), 400, "Invalid audio input"),
        (form(("audio", WAV + bytes(20_000_000))), 413, "Payload too large"),
        (form(("language", "en")), 422, "Field required"),
    ]

    for data, status, words in cases:
        answer = await angler.ask("POST", "/v1/asr", data=data)
        assert (answer.status, words in answer.text) == (status, True)
    assert (await angler.ask("POST", "/v1/asr", json={"audio": "x"})).status == 400
    assert (await angler.ask("POST", "/v1/asr", data=form(("audio", WAV)), key="poor-key")).status == 402


async def test_transcription_with_the_model_of_speech_is_a_breach() -> None:
    async def ask(angler: Angler) -> None:
        await angler.ask("POST", "/v1/asr", data=form(("audio", WAV)), headers={"model": "s2-pro"})

    with pytest.raises(ServiceBreachError, match="model header of /v1/asr"):
        await breach(FishService(), ask)
