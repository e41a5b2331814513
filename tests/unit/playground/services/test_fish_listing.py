"""The stand-in of Fish Audio at GET /model: filters, order, pages and the window."""

from typing import Any

import pytest

from playground.services.fish import FishService, account_id
from tests.unit.playground.services.fishing import Angler


async def test_list_is_filtered_by_everything_that_is_documented(fish: FishService, angler: Angler) -> None:
    fish.publish("The Captain", tags=["deep", "calm"], languages=["en"], author=account_id("x"), task_count=5)
    fish.publish("船長", tags=["deep"], languages=["zh", "en"], task_count=9)
    fish.publish("キャプテン", languages=["ja"])

    async def titles(**query: Any) -> list[str]:
        answer = await angler.ask("GET", "/model", key="", params=query)
        return [voice["title"] for voice in answer.content["items"]]

    assert await titles() == ["船長", "The Captain", "キャプテン"]
    assert await titles(sort_by="created_at") == ["キャプテン", "船長", "The Captain"]
    assert await titles(title="captain") == ["The Captain"]
    assert await titles(tag="deep") == ["船長", "The Captain"]
    assert await titles(tag=["deep", "calm"]) == ["The Captain"]
    assert await titles(author_id=account_id("x")) == ["The Captain"]
    assert await titles(language=["ja", "zh"]) == ["船長", "キャプテン"]
    assert await titles(language="en-US") == []
    assert await titles(title_language=["ja", "zh"]) == ["船長", "キャプテン"]
    assert await titles(liked="true") == await titles()


async def test_own_list_has_private_voices_newest_first_and_looks_at_no_author(
    fish: FishService, angler: Angler
) -> None:
    fish.publish("Somebody's")
    for title in ("One", "Two", "Three"):
        await angler.made(title=title)
    query = {"self": "true", "author_id": "x", "sort_by": "created_at", "page_size": 2}

    first = (await angler.ask("GET", "/model", params=query)).content
    second = (await angler.ask("GET", "/model", params={**query, "page_number": 2})).content

    assert [voice["title"] for voice in first["items"]] == ["Three", "Two"]
    assert (first["total"], first["has_more"], first["total_is_exact"]) == (3, True, True)
    assert [voice["title"] for voice in second["items"]] == ["One"]
    assert second["has_more"] is False


async def test_nothing_beyond_a_thousand_is_listed(fish: FishService, angler: Angler) -> None:
    for number in range(1001):
        fish.publish(f"Voice {number}")

    tenth, eleventh = [
        (await angler.ask("GET", "/model", params={"page_size": 100, "page_number": number})).content
        for number in (10, 11)
    ]

    assert len(tenth["items"]) == 100
    assert eleventh["items"] == []
    assert (tenth["total"], tenth["max_offset"], tenth["accessible_upper_bound"]) == (1000, 1000, 1000)
    assert (tenth["window_limited"], tenth["total_is_exact"], tenth["has_more"]) == (True, False, False)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"page_size": 101}, "Input should be less than or equal to 100"),
        ({"page_number": 0}, "Input should be greater than or equal to 1"),
        ({"page_size": "many"}, "Input should be a valid integer, unable to parse string as an integer"),
        ({"sort_by": "age"}, "Input should be 'score', 'task_count' or 'created_at'"),
        ({"self": "mine"}, "Input should be a valid boolean, unable to interpret input"),
    ],
)
async def test_list_refuses_what_is_out_of_bounds(angler: Angler, query: dict[str, Any], message: str) -> None:
    answer = await angler.ask("GET", "/model", params=query)

    assert answer.status == 422
    assert answer.content[0]["msg"] == message
    assert answer.content[0]["loc"][0] == "query"


async def test_of_voices_that_are_used_alike_the_newer_comes_first(fish: FishService, angler: Angler) -> None:
    for title in ("Old", "New"):
        fish.publish(title)

    page = (await angler.ask("GET", "/model")).content

    assert [voice["title"] for voice in page["items"]] == ["New", "Old"]


async def test_list_of_one_s_own_asks_for_a_key_before_it_looks_at_the_query(angler: Angler) -> None:
    answer = await angler.ask("GET", "/model", key="bad-key", params={"self": "true", "page_size": 101})

    assert answer.status == 401
