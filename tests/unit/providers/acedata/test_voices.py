"""Voices of Ace Data Cloud: recordings laid out at our door, creates sent once, lists read through."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from bot.errors import ProviderError
from bot.providers.acedata import AceDataProvider
from bot.providers.base import VoiceQuery
from playground.services.acedata import AceDataService
from playground.services.service import Fault
from tests.unit.providers.acedata.house import VOICE, VOICE_ID, WatchedDoor, answers, build, clone_request


@pytest.mark.parametrize("clips", [1, 3])
async def test_recordings_are_laid_out_at_our_door_while_the_voice_is_made(
    service: AceDataService, door: WatchedDoor, clips: int
) -> None:
    request = clone_request(clips=clips, transcript="The cat sat.")
    async with build(service, door=door, enhance=False) as provider:
        voice = await provider.create(request)

        assert await provider.get(voice.id) == voice
        assert await provider.find(VOICE_ID) == voice

    content = service.last("POST", "/fish/model").content()
    assert (voice.title, voice.description, voice.tags, voice.visibility) == ("Aki", "warm", ("a", "b"), "private")
    assert voice.state == "trained"
    assert voice.created_at is not None
    assert service.recordings[voice.id] == (request.samples[0].wav,) * clips
    assert content["texts"] == ["The cat sat."] * clips
    assert (content["visibility"], content["enhance_audio_quality"], content["generate_sample"]) == (
        "private",
        False,
        False,
    )
    async with aiohttp.ClientSession() as session, session.get(service.links[voice.id][0]) as response:
        assert response.status == 404


@pytest.mark.parametrize("accepted", ["string", "list", "both"])
async def test_voice_is_made_whichever_form_of_link_is_taken(
    service: AceDataService, door: WatchedDoor, accepted: Any
) -> None:
    service.voices_accepts = accepted
    async with build(service, door=door) as provider:
        voice = await provider.create(clone_request())

    assert list(service.voices) == [voice.id]
    assert service.count("POST", "/fish/model") == (2 if accepted == "list" else 1)


async def test_voice_is_told_as_it_is_when_it_is_not_what_was_asked(service: AceDataService, door: WatchedDoor) -> None:
    service.forced_visibility, service.thin_create, service.trained_after = "public", True, 2
    async with build(service, door=door) as provider:
        voice = await provider.create(clone_request())
        states = [voice.state] + [(await provider.get(voice.id)).state for _ in range(2)]

    assert voice.visibility == "public"
    assert states == ["created", "training", "trained"]


async def test_recording_that_cannot_be_fetched_leaves_the_outcome_unknown(service: AceDataService) -> None:
    request = replace(clone_request(), links=("http://127.0.0.1:1/a.wav?sig=SECRET",))
    async with build(service) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.create(request)

    assert caught.value.kind == "unknown_outcome"
    assert service.voices == {}


async def test_list_follows_every_filter(service: AceDataService, door: WatchedDoor) -> None:
    service.publish("Bo", tags=("warm", "low"), languages=("ja",))
    service.publish("Cy", tags=("warm",))
    async with build(service, door=door) as provider:
        await provider.create(clone_request())
        queries = (
            VoiceQuery(),
            VoiceQuery(mine=False),
            VoiceQuery(mine=False, title="b"),
            VoiceQuery(mine=False, tags=("warm", "low")),
            VoiceQuery(mine=False, languages=("ja",)),
            VoiceQuery(mine=False, author="nobody"),
            VoiceQuery(mine=False, title_language="ja"),
        )
        found = [[voice.title for voice in (await provider.list(query)).voices] for query in queries]

    assert found == [["Aki"], ["Aki", "Cy", "Bo"], ["Bo"], ["Bo"], ["Bo"], [], []]


NO_STRING = Fault(status=400, body={"success": False, "error": {"code": "bad_request", "message": "voices is invalid"}})


def sent_voices(service: AceDataService) -> list[Any]:
    return [each.content()["voices"] for each in service.asked if (each.method, each.path) == ("POST", "/fish/model")]


@pytest.mark.parametrize(("choice", "kind"), [("auto", "string"), ("string", "string"), ("list", "list")])
async def test_one_link_is_sent_in_the_form_that_is_set(service: AceDataService, choice: str, kind: str) -> None:
    service.fail("POST /fish/model", *answers({"_id": VOICE}))
    async with build(service, voices=choice) as provider:
        request = clone_request()
        await provider.create(request)

    assert sent_voices(service) == [request.links[0] if kind == "string" else list(request.links)]


async def test_link_alone_that_is_refused_is_sent_once_more_as_a_list(
    provider: AceDataProvider, service: AceDataService
) -> None:
    service.fail("POST /fish/model", NO_STRING, *answers({"_id": VOICE}))

    request = clone_request()
    voice = await provider.create(request)

    assert voice.id == VOICE
    assert sent_voices(service) == [request.links[0], list(request.links)]


@pytest.mark.parametrize(
    ("choice", "clips", "fault", "kind"),
    [
        ("string", 1, NO_STRING, "invalid"),
        ("list", 1, NO_STRING, "invalid"),
        ("auto", 2, NO_STRING, "invalid"),
        ("auto", 1, Fault(status=403, body={"error": {"code": "used_up", "message": "x"}}), "no_credit"),
        ("auto", 1, Fault(status=401, body={"error": {"code": "invalid_token", "message": "x"}}), "auth"),
        ("auto", 1, Fault(status=429, body={"error": {"code": "too_many_requests", "message": "x"}}), "rate_limited"),
        ("auto", 1, Fault(status=500, body={"error": {"code": "api_error", "message": "x"}}), "unknown_outcome"),
        ("auto", 1, Fault(drops=True), "unknown_outcome"),
    ],
)
async def test_every_other_refusal_of_a_create_is_the_last_word(
    service: AceDataService, choice: str, clips: int, fault: Fault, kind: str
) -> None:
    service.fail("POST /fish/model", fault)
    async with build(service, voices=choice) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.create(clone_request(clips=clips))

    assert caught.value.kind == kind
    assert len(sent_voices(service)) == 1


async def test_several_links_are_a_list(provider: AceDataProvider, service: AceDataService) -> None:
    service.fail("POST /fish/model", *answers({"_id": VOICE}))

    request = clone_request(clips=3)
    await provider.create(request)

    assert sent_voices(service) == [list(request.links)]


async def test_voice_that_comes_in_an_envelope_is_read(provider: AceDataProvider, service: AceDataService) -> None:
    service.fail("POST /fish/model", *answers({"success": True, "data": {"_id": VOICE, "visibility": "private"}}))

    assert (await provider.create(clone_request())).id == VOICE


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"hello": "there"}, "unknown_outcome"),
        ("<html>hello</html>", "unknown_outcome"),
        ({"success": False, "error": {"code": "api_error", "message": "x"}}, "unknown_outcome"),
        ({"success": False, "error": {"code": "used_up", "message": "x"}}, "no_credit"),
    ],
)
async def test_answer_that_is_no_voice_leaves_the_outcome_unknown_unless_it_says_otherwise(
    provider: AceDataProvider, service: AceDataService, body: Any, kind: str
) -> None:
    service.fail("POST /fish/model", *answers(body))

    with pytest.raises(ProviderError) as caught:
        await provider.create(clone_request())

    assert caught.value.kind == kind
    assert service.count("POST", "/fish/model") == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500, body={"error": {"code": "api_error", "message": "x"}}, works_first=True),
        Fault(status=503, body="<html>down</html>", works_first=True),
        Fault(drops=True, works_first=True),
    ],
)
async def test_create_whose_answer_is_lost_is_sent_once_and_found_afterwards(
    service: AceDataService, door: WatchedDoor, fault: Fault
) -> None:
    service.fail("POST /fish/model", fault)
    async with build(service, door=door) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.create(clone_request())
        found = await provider.find(VOICE_ID)

    assert caught.value.kind == "unknown_outcome"
    assert service.count("POST", "/fish/model") == 1
    assert found is not None
    assert (found.id, found.description) == (next(iter(service.voices)), "warm")


async def test_create_without_any_link_says_what_to_do(provider: AceDataProvider, service: AceDataService) -> None:
    with pytest.raises(ProviderError, match="PUBLIC_URL") as caught:
        await provider.create(clone_request(linked=False))

    assert caught.value.kind == "invalid"
    assert service.asked == []


def page(*ids: str, total: int, marked: str = "") -> dict[str, Any]:
    items = [{"_id": each, "description": f"x (mynah:{VOICE_ID})" if each == marked else "x"} for each in ids]
    return {"items": items, "total": total}


async def test_voice_is_looked_for_through_every_page(provider: AceDataProvider, service: AceDataService) -> None:
    service.fail("GET /fish/model", *answers(page("a", "b", total=3), page("c", total=3, marked="c")))
    service.fail("GET /fish/model/{id}", *answers({"_id": "c", "title": "Aki", "visibility": "private"}))

    found = await provider.find(VOICE_ID)

    assert found is not None
    assert (found.id, found.title) == ("c", "Aki")
    assert [each.query["page_number"] for each in service.asked[:2]] == [["1"], ["2"]]
    assert all(each.query["self"] == ["true"] for each in service.asked[:2])


async def test_list_that_has_no_end_is_not_read_for_ever(provider: AceDataProvider, service: AceDataService) -> None:
    service.fail("GET /fish/model", *answers(*(page("a", total=10_000),) * 50))

    assert await provider.find(VOICE_ID) is None
    assert service.count("GET", "/fish/model") == 20


async def test_list_that_is_shorter_than_it_says_is_read_to_its_end(
    provider: AceDataProvider, service: AceDataService
) -> None:
    service.fail("GET /fish/model", *answers(page("a", total=3), page(total=3)))

    assert await provider.find(VOICE_ID) is None
    assert service.count("GET", "/fish/model") == 2


@pytest.mark.parametrize("body", ["<html>hello</html>", {}, {"items": "none"}, {"items": [1]}, [1]])
async def test_list_that_makes_no_sense_is_the_services_fault(
    provider: AceDataProvider, service: AceDataService, body: Any
) -> None:
    service.fail("GET /fish/model", *answers(body))

    with pytest.raises(ProviderError) as caught:
        await provider.list(VoiceQuery())

    assert caught.value.kind == "server"


async def test_list_tells_whether_there_is_more(provider: AceDataProvider, service: AceDataService) -> None:
    service.fail("GET /fish/model", *answers(page("a", "b", total=3), page("c", total=3), {"items": []}))

    first = await provider.list(VoiceQuery(size=2))
    second = await provider.list(VoiceQuery(size=2, page=2))
    third = await provider.list(VoiceQuery(size=2, page=3))

    assert ([voice.id for voice in first.voices], first.total, first.more) == (["a", "b"], 3, True)
    assert second.more is False
    assert (third.voices, third.total, third.more) == ((), 0, False)
