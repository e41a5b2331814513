"""The stand-in of Ace Data Cloud: tasks, and the callbacks at their end."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground.services.acedata import AceDataService
from tests.unit.playground.services.ace import Client, open_client


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with open_client(AceDataService()) as opened:
        yield opened


async def begin(client: Client, **fields: Any) -> str:
    """Begin a task and give its id."""
    status, told = await client.say(**(fields or {"async": True}))
    assert status == 200, told
    return str(told["task_id"])


async def test_a_task_ends_at_the_nth_ask_and_has_no_times_before(client: Client) -> None:
    client.service.ends_after = 3
    task_id = await begin(client)

    told = [await client.task(task_id) for _ in range(4)]

    assert ["finished_at" in each for each in told] == [False, False, True, True]
    assert ["response" in each for each in told] == [False, False, True, True]
    assert told[2]["elapsed"] == told[2]["finished_at"] - told[2]["started_at"]
    assert told[2]["request"] == {"text": "Hello", "async": True}
    assert told[2]["response"]["audio_url"] == told[3]["response"]["audio_url"]
    assert (await client.fetch(told[2]["response"]["audio_url"]))[0].status == 200


@pytest.mark.parametrize(("how", "kind"), [("number", float), ("text", str)])
async def test_when_a_task_began_is_a_number_or_a_text(client: Client, how: Any, kind: type) -> None:
    client.service.started_at = how

    _, told = await client.say(**{"async": True})

    assert set(told) == {"task_id", "started_at"}
    assert isinstance(told["started_at"], kind)


async def test_unknown_tasks_and_those_of_others_are_nothing(client: Client) -> None:
    client.service.keys["other-key"] = 1.0
    task_id = await begin(client)

    assert await client.task("gone") == {}
    assert await client.ask("POST", "/fish/tasks", key="other-key", json={"id": task_id}) == (200, {})


async def test_several_tasks_are_asked_after_at_once(client: Client) -> None:
    ids = [await begin(client), await begin(client), "gone"]

    _, told = await client.ask("POST", "/fish/tasks", json={"ids": ids, "action": "retrieve_batch"})

    assert told["count"] == 2
    assert [each["id"] for each in told["items"]] == ids[:2]


@pytest.mark.parametrize("body", [{}, {"id": "x", "action": "delete"}, {"id": "x", "action": "retrieve_batch"}])
async def test_a_question_that_makes_no_sense_is_refused(client: Client, body: dict[str, str]) -> None:
    status, told = await client.ask("POST", "/fish/tasks", json=body)

    assert (status, told["error"]["code"]) == (400, "bad_request")


async def test_a_hiccup_is_an_error_in_bare_words_that_a_task_survives(client: Client) -> None:
    client.service.hiccups = 1
    client.service.ends_after = 1
    task_id = await begin(client)

    hiccup, ended = await client.task(task_id), await client.task(task_id)

    assert hiccup["response"] == {"success": False, "error": "upstream timeout", "task_id": task_id}
    assert "finished_at" not in hiccup
    assert ended["response"]["audio_url"]


@pytest.mark.parametrize(
    ("ending", "timed", "linked", "word"),
    [("finished", True, True, None), ("word", False, True, "completed"), ("url", False, True, None),
     ("failed", True, False, None), ("failed_word", False, False, "failed"), ("failed_code", False, False, None),
     ("no_url", False, False, "succeeded")],
)  # fmt: skip
async def test_a_task_ends_in_each_way_that_the_vendor_reads(
    client: Client, ending: Any, timed: bool, linked: bool, word: str | None
) -> None:
    client.service.ending = ending
    client.service.ends_after = 1

    told = await client.task(await begin(client))

    response = told["response"]
    assert ("finished_at" in told) is timed
    assert ("audio_url" in response) is linked
    assert response.get("status") == word
    assert (response.get("success") is False) is (ending in {"failed", "failed_code"})
    assert isinstance(response.get("error"), dict) is (ending == "failed_code")


async def test_a_failure_has_the_code_that_is_set(client: Client) -> None:
    client.service.ending = "failed_code"
    client.service.failure = "used_up"
    client.service.ends_after = 1

    told = await client.task(await begin(client))

    assert told["response"]["error"]["code"] == "used_up"


@pytest.mark.parametrize(("ending", "word"), [("finished", "succeeded"), ("failed", "failed")])
async def test_a_task_can_be_told_in_short(client: Client, ending: Any, word: str) -> None:
    client.service.task_shape = "status"
    client.service.ending = ending
    task_id = await begin(client)

    first, last = await client.task(task_id), await client.task(task_id)

    assert first == {"data": {"task_id": task_id, "status": "processing"}, "success": True}
    assert last["data"]["status"] == word
    assert last["success"] is (word == "succeeded")
    assert ("audio_url" in last["data"]) is (word == "succeeded")


@pytest.mark.parametrize(("callbacks", "times"), [("once", 1), ("twice", 2), ("never", 0)])
async def test_callbacks_are_delivered_so_often(client: Client, callbacks: Any, times: int) -> None:
    client.service.callbacks = callbacks

    task_id = await begin(client, callback_url=client.porch.url("/ring"))
    await client.service.outside.quiet()

    assert [each["task_id"] for each in client.porch.rung] == [task_id] * times
    assert [each.status for each in client.service.outside.rings] == [200] * times
    assert all(set(each) == {"task_id", "audio_url"} for each in client.porch.rung)


async def test_a_task_that_was_rung_about_has_ended(client: Client) -> None:
    client.service.ends_after = 99
    task_id = await begin(client, callback_url=client.porch.url("/ring"))

    await client.porch.callback.wait()

    told = await client.task(task_id)
    assert told["response"] == client.porch.rung[0]


async def test_an_early_callback_comes_before_the_answer(client: Client) -> None:
    client.service.callbacks = "early"

    task_id = await begin(client, callback_url=client.porch.url("/ring"))

    assert [each["task_id"] for each in client.porch.rung] == [task_id]


async def test_a_late_callback_comes_when_it_is_let_go(client: Client) -> None:
    client.service.callbacks = "late"
    task_id = await begin(client, callback_url=client.porch.url("/ring"))
    await client.task(task_id)
    ended = await client.task(task_id)
    client.service.callbacks = "once"
    other = await begin(client, callback_url=client.porch.url("/ring"))
    await client.porch.callback.wait()
    before = [each["task_id"] for each in client.porch.rung]

    client.service.late.set()
    await client.service.outside.quiet()

    assert before == [other]
    assert client.porch.rung[1:] == [ended["response"]]


async def test_a_wrong_callback_names_another_task(client: Client) -> None:
    client.service.callbacks = "wrong"
    client.porch.status = 404

    task_id = await begin(client, callback_url=client.porch.url("/ring"))
    await client.service.outside.quiet()

    assert client.porch.rung[0]["task_id"] != task_id
    assert client.service.outside.rings[0].status == 404


async def test_a_callback_of_a_failure_is_the_refusal_and_the_task(client: Client) -> None:
    client.service.ending = "failed"

    task_id = await begin(client, callback_url=client.porch.url("/ring"))
    await client.service.outside.quiet()

    assert client.porch.rung[0]["task_id"] == task_id
    assert client.porch.rung[0]["error"]["code"] == "api_error"


async def test_nobody_at_the_callback_address_is_written_down(client: Client) -> None:
    await begin(client, callback_url="http://127.0.0.1:1/ring")
    await client.service.outside.quiet()

    assert [each.status for each in client.service.outside.rings] == [None]


async def test_the_old_way_rings_with_its_envelope(client: Client) -> None:
    voice = await client.voice()
    body = {"action": "speech", "prompt": "Hello", "voice_id": voice["_id"], "callback_url": client.porch.url("/ring")}

    _, told = await client.ask("POST", "/fish/audios", json=body)
    await client.service.outside.quiet()

    assert set(told) == {"task_id"}
    assert client.porch.rung[0]["task_id"] == told["task_id"]
    assert client.porch.rung[0]["data"][0]["audio_url"]


async def test_work_under_way_ends_when_the_service_closes() -> None:
    service = AceDataService()
    service.callbacks = "late"

    async with open_client(service) as client:
        await begin(client, callback_url=client.porch.url("/ring"))

    assert client.porch.rung == []
