"""Lines of Ace Data Cloud: made in every way it knows, fetched from where it says, paid for once."""

import asyncio
from typing import Any

import pytest

from bot.errors import ProviderError
from bot.providers.acedata import AceDataProvider, Pace
from bot.providers.base import SpeechRequest
from playground.services.acedata import OTHER_HOST, AceDataService, Ending, TaskShape
from playground.services.service import Fault
from playground.services.sound import Form
from tests.unit.providers.acedata.house import (
    LASTS,
    RUNNING,
    SOUND,
    STARTED,
    TEXT,
    VOICE,
    WatchedDoor,
    answers,
    build,
    clone_request,
    done,
    speak,
)


@pytest.mark.parametrize("mode", ["sync", "async", "callback", "legacy"])
@pytest.mark.parametrize("reachable", [False, True])
async def test_voice_is_made_and_spoken_with_in_every_way(
    service: AceDataService, door: WatchedDoor, mode: str, *, reachable: bool
) -> None:
    async with build(service, mode=mode, door=door) as provider:
        voice = await provider.create(clone_request())
    async with build(service, mode=mode, door=door if reachable else None, model="s2.1-pro") as provider:
        seconds = await speak(provider, remote_id=voice.id)

    route = "/fish/audios" if mode == "legacy" else "/fish/tts"
    asked = service.last("POST", route)
    assert seconds == pytest.approx(LASTS, abs=0.2)
    assert asked.headers["model"] == "s2.1-pro"
    assert ("callback_url" in asked.content()) is (reachable and mode in {"callback", "legacy"})
    assert service.spoken[0]["reference_id"] == voice.id
    assert service.count("POST", route) == 1


@pytest.mark.parametrize("form", ["mp3", "wav", "opus"])
async def test_sound_is_told_by_its_bytes_whatever_its_link_says(
    service: AceDataService, door: WatchedDoor, form: Form
) -> None:
    service.content_form = form
    async with build(service, door=door) as provider:
        voice = await provider.create(clone_request())

        assert await speak(provider, remote_id=voice.id, speed=2.0) == pytest.approx(LASTS / 2, abs=0.2)

    assert service.spoken[0]["speed"] == 2.0


@pytest.mark.parametrize("ending", ["finished", "word", "url"])
@pytest.mark.parametrize("shape", ["record", "status"])
async def test_end_of_a_task_is_understood_however_it_is_told(
    service: AceDataService, door: WatchedDoor, ending: Ending, shape: TaskShape
) -> None:
    service.ending, service.task_shape, service.hiccups, service.ends_after = ending, shape, 2, 4
    async with build(service, mode="async", door=door) as provider:
        voice = await provider.create(clone_request())

        assert await speak(provider, remote_id=voice.id) == pytest.approx(LASTS, abs=0.2)

    assert service.count("POST", "/fish/tasks") == 6


@pytest.mark.parametrize("ending", ["failed", "failed_word", "failed_code", "no_url"])
@pytest.mark.parametrize("mode", ["async", "callback", "legacy"])
async def test_failure_of_a_task_is_told_and_not_paid_for_again(
    service: AceDataService, door: WatchedDoor, ending: Ending, mode: str
) -> None:
    service.ending = ending
    async with build(service, mode=mode, door=door) as provider:
        voice = await provider.create(clone_request())
        with pytest.raises(ProviderError, match="could not make this line") as caught:
            await speak(provider, remote_id=voice.id)

    assert caught.value.kind == "server"
    assert len(service.spoken) == 1


async def test_unknown_voice_is_not_found(provider: AceDataProvider, service: AceDataService) -> None:
    with pytest.raises(ProviderError) as speaking:
        await speak(provider)
    with pytest.raises(ProviderError) as reading:
        await provider.get(VOICE)

    assert (speaking.value.kind, reading.value.kind) == ("not_found", "not_found")
    assert service.count("POST", "/fish/tts") == 1


@pytest.mark.parametrize("bare", [False, True])
async def test_spent_balance_is_told_as_such(service: AceDataService, *, bare: bool) -> None:
    service.bare_errors = bare
    async with build(service, key="poor-key") as provider:
        for failing in (speak(provider), provider.create(clone_request())):
            with pytest.raises(ProviderError, match="credit at Ace Data Cloud is used up") as caught:
                await failing
            assert caught.value.kind == "no_credit"

    assert service.count("POST", "/fish/model") == 1


async def test_check_costs_nothing_and_shows_the_key(service: AceDataService) -> None:
    async with build(service, key="poor-key") as provider:
        assert str(await provider.check()) == "key accepted, 5 at once"
    async with build(service, key="bad-key") as provider:
        with pytest.raises(ProviderError, match="ACEDATA_API_KEY") as caught:
            await provider.check()

    assert caught.value.kind == "auth"
    assert service.asked[0].query == {"page_size": ["1"], "self": ["true"]}


async def test_answer_that_is_a_task_after_all_is_followed(provider: AceDataProvider, service: AceDataService) -> None:
    service.fail("POST /fish/tts", *answers(STARTED))
    service.fail("POST /fish/tasks", *answers(RUNNING, {}, done(service.results.lay_out(SOUND))))

    assert await speak(provider) == pytest.approx(LASTS, abs=0.2)
    assert service.last("POST", "/fish/tasks").content() == {"id": "t1", "action": "retrieve"}


async def test_answer_that_is_neither_sound_nor_task_is_the_services_fault(
    provider: AceDataProvider, service: AceDataService
) -> None:
    service.fail("POST /fish/tts", *answers({"hello": "there"}))

    with pytest.raises(ProviderError) as caught:
        await speak(provider)

    assert caught.value.kind == "server"


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        ({"success": False, "error": {"code": "api_error", "message": "fetch failed SECRET"}}, "server"),
        ({"success": False, "error": {"code": "used_up", "message": "SECRET"}}, "no_credit"),
        ({"success": False, "error": {"code": "bad_request", "message": "SECRET"}}, "invalid"),
        ({"status": "failed", "message": "SECRET"}, "server"),
        ({"status": "succeeded"}, "server"),
    ],
)
async def test_task_that_failed_is_told_and_not_begun_again(service: AceDataService, response: Any, kind: str) -> None:
    service.fail("POST /fish/tts", *answers(STARTED))
    service.fail("POST /fish/tasks", *answers(RUNNING, {"id": "t1", "response": response}))
    async with build(service, mode="async") as provider:
        with pytest.raises(ProviderError) as caught:
            await speak(provider)

    assert caught.value.kind == kind
    assert "SECRET" not in str(caught.value)
    assert service.count("POST", "/fish/tts") == 1


async def test_task_that_never_ends_is_given_up(service: AceDataService) -> None:
    service.fail("POST /fish/tts", *answers(STARTED))
    service.fail("POST /fish/tasks", *answers(RUNNING), Fault(hangs=True))
    async with build(service, mode="async", pace=Pace(first=0.001, total=0.1)) as provider:
        with pytest.raises(ProviderError, match="did not finish in time") as caught:
            await speak(provider)

    assert caught.value.kind == "network"
    assert service.count("POST", "/fish/tts") == 1


async def test_task_is_asked_after_again_where_an_answer_is_lost(service: AceDataService) -> None:
    service.fail("POST /fish/tts", *answers(STARTED))
    service.fail(
        "POST /fish/tasks", Fault(status=500), Fault(drops=True), *answers(done(service.results.lay_out(SOUND)))
    )
    async with build(service, mode="async") as provider:
        assert await speak(provider) > 1

    assert service.count("POST", "/fish/tts") == 1


@pytest.mark.parametrize("redirected", [False, True])
async def test_link_to_a_machine_of_ours_is_not_followed(
    provider: AceDataProvider, service: AceDataService, *, redirected: bool
) -> None:
    target = "https://127.0.0.1/fish/one.mp3"
    service.results.redirect_to = target if redirected else None
    service.fail("POST /fish/tts", *answers({"audio_url": service.results.lay_out(SOUND) if redirected else target}))

    with pytest.raises(ProviderError, match="must not follow") as caught:
        await speak(provider)

    assert "127.0.0.1" not in str(caught.value)
    assert len(service.results.asked) == (1 if redirected else 0)
    assert service.count("POST", "/fish/tts") == 1


async def test_link_that_leads_on_to_another_public_host_is_followed(
    provider: AceDataProvider, service: AceDataService
) -> None:
    service.results.redirect_to = f"https://{OTHER_HOST}"
    service.fail("POST /fish/tts", *answers({"audio_url": service.results.lay_out(SOUND)}))

    assert await speak(provider) == pytest.approx(LASTS, abs=0.2)


@pytest.mark.parametrize("serves", ["expired", "missing", "page", "disguised_page"])
async def test_link_without_sound_is_told_without_paying_twice(
    provider: AceDataProvider, service: AceDataService, serves: Any
) -> None:
    service.results.reads = 0 if serves == "expired" else None
    service.results.serves = "sound" if serves == "expired" else serves
    link = service.results.lay_out(SOUND)
    service.fail("POST /fish/tts", *answers({"audio_url": link}))

    with pytest.raises(ProviderError) as caught:
        await speak(provider)

    assert caught.value.kind == "server"
    assert link.partition("signature=")[2] not in str(caught.value)
    assert service.count("POST", "/fish/tts") == 1


async def test_sound_that_breaks_off_is_told_and_not_asked_for_again(
    provider: AceDataProvider, service: AceDataService
) -> None:
    service.results.serves = "cut"
    service.fail("POST /fish/tts", *answers({"audio_url": service.results.lay_out(SOUND)}))

    with pytest.raises(ProviderError, match="broke off") as caught:
        await speak(provider)

    assert caught.value.kind == "network"
    assert service.count("POST", "/fish/tts") == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, body={"error": {"code": "too_many_requests", "message": "x"}}, headers={"Retry-After": "0"}),
        Fault(status=500, body={"success": False, "error": {"code": "api_error", "message": "fetch failed"}}),
    ],
)
async def test_line_is_asked_for_again_where_that_may_help(
    provider: AceDataProvider, service: AceDataService, fault: Fault
) -> None:
    service.fail("POST /fish/tts", fault, *answers({"audio_url": service.results.lay_out(SOUND)}))

    assert await speak(provider) > 1
    assert service.count("POST", "/fish/tts") == 2


async def test_line_whose_answer_was_lost_is_not_paid_for_again(
    provider: AceDataProvider, service: AceDataService
) -> None:
    service.fail("POST /fish/tts", Fault(drops=True))

    with pytest.raises(ProviderError) as caught:
        await speak(provider)

    assert caught.value.kind == "network"
    assert service.count("POST", "/fish/tts") == 1


async def test_lines_wait_for_each_other_until_their_sound_has_arrived_heard_or_not(service: AceDataService) -> None:
    service.gate = asyncio.Event()
    links = [service.results.lay_out(SOUND) for _ in range(2)]
    service.fail("GET /fish/model", Fault(status=200, body={}, headers={"ratelimit-limit-concurrency": "1"}))
    service.fail("POST /fish/tts", *answers(*({"audio_url": link} for link in links)))
    async with build(service) as provider:
        await provider.check()
        async with provider.synthesize(SpeechRequest(text=TEXT, remote_id=VOICE)) as stream:
            second = asyncio.create_task(speak(provider))
            for _ in range(3):
                with pytest.raises(ProviderError):
                    await provider.get("nobody")
            assert service.count("POST", "/fish/tts") == 1
            service.gate.set()
            assert await second > 1
            assert b"".join([chunk async for chunk in stream.chunks]) == SOUND

    assert service.count("POST", "/fish/tts") == 2
