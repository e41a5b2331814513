"""Ace Data Cloud's dialect against its stand-in server, through real sockets; and its questions as values."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import aiohttp
import numpy as np
import pytest

from bot import audio
from bot.errors import ProviderError
from bot.models import PACKET_SECONDS, Sample
from bot.providers.acedata import AceDataProvider, Pace
from bot.providers.acedata._questions import create_question, list_question, speech_question, voice_question
from bot.providers.acedata._refusals import read_refusal
from bot.providers.acedata._tasks import read_task
from bot.providers.base import CloneRequest, SpeechRequest, VoiceEdit, VoiceQuery
from bot.providers.doorstep import Callback, Doorstep
from bot.providers.downloads import Downloads
from bot.providers.faults import Account, Refusal, understand
from bot.providers.patience import Patience
from bot.providers.question import Question
from bot.settings import AceDataSettings
from bot.web import Web
from playground.services.acedata import OTHER_HOST, AceDataService, Callbacks, Ending, TaskShape
from playground.services.service import Fault
from playground.services.sound import Form, babble, encode
from tests.ports import free_port
from tests.unit.providers.sound import REPORT, to_wav

VOICE_ID = "0123456789abcdef0123456789abcdef"
TEXT = "The first sentence is short. The second one is a little longer than that."
LINK = "https://cdn.example.com/fish/one.mp3?Signature=SECRET"
ACCOUNT = Account(label="Ace Data Cloud", key_setting="ACEDATA_API_KEY")
QUICK = Patience(base=0.001, cap=0.002, connect=5.0, first_byte=5.0, between=5.0, create=5.0)
BRISK = Pace(first=0.001, most=0.002, fallback=0.01, total=5.0)
DEAF = Pace(first=0.001, most=0.002, fallback=60.0, total=5.0)
"""Asks after nothing that does not ring."""
VOICE = "d" * 32
SOUND = encode(babble(TEXT), "mp3")
LASTS = 0.06 * len(TEXT)


class WatchedDoor(Web):
    """Tells the addresses that are opened to be rung at."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "127.0.0.1", public_url=f"http://127.0.0.1:{port}", healthy=lambda: True)
        self.opened: asyncio.Queue[str] = asyncio.Queue()

    @contextmanager
    def expect(self) -> Iterator[Callback]:
        with super().expect() as bell:
            self.opened.put_nowait(bell.url)
            yield bell


@pytest.fixture
async def service() -> AsyncIterator[AceDataService]:
    async with AceDataService() as opened:
        yield opened


@pytest.fixture
async def door() -> AsyncIterator[WatchedDoor]:
    async with WatchedDoor(free_port()) as opened:
        yield opened


def build(
    service: AceDataService,
    *,
    key: str = "good-key",
    door: Doorstep | None = None,
    pace: Pace = BRISK,
    **fields: Any,
) -> AceDataProvider:
    settings = AceDataSettings.model_validate({"base_url": service.url, "api_key": key, **fields})
    downloads = Downloads(service.downloads_connector(), patience=QUICK)
    return AceDataProvider(settings, downloads=downloads, doorstep=door, patience=QUICK, pace=pace)


@pytest.fixture
async def provider(service: AceDataService) -> AsyncIterator[AceDataProvider]:
    async with build(service) as opened:
        yield opened


async def speak(provider: AceDataProvider, text: str = TEXT, *, remote_id: str = VOICE, speed: float = 1.0) -> float:
    """Speak, make packets of it, and return the seconds they last."""
    async with provider.synthesize(SpeechRequest(text=text, remote_id=remote_id, speed=speed)) as stream:
        packer = audio.Packer(stream.encoding, stream.rate)
        packets = [packet async for chunk in stream.chunks for packet in packer.feed(chunk)]
        return PACKET_SECONDS * len(packets + packer.finish())


def clone_request(*, clips: int = 1, linked: bool = True, transcript: str = "") -> CloneRequest:
    sample = Sample(wav=to_wav(np.full(4800, 0.25)), report=REPORT, transcript=transcript)
    return CloneRequest(
        voice_id=VOICE_ID,
        title="Aki",
        samples=(sample,) * clips,
        links=tuple(f"https://example.com/{number}.wav?sig=SECRET" for number in range(clips)) if linked else (),
        description="warm",
        tags=("a", "b"),
    )


def done(link: str) -> dict[str, Any]:
    return {"id": "t1", "response": {"success": True, "data": [{"audio_url": link}]}, "finished_at": 2.0}


RUNNING: dict[str, Any] = {"id": "t1", "request": {"prompt": "x"}, "created_at": 1.5}
STARTED: dict[str, Any] = {"task_id": "t1", "started_at": "2026-05-11T01:23:04.742Z"}


def answers(*bodies: Any) -> list[Fault]:
    return [Fault(status=200, body=body) for body in bodies]


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


async def test_ring_is_only_a_hint_and_the_task_is_asked_for_itself(service: AceDataService, door: WatchedDoor) -> None:
    service.fail("POST /fish/tts", *answers(STARTED))
    service.fail("POST /fish/tasks", *answers(RUNNING, done(service.results.lay_out(SOUND))))
    async with build(service, mode="callback", door=door, pace=DEAF) as provider:
        seconds, status = await asyncio.gather(speak(provider), forge_ring(door))

    assert seconds == pytest.approx(LASTS, abs=0.2)
    assert status == 200
    assert service.count("POST", "/fish/tasks") == 2
    assert "async" not in service.last("POST", "/fish/tts").content()


async def forge_ring(door: WatchedDoor) -> int:
    """Ring as anybody could who knows the address and the task, before the task has ended."""
    url = await door.opened.get()
    content = {"task_id": "t1", "audio_url": "https://127.0.0.1/forged.mp3"}
    async with aiohttp.ClientSession() as session, session.post(url, json=content) as response:
        return response.status


@pytest.mark.parametrize("callbacks", ["once", "twice", "early"])
@pytest.mark.parametrize("mode", ["callback", "legacy"])
async def test_task_that_rings_is_not_asked_after_before(
    service: AceDataService, door: WatchedDoor, callbacks: Callbacks, mode: str
) -> None:
    service.callbacks, service.ends_after = callbacks, 1000
    async with build(service, mode=mode, door=door, pace=DEAF) as provider:
        voice = await provider.create(clone_request())
        seconds = await speak(provider, remote_id=voice.id)
    await service.outside.quiet()

    assert seconds == pytest.approx(LASTS, abs=0.2)
    assert service.count("POST", "/fish/tasks") == 1
    assert service.outside.rings[0].status == 200


@pytest.mark.parametrize("callbacks", ["late", "never", "wrong"])
async def test_task_that_does_not_ring_in_time_is_asked_after_and_later_rings_are_refused(
    service: AceDataService, door: WatchedDoor, callbacks: Callbacks
) -> None:
    service.callbacks = callbacks
    async with build(service, mode="callback", door=door) as provider:
        voice = await provider.create(clone_request())
        seconds = await speak(provider, remote_id=voice.id)
    service.late.set()
    await service.outside.quiet()

    assert seconds == pytest.approx(LASTS, abs=0.2)
    assert {ring.status for ring in service.outside.rings} <= {404}
    assert len(service.outside.rings) == (0 if callbacks == "never" else 1)


async def test_voice_can_be_neither_changed_nor_removed_and_that_is_said(
    provider: AceDataProvider, service: AceDataService
) -> None:
    with pytest.raises(ProviderError, match="cannot change") as changing:
        await provider.update(VOICE, VoiceEdit(title="Bo"))
    with pytest.raises(ProviderError, match="cannot remove") as removing:
        await provider.delete(VOICE)

    assert (changing.value.kind, removing.value.kind) == ("invalid", "invalid")
    assert service.asked == []


@pytest.mark.parametrize("request_", [SpeechRequest(text=TEXT), SpeechRequest(text="🎉🎉", remote_id=VOICE)])
async def test_line_without_voice_or_words_is_refused_before_it_is_sent(
    provider: AceDataProvider, service: AceDataService, request_: SpeechRequest
) -> None:
    with pytest.raises(ProviderError) as caught:
        async with provider.synthesize(request_):
            pass

    assert caught.value.kind == "invalid"
    assert service.asked == []


def test_provider_says_what_it_can_do(door: WatchedDoor) -> None:
    settings = AceDataSettings()
    able = AceDataProvider(settings, downloads=Downloads()).capabilities
    reachable = AceDataProvider(settings, downloads=Downloads(), doorstep=door).capabilities
    old = AceDataProvider(AceDataSettings(mode="legacy"), downloads=Downloads()).capabilities

    assert (able.clones, able.finds, able.needs_links) == (True, True, True)
    assert (able.instant, able.deletes, able.edits, able.covers) == (False, False, False, False)
    assert able.visibilities == ("private",)
    assert (able.speeds, old.speeds) == ((0.5, 2.0), None)
    assert reachable.needs_links is False


@pytest.mark.parametrize(
    ("fields", "brackets"), [({"model": "s1"}, "round"), ({"model": "s2-pro"}, "square"), ({"mode": "legacy"}, "none")]
)
def test_tags_are_those_of_the_model(fields: dict[str, Any], brackets: str) -> None:
    provider = AceDataProvider(AceDataSettings.model_validate(fields), downloads=Downloads())

    assert provider.markup.brackets == brackets


async def test_key_links_and_words_are_in_no_repr_error_or_log(
    service: AceDataService, door: WatchedDoor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    link = service.results.lay_out(SOUND)
    service.results.reads = 1
    service.fail("POST /fish/tts", *answers(STARTED, {"audio_url": link}))
    service.fail("POST /fish/tasks", *answers(done(link)))
    service.fail("POST /fish/model", Fault(status=400, body={"status": 400, "message": f'["{LINK}"]'}))
    async with build(service, mode="callback", door=door, voices="string") as provider:
        await speak(provider)
        with pytest.raises(ProviderError) as expired:
            await speak(provider)
        with pytest.raises(ProviderError) as refused:
            await provider.create(clone_request())
        shown = caplog.text + repr(provider) + repr(vars(provider))
    shown += "".join(repr(error) + repr(error.__cause__) for error in (expired.value, refused.value))

    callback = service.last("POST", "/fish/tts").content()["callback_url"].rpartition("/")[2]
    signature = service.results.asked[0].query["signature"][0]
    for secret in (callback, signature, quote(signature, safe=""), "good-key", "SECRET", "first sentence"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({}, "running"),
        ("nonsense", "running"),
        ({"task_id": "t", "started_at": 1778462584.742}, "running"),
        ({"id": "t", "request": {"callback_url": LINK, "image_url": LINK}, "created_at": 1.5}, "running"),
        ({"response": {"callback_url": LINK}}, "running"),
        ({"response": {"data": [{"audio_url": LINK}]}}, "succeeded"),
        ({"audio_url": LINK}, "succeeded"),
        ({"data": {"task_id": "t", "status": "succeeded", "audio_url": LINK}, "success": True}, "succeeded"),
        ({"response": {"data": {"state": "Completed", "url": LINK}}}, "succeeded"),
        ({"response": {"status": "succeeded"}}, "failed"),
        ({"response": {"status": "processing", "audio_url": LINK}, "finished_at": 2.0}, "running"),
        ({"response": {"data": [{"status": "cancelled", "audio_url": LINK}]}}, "failed"),
        ({"response": {"success": False, "error": {"code": "api_error", "message": "fetch failed"}}}, "failed"),
        ({"response": {"success": False, "error": "temporary"}}, "running"),
        ({"response": {"success": False, "error": {"message": "temporary"}}}, "running"),
        ({"response": {"success": False, "error": "temporary"}, "finished_at": 2.0}, "failed"),
        ({"response": {"success": False, "audio_url": LINK}}, "failed"),
        ({"response": {"success": True}, "finished_at": 2.0}, "failed"),
        ({"response": {"success": True, "data": [{"audio_urls": [LINK]}]}, "finished_at": 2.0}, "succeeded"),
        ({"response": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"audio_url": LINK}}}}}}}}}, "running"),
    ],
)
def test_task_is_reduced_to_its_state_however_that_is_told(told: Any, state: str) -> None:
    task = read_task(told)

    assert task.state == state
    assert task.link == (LINK if state == "succeeded" else "")


def test_sound_is_taken_from_the_address_of_its_name_and_never_from_what_was_asked() -> None:
    other = "https://cdn.example.com/cover.png"

    task = read_task({"response": {"image_url": other, "request": {"url": other}, "data": [{"audio_url": LINK}]}})

    assert task.link == LINK


def test_task_shows_no_link() -> None:
    assert "SECRET" not in repr(read_task({"task_id": "t", "audio_url": LINK}))
    assert "SECRET" not in repr(read_task({"response": {"status": "failed", "audio_url": LINK}}))


def request_for(*, clips: int = 1, transcripts: tuple[str, ...] = ()) -> CloneRequest:
    words = transcripts or ("",) * clips
    return CloneRequest(
        voice_id=VOICE_ID,
        title="Aki",
        samples=tuple(Sample(wav=b"RIFF", report=REPORT, transcript=text) for text in words),
        description="warm",
        tags=("a", "b"),
        party=7,
    )


def test_create_says_who_may_see_the_voice_and_carries_our_id() -> None:
    question = create_question(request_for(), ["https://example.com/a.wav"], enhance=False, as_list=False)

    assert (question.method, question.path, question.party) == ("POST", "/fish/model", 7)
    assert question.json == {
        "title": "Aki",
        "voices": "https://example.com/a.wav",
        "description": f"warm (mynah:{VOICE_ID})",
        "visibility": "private",
        "tags": ["a", "b"],
        "enhance_audio_quality": False,
        "generate_sample": False,
    }


@pytest.mark.parametrize(("transcripts", "texts"), [(("one", "two"), ["one", "two"]), (("one", ""), None)])
def test_words_are_sent_where_those_of_every_recording_are_known(
    transcripts: tuple[str, ...], texts: list[str] | None
) -> None:
    links = ["https://example.com/a.wav", "https://example.com/b.wav"]

    question = create_question(request_for(transcripts=transcripts), links, enhance=True, as_list=True)

    assert question.json["voices"] == links
    assert question.json.get("texts") == texts


def test_list_asks_with_every_filter_there_is() -> None:
    query = VoiceQuery(
        mine=False,
        title="Aki",
        tags=("a", "b"),
        author="someone",
        languages=("en", "ja"),
        title_language="en",
        page=3,
        size=20,
    )

    assert list_question(query).params == (
        ("page_size", "20"),
        ("page_number", "3"),
        ("self", "false"),
        ("title", "Aki"),
        ("tag", "a"),
        ("tag", "b"),
        ("author_id", "someone"),
        ("language", "en"),
        ("language", "ja"),
        ("title_language", "en"),
    )


def test_author_is_not_asked_for_among_ones_own() -> None:
    assert list_question(VoiceQuery(author="someone")).params == (
        ("page_size", "10"),
        ("page_number", "1"),
        ("self", "true"),
    )


def test_id_cannot_lead_to_another_route() -> None:
    assert voice_question("a/../b?c").path == "/fish/model/a%2F..%2Fb%3Fc"


def line(mode: str, *, speed: float = 1.0, callback_url: str | None = None) -> Question:
    settings = AceDataSettings.model_validate({"mode": mode, "model": "s2.1-pro"})
    return speech_question(
        SpeechRequest(text="Hello.", remote_id="v", speed=speed, party=7), settings, callback_url=callback_url
    )


def test_line_names_its_model_and_format_always() -> None:
    question = line("sync")

    assert (question.path, question.headers, question.party) == ("/fish/tts", {"model": "s2.1-pro"}, 7)
    assert question.json == {"text": "Hello.", "reference_id": "v", "format": "mp3", "latency": "normal"}


def test_speed_is_sent_where_it_is_not_as_usual() -> None:
    assert line("sync", speed=1.5).json["prosody"] == {"speed": 1.5}


def test_line_is_asked_for_as_a_task_where_that_is_set() -> None:
    assert line("async").json["async"] is True
    assert line("callback", callback_url=LINK).json["callback_url"] == LINK
    assert "async" not in line("callback", callback_url=LINK).json


def test_callback_without_an_address_is_asked_after_instead() -> None:
    assert line("callback").json["async"] is True


def test_old_way_has_its_own_names_for_everything() -> None:
    question = line("legacy", callback_url=LINK)

    assert question.path == "/fish/audios"
    assert question.headers == {"model": "s2.1-pro"}
    assert question.json == {
        "action": "speech",
        "prompt": "Hello.",
        "voice_id": "v",
        "model": "fish-tts",
        "callback_url": LINK,
    }


def test_old_way_refuses_another_speed_than_the_usual() -> None:
    with pytest.raises(ProviderError, match="leave the speed out") as caught:
        line("legacy", speed=1.2)

    assert caught.value.kind == "invalid"


ENCODED = json.dumps([{"type": "literal_error", "loc": ["format"], "msg": "Input should be 'pcm'", "input": "wav"}])


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"code": "token_mismatched", "message": "x"}}, "auth"),
        (400, {"error": {"code": "api_not_implemented", "message": "x"}}, "invalid"),
        (400, {"error": {"code": "disabled", "message": "x"}}, "auth"),
        (400, {"error": {"code": "bad_request", "message": "model is invalid."}}, "invalid"),
        (400, {"error": {"code": "no_token", "message": "x"}}, "auth"),
        (401, {"error": {"code": "invalid_token", "message": "x"}}, "auth"),
        (401, {"error": {"code": "token_expired", "message": "x"}}, "auth"),
        (403, {"success": False, "error": {"code": "used_up", "message": "x"}, "trace_id": "t"}, "no_credit"),
        (404, {"error": {"code": "no_api", "message": "x"}}, "invalid"),
        (404, {"error": {"code": "not_found", "message": "x"}}, "not_found"),
        (429, {"error": {"code": "too_many_requests", "message": "x"}}, "rate_limited"),
        (500, {"error": {"code": "api_error", "message": "x"}}, "server"),
        (400, {"error": {"code": "api_error", "message": "fetch failed"}}, "server"),
        (418, {"error": {"code": "never heard of", "message": "x"}}, "invalid"),
        (400, {"status": 400, "message": ENCODED}, "invalid"),
        (500, {"status": 400, "message": ENCODED}, "invalid"),
        (500, {"status": 500, "message": ENCODED}, "invalid"),
        (500, {"status": 500, "message": "upstream"}, "server"),
        (500, {"status": "500", "message": "upstream"}, "server"),
        (400, {"status": 400, "message": "Reference not found"}, "not_found"),
        (503, "<html>down</html>", "server"),
        (403, "forbidden", "auth"),
    ],
)
def test_refusal_is_understood_in_both_shapes(status: int, body: Any, kind: str) -> None:
    written = body if isinstance(body, str) else json.dumps(body)

    error = understand(Refusal(status=status, body=written.encode()), ACCOUNT, read_refusal)

    assert error.kind == kind
    assert "x" not in str(error).split()
    assert "Input should be" not in str(error)
