"""The stand-in of Ace Data Cloud: its voices and its refusals."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground.services.acedata import AceDataService
from playground.services.service import ServiceBreachError
from tests.unit.playground.services.ace import WAV, Client, open_client


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with open_client(AceDataService()) as opened:
        yield opened


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    """Give status and code, having looked that the refusal has the platform's shape."""
    status, body = answer
    assert body["success"] is False
    assert set(body) == {"success", "error", "trace_id"}
    assert set(body["error"]) == {"code", "message"}
    return status, body["error"]["code"]


def passed_on(answer: tuple[int, Any]) -> Any:
    """Give the problems, having looked that the refusal has Fish Audio's shape and they are written twice."""
    status, body = answer
    assert (status, body["status"]) == (400, 400)
    assert set(body) == {"status", "message"}
    return json.loads(body["message"])


async def test_a_voice_is_made_of_what_the_service_fetches_itself(client: Client) -> None:
    voice = await client.voice(description="low", tags=["a"], texts=["hm"], enhance_audio_quality=True)

    assert client.porch.fetched == 1
    assert client.service.recordings[voice["_id"]] == (WAV,)
    assert voice["visibility"] == "private"
    assert voice["description"] == "low"
    assert voice["author"]["_id"]
    assert client.service.keys["good-key"] < 10


async def test_a_link_that_leads_nowhere_makes_no_voice(client: Client) -> None:
    for link in (client.porch.url("/gone.wav"), "http://127.0.0.1:1/sample.wav"):
        assert code(await client.clone(voices=[link])) == (500, "api_error")

    status, told = await client.clone(voices=[client.porch.url("/empty.wav")])

    assert (status, told["message"]) == (400, "Failed to preprocess audio: empty file")
    assert client.service.voices == {}


@pytest.mark.parametrize(("accepts", "string", "many"), [("string", 200, 400), ("list", 400, 200), ("both", 200, 200)])
async def test_links_are_taken_as_the_switch_says(client: Client, accepts: Any, string: int, many: int) -> None:
    client.service.voices_accepts = accepts
    link = client.porch.url("/sample.wav")

    assert (await client.clone(voices=link))[0] == string
    status, body = await client.clone(voices=[link])

    assert status == many
    assert status == 200 or code((status, body)) == (400, "bad_request")


@pytest.mark.parametrize("change", [{"voices": "sample"}, {"cover_image": "cover"}, {"callback_url": "ftp://x/y"}])
async def test_what_is_no_link_is_refused(client: Client, change: dict[str, str]) -> None:
    assert code(await client.clone(**change)) == (400, "bad_request")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"title": None}, "title"),
        ({"visibility": "unlist"}, "visibility"),
        ({"voices": []}, "voices"),
        ({"texts": ["", ""]}, "texts"),
    ],
)
async def test_wrong_fields_are_passed_on_from_fish_audio(client: Client, change: dict[str, Any], where: str) -> None:
    problems = passed_on(await client.clone(**change))

    assert problems[0]["loc"][0] == where
    assert set(problems[0]) == {"type", "loc", "msg", "input"}


async def test_a_new_voice_may_be_told_thinly_and_its_visibility_overruled(client: Client) -> None:
    client.service.thin_create = True
    client.service.forced_visibility = "public"

    voice = await client.voice()

    assert voice["visibility"] == "public"
    assert "author" not in voice
    assert voice["liked_count"] == 0


@pytest.mark.parametrize(("fails", "last"), [(False, "trained"), (True, "failed")])
async def test_a_voice_is_trained_at_the_nth_read(client: Client, fails: bool, last: str) -> None:
    client.service.trained_after = 2
    client.service.fails_training = fails
    voice = await client.voice()

    states = [(await client.ask("GET", f"/fish/model/{voice['_id']}"))[1]["state"] for _ in range(3)]

    assert [voice["state"], *states] == ["created", "training", last, last]


async def test_one_voice_is_read_with_its_recordings_and_an_author_without_a_name(client: Client) -> None:
    made = await client.voice()

    _, voice = await client.ask("GET", f"/fish/model/{made['_id']}")

    assert voice["samples"] == [{"audio": client.porch.url("/sample.wav"), "text": ""}]
    assert voice["author"]["nickname"] == ""
    assert {"default_text", "default_mode"} <= set(voice)


async def test_a_voice_that_is_not_there_or_somebody_elses_is_not_found(client: Client) -> None:
    client.service.keys["other-key"] = 1.0
    voice = await client.voice()

    assert code(await client.ask("GET", "/fish/model/gone")) == (404, "not_found")
    assert code(await client.ask("GET", f"/fish/model/{voice['_id']}", key="other-key")) == (404, "not_found")


async def test_voices_are_listed_in_short_and_in_pages(client: Client) -> None:
    made = [await client.voice(title=f"Voice {number}") for number in range(3)]

    _, page = await client.ask("GET", "/fish/model", params={"page_size": 2, "page_number": 2, "self": "true"})

    assert page["total"] == 3
    assert [each["_id"] for each in page["items"]] == [made[0]["_id"]]
    assert "author" not in page["items"][0]
    assert "like_count" not in page["items"][0]


@pytest.mark.parametrize(
    ("params", "titles"),
    [
        ([], ["Aki", "声", "Bo"]),
        ([("self", "true")], ["Aki"]),
        ([("title", "b")], ["Bo"]),
        ([("tag", "x")], ["Aki", "Bo"]),
        ([("tag", "x"), ("tag", "y")], ["Bo"]),
        ([("language", "zh"), ("language", "fr")], ["声"]),
        ([("title_language", "zh")], ["声"]),
        ([("author_id", "nobody")], []),
        ([("author_id", "nobody"), ("self", "true")], ["Aki"]),
    ],
)
async def test_each_filter_of_the_list_filters(
    client: Client, params: list[tuple[str, str]], titles: list[str]
) -> None:
    client.service.publish("Bo", tags=("x", "y"))
    client.service.publish("声", languages=("zh",))
    await client.voice(tags=["x"])

    _, page = await client.ask("GET", "/fish/model", params=params)

    assert [each["title"] for each in page["items"]] == titles


async def test_a_page_too_large_is_passed_on_from_fish_audio(client: Client) -> None:
    problems = passed_on(await client.ask("GET", "/fish/model", params={"page_size": 101}))

    assert problems[0]["msg"] == "Input should be less than or equal to 100"


async def test_keys_are_looked_at_before_anything_else(client: Client) -> None:
    assert code(await client.ask("GET", "/fish/model", key="")) == (400, "no_token")
    assert code(await client.ask("POST", "/fish/tts", key="bad", json={})) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("token_mismatched", (400, "token_mismatched")),
        ("wrong_token_for_api", (401, "token_mismatched")),
        ("token_expired", (401, "token_expired")),
        ("disabled", (400, "disabled")),
        ("api_not_implemented", (400, "api_not_implemented")),
    ],
)
async def test_a_key_can_be_barred(client: Client, trouble: Any, told: tuple[int, str]) -> None:
    client.service.barred["good-key"] = trouble

    assert code(await client.ask("GET", "/fish/model")) == told


async def test_an_empty_balance_stops_what_is_billed_before_it_is_read_and_nothing_else(client: Client) -> None:
    for path in ("/fish/model", "/fish/tts", "/fish/audios"):
        assert code(await client.ask("POST", path, key="poor-key", json={})) == (403, "used_up")

    assert (await client.ask("GET", "/fish/model", key="poor-key"))[0] == 200
    assert (await client.ask("POST", "/fish/tasks", key="poor-key", json={"id": "x"})) == (200, {})


async def test_the_rate_limit_is_met_so_many_times(client: Client) -> None:
    client.service.busy = 1

    assert code(await client.ask("GET", "/fish/model")) == (429, "too_many_requests")
    assert (await client.ask("GET", "/fish/model"))[0] == 200


async def test_errors_may_leave_out_success(client: Client) -> None:
    client.service.bare_errors = True

    _, told = await client.ask("GET", "/fish/model", key="bad")

    assert set(told) == {"error", "trace_id"}


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_a_body_that_is_none_is_refused(client: Client, body: bytes) -> None:
    sent = {"data": body, "headers": {"Content-Type": "application/json"}}

    assert code(await client.ask("POST", "/fish/tts", **sent)) == (400, "bad_request")
    assert code(await client.ask("POST", "/fish/model", data={"title": "Aki"})) == (400, "bad_request")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/fish/model", {"title": "Aki", "voices": "https://x/y", "train_mode": "fast"}),
        ("POST", "/fish/tts", {"text": "Hello", "seed": 1}),
        ("POST", "/fish/tts", {"text": "Hello", "prosody": {"pitch": 1}}),
        ("POST", "/fish/audios", {"action": "speech", "prompt": "x", "voice_id": "y", "async": True}),
        ("GET", "/fish/model?sort_by=created_at", None),
        ("POST", "/fish/voices", {"voice_url": "https://x/y"}),
        ("DELETE", "/fish/model/x", None),
        ("PATCH", "/fish/model/x", {}),
    ],
)
async def test_what_is_not_documented_is_a_breach(method: str, path: str, body: Any) -> None:
    service = AceDataService()
    async with open_client(service) as client:
        async with client.session.request(
            method, service.url + path, json=body, headers={"Authorization": "Bearer good-key"}
        ) as response:
            assert response.status in {404, 501}
        breaches, service.breaches = service.breaches, []

    assert len(breaches) == 1


async def test_a_breach_is_told_when_it_closes() -> None:
    with pytest.raises(ServiceBreachError, match="no such route"):
        async with open_client(AceDataService()) as client:
            await client.ask("GET", "/fish/wallet")
