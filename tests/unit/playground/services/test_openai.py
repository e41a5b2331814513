"""The OpenAI-style server of the playground, asked over real sockets."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import av
import numpy as np
import pytest

from playground.services.openai import OpenAIService
from playground.services.service import ServiceBreachError

LINE = {"model": "gpt-4o-mini-tts", "input": "hello", "voice": "alloy"}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def service() -> AsyncIterator[OpenAIService]:
    async with OpenAIService() as service:
        yield service


def key(name: str = "good-key") -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def say(
    session: aiohttp.ClientSession, service: OpenAIService, *, name: str = "good-key", **body: Any
) -> tuple[aiohttp.ClientResponse, bytes]:
    async with session.post(f"{service.url}/v1/audio/speech", json=LINE | body, headers=key(name)) as response:
        return response, await response.read()


async def refused(
    session: aiohttp.ClientSession, service: OpenAIService, *, name: str = "good-key", **body: Any
) -> tuple[int, dict[str, Any]]:
    response, _ = await say(session, service, name=name, **body)
    return response.status, (await response.json())["error"]


@pytest.mark.parametrize(
    ("form", "kind", "container", "rate"),
    [
        (None, "audio/mpeg", "mp3", 24_000),
        ("mp3", "audio/mpeg", "mp3", 24_000),
        ("opus", "audio/opus", "ogg", 48_000),
        ("wav", "audio/wav", "wav", 24_000),
    ],
)
async def test_a_line_is_sound_in_the_format_asked_for(
    session: aiohttp.ClientSession, service: OpenAIService, form: str | None, kind: str, container: str, rate: int
) -> None:
    response, sound = await say(session, service, **({} if form is None else {"response_format": form}))
    assert (response.status, response.headers["Content-Type"]) == (200, kind)
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in response.headers
    with av.open(io.BytesIO(sound)) as file:
        assert (file.format.name, file.streams.audio[0].rate) == (container, rate)


async def test_raw_samples_are_24_khz_and_speed_shortens_them(
    session: aiohttp.ClientSession, service: OpenAIService
) -> None:
    text = "a line of some length"
    response, sound = await say(session, service, input=text, response_format="pcm")
    assert response.headers["Content-Type"] == "audio/pcm"
    assert len(sound) == round(len(text) * 0.06 * 24_000) * 2
    _, fast = await say(session, service, input=text, response_format="pcm", speed=2.0)
    assert abs(len(fast) * 2 - len(sound)) <= 4


async def test_sound_comes_while_the_rest_is_made(session: aiohttp.ClientSession, service: OpenAIService) -> None:
    service.gate = asyncio.Event()
    async with session.post(f"{service.url}/v1/audio/speech", json=LINE, headers=key()) as response:
        first = await response.content.readany()
        assert len(first) == service.portion
        service.gate.set()
        assert await response.content.read()


async def test_models_are_listed_for_a_key_even_without_credit(
    session: aiohttp.ClientSession, service: OpenAIService
) -> None:
    async with session.get(f"{service.url}/v1/models", headers=key("poor-key")) as response:
        told = await response.json()
    assert (response.status, [each["id"] for each in told["data"]]) == (200, ["gpt-4o-mini-tts"])


@pytest.mark.parametrize(("name", "code"), [("bad-key", "invalid_api_key"), ("", None)])
async def test_a_bad_key_is_refused_everywhere(
    session: aiohttp.ClientSession, service: OpenAIService, name: str, code: str | None
) -> None:
    assert (await refused(session, service, name=name))[1]["code"] == code
    async with session.get(f"{service.url}/v1/models", headers=key(name)) as response:
        error = (await response.json())["error"]
    assert response.status == 401
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, None)
    assert "bad-key" not in error["message"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"voice": "ada"}, 400, None),
        ({"model": "tts-9"}, 404, "model_not_found"),
        ({"input": "x" * 4097}, 400, None),
        ({"input": ""}, 400, None),
        ({"response_format": "midi"}, 400, None),
        ({"speed": 5}, 400, None),
        ({"speed": None}, 400, None),
    ],
)
async def test_a_line_that_does_not_fit_is_refused_and_costs_nothing(
    session: aiohttp.ClientSession, service: OpenAIService, body: dict[str, Any], status: int, code: str | None
) -> None:
    got, error = await refused(session, service, **body)
    assert (got, error["type"], error["code"]) == (status, "invalid_request_error", code)
    assert set(error) == {"message", "type", "param", "code"}
    assert service.keys["good-key"] == 10.0


async def test_the_longest_line_is_taken_and_paid_for(session: aiohttp.ClientSession) -> None:
    async with OpenAIService(speak=lambda text, _: np.zeros(len(text), dtype=np.float32)) as service:
        response, _ = await say(session, service, input="x" * 4096)
        assert response.status == 200
        assert service.keys["good-key"] == pytest.approx(10 - 4096 * 15e-6)


async def test_an_empty_account_is_told_so_with_a_429(session: aiohttp.ClientSession, service: OpenAIService) -> None:
    response, _ = await say(session, service, name="poor-key")
    error = (await response.json())["error"]
    assert (response.status, error["type"], error["code"]) == (429, "insufficient_quota", "insufficient_quota")
    assert "Retry-After" not in response.headers


async def test_a_busy_server_says_when_to_come_back(session: aiohttp.ClientSession, service: OpenAIService) -> None:
    service.busy, service.retry_after = 1, 7
    response, _ = await say(session, service)
    error = (await response.json())["error"]
    assert (response.status, error["code"], response.headers["Retry-After"]) == (429, "rate_limit_exceeded", "7")
    assert (await say(session, service))[0].status == 200


async def test_what_is_no_json_is_refused(session: aiohttp.ClientSession, service: OpenAIService) -> None:
    async with session.post(f"{service.url}/v1/audio/speech", data=b"{", headers=key()) as response:
        assert (response.status, (await response.json())["error"]["type"]) == (400, "invalid_request_error")


async def test_fish_audios_likeness_has_errors_and_defaults_of_its_own(
    session: aiohttp.ClientSession, service: OpenAIService
) -> None:
    service.fish = True
    status, error = await refused(session, service, voice="ada")
    assert (status, error["code"], error["type"], set(error)) == (
        400,
        400,
        "invalid_request_error",
        {"code", "message", "type"},
    )
    assert (await refused(session, service, name="poor-key"))[1]["code"] == 402
    service.busy = 1
    response, _ = await say(session, service)
    assert (response.status, response.headers["Retry-After"]) == (429, "1")
    response, _ = await say(session, service)
    assert response.headers["Content-Type"] == "audio/pcm"
    assert response.headers["X-Generation-Id"]


@pytest.mark.parametrize(("path", "body"), [("/v1/audio/speech", {"instructions": "calm"}), ("/audio/speech", {})])
async def test_what_the_server_does_not_know_is_a_breach(
    session: aiohttp.ClientSession, path: str, body: dict[str, Any]
) -> None:
    service = OpenAIService()
    await service.__aenter__()
    async with session.post(service.url + path, json=LINE | body, headers=key()) as response:
        assert response.status >= 400
    with pytest.raises(ServiceBreachError):
        await service.__aexit__(None, None, None)
