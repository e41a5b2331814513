"""The stand-in of Ace Data Cloud: lines, and the host of their links."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from playground.services.acedata import HOST, OTHER_HOST, AceDataService
from tests.unit.playground.services.ace import Client, open_client


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with open_client(AceDataService()) as opened:
        yield opened


async def link(client: Client, **fields: Any) -> str:
    """Have a line made and give its link."""
    status, told = await client.say(**fields)
    assert status == 200, told
    return str(told["audio_url"])


async def test_a_line_becomes_a_link_to_another_host(client: Client) -> None:
    voice = await client.voice()

    status, told = await client.say(reference_id=voice["_id"], format="mp3", latency="normal")
    response, sound = await client.fetch(told["audio_url"])

    assert status == 200
    assert set(told) == {"audio_url"}
    assert told["audio_url"].startswith(f"https://{HOST}/fish/")
    assert response.content_type == "audio/mpeg"
    assert sound.startswith((b"ID3", b"\xff"))
    assert client.service.spoken[-1]["reference_id"] == voice["_id"]


async def test_the_extension_is_mp3_whatever_was_asked_for_and_whatever_it_is(client: Client) -> None:
    asked = await link(client, format="opus")
    client.service.content_form = "wav"
    other = await link(client, format="mp3")

    for url, magic in ((asked, b"OggS"), (other, b"RIFF")):
        assert ".mp3?" in url
        response, sound = await client.fetch(url)
        assert sound.startswith(magic)
        assert response.content_type == "audio/mpeg"


async def test_formats_are_those_of_the_guide_that_is_set(client: Client) -> None:
    client.service.formats = ("pcm", "mp3")
    client.service.format_required = True

    _, wrong = await client.say(format="wav")
    _, missing = await client.say()

    problem = {"type": "literal_error", "loc": ["format"], "msg": "Input should be 'pcm' or 'mp3'", "input": "wav"}
    assert json.loads(wrong["message"]) == [problem]
    assert json.loads(missing["message"])[0]["type"] == "missing"


@pytest.mark.parametrize("latency", ["", "low"])
async def test_a_latency_that_is_empty_or_unknown_is_refused(client: Client, latency: str) -> None:
    status, told = await client.say(latency=latency)

    assert status == 400
    assert json.loads(told["message"])[0]["loc"] == ["latency"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference_id": "gone"}, "Reference not found"),
        ({"prosody": {"speed": 3}}, "speed must be in [0.5, 2.0]"),
        ({"format": "pcm", "sample_rate": 22_050}, "Invalid sample rate 22050"),
        ({"reference_id": ["a", "b"], "model": "s1"}, "data did not match"),
    ],
)
async def test_what_fish_audio_refuses_is_passed_on(client: Client, change: dict[str, Any], message: str) -> None:
    status, told = await client.say(**change)

    assert (status, told["status"]) == (400, 400)
    assert told["message"].startswith(message)


async def test_a_voice_of_somebody_else_or_untrained_does_not_speak(client: Client) -> None:
    client.service.keys["other-key"] = 1.0
    mine = await client.voice()
    client.service.trained_after = 1
    raw = await client.voice()

    body = {"text": "Hello", "reference_id": mine["_id"]}

    assert (await client.ask("POST", "/fish/tts", key="other-key", json=body))[0] == 400
    assert (await client.say(reference_id=raw["_id"]))[0] == 400
    assert (await client.say(reference_id=client.service.publish("Bo")["_id"]))[0] == 200


async def test_a_model_it_does_not_have_is_refused(client: Client) -> None:
    status, told = await client.say(model="s9")

    assert (status, told["error"]) == (400, {"code": "bad_request", "message": "model is invalid."})


async def test_the_old_way_answers_in_an_envelope(client: Client) -> None:
    voice = await client.voice()
    body = {"action": "speech", "prompt": "Hello", "voice_id": voice["_id"], "model": "fish-tts"}

    _, told = await client.ask("POST", "/fish/audios", json=body)
    _, sound = await client.fetch(told["data"][0]["audio_url"])

    assert told["success"] is True
    assert {"task_id", "trace_id"} <= set(told)
    assert sound
    assert (await client.task(told["task_id"]))["type"] == "audios"


@pytest.mark.parametrize("change", [{"action": "generate"}, {"model": "s1"}, {"callback_url": "nowhere"}])
async def test_the_old_way_refuses_what_it_does_not_know(client: Client, change: dict[str, str]) -> None:
    body = {"action": "speech", "prompt": "Hello", "voice_id": "x", "model": "fish-tts", **change}

    status, told = await client.ask("POST", "/fish/audios", json=body)

    assert (status, told["error"]["code"]) == (400, "bad_request")


async def test_a_link_is_good_only_as_it_is_signed_and_offers_a_cookie(client: Client) -> None:
    url = await link(client)

    good, _ = await client.fetch(url)
    bad, body = await client.fetch(url[:-1])

    assert good.cookies
    assert bad.status == 404
    assert b"<Error>" in body


async def test_a_link_expires_after_so_many_reads(client: Client) -> None:
    client.service.results.reads = 1
    url = await link(client)

    statuses = [(await client.fetch(url))[0].status for _ in range(2)]

    assert statuses == [200, 403]


@pytest.mark.parametrize("name", ["Authorization", "Cookie"])
async def test_a_key_or_a_cookie_at_the_host_of_the_results_is_a_breach(client: Client, name: str) -> None:
    url = await link(client)

    await client.fetch(url, headers={name: "secret=1"})

    assert client.service.breaches == [f"the host of the results was sent a header {name.lower()}"]
    client.service.breaches.clear()


@pytest.mark.parametrize(
    ("to", "location"),
    [
        ("https://127.0.0.1/sound.mp3", "https://127.0.0.1/sound.mp3"),
        (f"http://{HOST}", f"http://{HOST}"),
        (f"https://{HOST}", f"https://{HOST}"),
    ],
)
async def test_links_can_be_sent_elsewhere(client: Client, to: str, location: str) -> None:
    client.service.results.redirect_to = to
    url = await link(client)

    response, _ = await client.fetch(url, allow_redirects=False)

    assert response.status == 302
    path = "" if "127.0.0.1" in to else url.removeprefix(f"https://{HOST}")
    assert response.headers["Location"] == location + path


async def test_a_redirect_to_the_other_host_arrives(client: Client) -> None:
    client.service.results.redirect_to = f"https://{OTHER_HOST}"
    url = await link(client)

    away, _ = await client.fetch(url, allow_redirects=False)
    response, sound = await client.fetch(away.headers["Location"])

    assert response.status == 200
    assert sound


async def test_plain_http_is_a_breach_and_another_host_a_stranger(client: Client) -> None:
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.fetch(f"http://{HOST}/fish/x.mp3")
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.fetch("https://cdn.example.com/x.mp3")

    assert client.service.breaches == [f"{HOST} was asked at port 80, not by https"]
    assert client.service.results.strangers == ["cdn.example.com"]
    client.service.breaches.clear()


@pytest.mark.parametrize(("serves", "kind"), [("page", "text/html"), ("disguised_page", "audio/mpeg")])
async def test_a_link_can_lead_to_an_error_page(client: Client, serves: Any, kind: str) -> None:
    client.service.results.serves = serves

    response, body = await client.fetch(await link(client))

    assert (response.status, response.content_type) == (200, kind)
    assert body.startswith(b"<!DOCTYPE")


async def test_a_link_can_break_off_or_be_missing(client: Client) -> None:
    url = await link(client)

    client.service.results.serves = "cut"
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.fetch(url)
    client.service.results.serves = "missing"
    response, _ = await client.fetch(url)

    assert response.status == 404


async def test_a_link_can_have_no_end(client: Client) -> None:
    url = await link(client)
    client.service.results.serves = "endless"

    async with client.downloads.get(aiohttp.client.URL(url, encoded=True)) as response:
        got = await response.content.readexactly(1_000_000)

    assert len(got) == 1_000_000
