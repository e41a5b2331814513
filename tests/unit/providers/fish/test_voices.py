"""Voices of Fish Audio are found, listed, changed and deleted."""

import pytest

from bot.errors import ProviderError
from bot.providers.base import SpeechRequest, VoiceEdit, VoiceQuery
from bot.providers.fish import FishProvider
from playground.services.fish import FishService, account_id
from playground.services.service import Fault, Upload
from tests.unit.providers.fish.house import JPEG, form_of
from tests.unit.providers.fish_house import KEY, OURS, TEXT, clone_request
from tests.unit.providers.sound import speak


async def test_voice_is_found_by_our_id_behind_a_page_of_newer_ones(
    service: FishService, provider: FishProvider
) -> None:
    voice = await provider.create(clone_request())
    for number in range(101):
        entity = service.publish(f"newer {number}")
        service.owners[entity["_id"]] = KEY

    assert await provider.find(OURS) == voice
    assert service.last("GET", "/model").query["page_number"] == ["2"]
    assert service.last("GET", "/model").query["self"] == ["true"]
    assert service.last("GET", "/model").query["sort_by"] == ["created_at"]


async def test_search_for_a_voice_ends_where_the_list_does(service: FishService, provider: FishProvider) -> None:
    endless = {"items": [{"_id": "a", "title": "x"}], "total": 10_000, "has_more": True}
    service.fail("GET /model", *[Fault(status=200, body=endless)] * 12)

    assert await provider.find(OURS) is None
    assert service.count("GET", "/model") == 10

    service.faults.clear()
    assert await provider.find(OURS) is None
    assert service.count("GET", "/model") == 11


async def test_list_sends_every_filter_and_reads_the_page(service: FishService, provider: FishProvider) -> None:
    for number in range(3):
        service.publish(f"Aki {number}", tags=("a", "b"), languages=("ja",), task_count=number)
    query = VoiceQuery(
        mine=False,
        title="Aki",
        tags=("a", "b"),
        author=account_id("somebody else"),
        languages=("ja", "en"),
        title_language="en",
        sort="task_count",
        page=2,
        size=2,
    )

    page = await provider.list(query)

    assert service.last("GET", "/model").query == {
        "page_size": ["2"],
        "page_number": ["2"],
        "self": ["false"],
        "sort_by": ["task_count"],
        "title": ["Aki"],
        "tag": ["a", "b"],
        "author_id": [account_id("somebody else")],
        "language": ["ja", "en"],
        "title_language": ["en"],
    }
    assert [voice.title for voice in page.voices] == ["Aki 0"]
    assert page.voices[0].train_mode == "full"
    assert (page.total, page.more) == (3, False)


async def test_list_of_mine_leaves_the_author_out_and_asks_for_a_hundred_at_most(
    service: FishService, provider: FishProvider
) -> None:
    await provider.create(clone_request())

    page = await provider.list(VoiceQuery(author="somebody", size=500))

    assert [voice.title for voice in page.voices] == ["Aki"]
    assert "author_id" not in service.last("GET", "/model").query
    assert service.last("GET", "/model").query["page_size"] == ["100"]


@pytest.mark.parametrize(("total", "more"), [(40, True), (20, False)])
async def test_page_that_does_not_say_whether_more_come_is_counted(
    service: FishService, provider: FishProvider, total: int, more: bool
) -> None:
    items = [{"_id": "a", "title": "x"}, "no voice", {"title": "no id"}]
    service.fail("GET /model", Fault(status=200, body={"items": items, "total": total, "has_more": None}))

    page = await provider.list(VoiceQuery(page=2, size=10))

    assert ([voice.id for voice in page.voices], page.total, page.more) == (["a"], total, more)


@pytest.mark.parametrize("body", [{"total": 3}, ["x"], "<html>"])
async def test_page_that_is_none_is_a_fault_of_the_service(
    service: FishService, provider: FishProvider, body: str | list[str] | dict[str, int]
) -> None:
    service.fail("GET /model", Fault(status=200, body=body))

    with pytest.raises(ProviderError) as caught:
        await provider.list(VoiceQuery())

    assert caught.value.kind == "server"


async def test_edit_sends_what_is_given_and_reads_back_what_became_of_it(
    service: FishService, provider: FishProvider
) -> None:
    voice = await provider.create(clone_request())

    edited = await provider.update(voice.id, VoiceEdit(title="Bo", tags=()))

    assert service.last("PATCH", f"/model/{voice.id}").content() == {"title": "Bo", "tags": []}
    assert (edited.title, edited.tags, edited.description) == ("Bo", (), "warm")
    assert edited == await provider.get(voice.id)


async def test_edit_with_a_picture_is_a_form_and_can_make_the_voice_public(
    service: FishService, provider: FishProvider
) -> None:
    voice = await provider.create(clone_request())

    edited = await provider.update(
        voice.id, VoiceEdit(cover=JPEG, visibility="public", description="", tags=("c", "d"))
    )

    assert form_of(service, "PATCH", f"/model/{voice.id}") == {
        "description": [""],
        "visibility": ["public"],
        "tags": ["c", "d"],
        "cover_image": [Upload(JPEG, "cover.jpg", "image/jpeg")],
    }
    assert (edited.visibility, edited.tags) == ("public", ("c", "d"))
    assert edited.cover_image


async def test_edit_takes_all_tags_away_beside_a_picture_too(service: FishService, provider: FishProvider) -> None:
    voice = await provider.create(clone_request())

    edited = await provider.update(voice.id, VoiceEdit(cover=JPEG, tags=()))

    assert edited.tags == ()
    assert edited.cover_image


async def test_edit_of_nothing_only_reads(service: FishService, provider: FishProvider) -> None:
    voice = await provider.create(clone_request())

    assert await provider.update(voice.id, VoiceEdit()) == voice
    assert service.count("PATCH", f"/model/{voice.id}") == 0


async def test_public_without_a_picture_is_refused_with_what_to_add(
    service: FishService, provider: FishProvider
) -> None:
    voice = await provider.create(clone_request())

    with pytest.raises(ProviderError, match="picture") as caught:
        await provider.update(voice.id, VoiceEdit(visibility="public"))

    assert caught.value.kind == "invalid"


@pytest.mark.parametrize("status", [200, 204])
async def test_deleted_voice_is_gone_and_deleting_it_again_is_fine(
    service: FishService, provider: FishProvider, status: int
) -> None:
    service.delete_status = 200 if status == 200 else 204
    voice = await provider.create(clone_request())

    await provider.delete(voice.id)
    await provider.delete(voice.id)
    await provider.delete("no id at all!")

    assert service.voices == {}
    with pytest.raises(ProviderError) as caught:
        await provider.get(voice.id)
    assert caught.value.kind == "not_found"


async def test_delete_that_is_refused_is_told(service: FishService, provider: FishProvider) -> None:
    service.fail("DELETE /model/{id}", Fault(status=401))

    with pytest.raises(ProviderError) as caught:
        await provider.delete("a" * 32)

    assert caught.value.kind == "auth"


@pytest.mark.parametrize("remote_id", ["", "../wallet", "a/b", "ü", "a" * 129])
async def test_what_cannot_be_an_id_is_not_asked_for(
    service: FishService, provider: FishProvider, remote_id: str
) -> None:
    with pytest.raises(ProviderError) as read:
        await provider.get(remote_id)
    with pytest.raises(ProviderError) as edited:
        await provider.update(remote_id, VoiceEdit(title="x"))
    with pytest.raises(ProviderError) as said:
        await speak(provider, SpeechRequest(text=TEXT, remote_id=remote_id))

    assert {read.value.kind, edited.value.kind, said.value.kind} == {"not_found"}
    assert service.asked == []
