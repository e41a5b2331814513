"""What a member reads when a voice service fails them, and that voice and money are accounted for."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

import pytest

from bot.models import VoiceState
from bot.settings import ProviderName
from playground.discord import Answer
from playground.services.service import Fault
from playground.services.sound import Form, babble, encode
from tests.e2e.conftest import NewHouse
from tests.e2e.ears import ends
from tests.e2e.stage import PATIENCE, QUICK, House, Scene, over, refusal

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("discreet")]

LINE = "Susan wants sixteen spoons."
PAGE = "<!DOCTYPE html><html><body>The service is being maintained.</body></html>"
GONE = "Fish Audio has it no more."
DOWN = "is not working properly"
LATER = "try again in a few minutes."
LOST = (
    "Aki may be made or not. Fish Audio did not answer, and I am looking for it. /voices show tells.",
    "Aki is being made. /voices show tells when it is ready.",
)
ROUTES: dict[ProviderName, str] = {
    "fish": "POST /v1/tts",
    "highwayapi": "POST /v4beta/txt2speech",
    "myrouter": "POST /v4beta/txt2speech",
    "novita": "POST /v4beta/txt2speech",
    "acedata": "POST /fish/tts",
    "fish-speech": "POST /v1/tts",
    "openai": "POST /v1/audio/speech",
}
FISH, MAKE = ROUTES["fish"], "POST /model"
_SECRETS = ("good-key", LINE, "signature=", "mynah:")
"""A key, what a member said, a signed link, what a service wrote of a voice."""


@pytest.fixture
def discreet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let no test pass in which the log, at its most talkative, gave away what it must not."""
    for name in ("bot", "cogs"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    told = "\n".join(caplog.handler.format(record) for record in caplog.get_records("call"))
    assert not [secret for secret in _SECRETS if secret in told]


def _endless(form: Form = "opus") -> Fault:
    return Fault(endless=True, body=encode(babble(LINE * 10), form), content_type="audio/mpeg")


def _first_second(data: bytes) -> int:
    """Say how many bytes of an Ogg Opus file are a second of sound and a torn page of the next."""
    pages = [place for place in range(len(data)) if data.startswith(b"OggS", place)]
    # two of headers, then five of 200 ms
    return pages[7] + 100


def _cut() -> Fault:
    data = encode(babble(LINE), "opus")
    return Fault(body=data, cuts_after=_first_second(data), content_type="audio/ogg")


def _count(house: House, route: str) -> int:
    return int(house.service.count(*route.split()))


@dataclass(frozen=True)
class Row:
    """One way in which a line cannot be spoken."""

    break_it: Callable[[Any], None]
    """Does something to the service."""
    told: tuple[str, ...]
    """Phrases that the member reads."""
    asked: int
    """How often the service is asked for the line: once where it may have been made and charged."""
    state: VoiceState = "trained"


def _fails(*faults: Fault, route: str = FISH) -> Callable[[Any], None]:
    return lambda service: service.fail(route, *faults)


def _spend(service: Any) -> None:
    service.keys["good-key"] = 0.0


ROWS = {
    "bad key": Row(
        lambda service: service.keys.clear(), ("refuses the key (HTTP 401)", "the operator", "FISH_API_KEY"), 1
    ),
    "no credit": Row(_spend, ("credit at Fish Audio is used up", "ask the operator to add", "Nothing was charged."), 1),
    "not found": Row(
        lambda service: service.voices.clear(),
        (f"Aki cannot speak. {GONE}", "Delete it and clone it again."),
        1,
        "failed",
    ),
    "forbidden": Row(_fails(Fault(status=403, body={"status": 403, "message": LINE})), ("ask the operator",), 1),
    "not taken": Row(
        _fails(Fault(status=400, body={"status": 400, "message": f"cannot say {LINE!r} with good-key"})),
        ("did not take that (HTTP 400)", "change the words"),
        1,
    ),
    "rate limit": Row(
        _fails(*[Fault(status=429, body={"status": 429, "message": "concurrency limit of 5"})] * 3),
        ("is busy with other requests of this bot", "try again in a minute."),
        3,
    ),
    "a wait that is too long": Row(
        _fails(Fault(status=429, body={"status": 429, "message": "later"}, headers={"Retry-After": "3600"})),
        ("is busy with other requests of this bot", "try again in a minute."),
        1,
    ),
    "server error": Row(_fails(*[Fault(status=500, body=LINE)] * 3), (f"{DOWN} (HTTP 500)", LATER), 3),
    "hung up": Row(_fails(Fault(drops=True)), ("cannot be reached or did not answer in time", LATER), 1),
    "garbage": Row(_fails(Fault(status=200, body=bytes(range(256)) * 40, content_type="audio/ogg")), (DOWN, LATER), 1),
    "nothing": Row(_fails(Fault(status=200, content_type="audio/ogg")), (DOWN, LATER), 1),
    "error page": Row(_fails(Fault(status=200, body=PAGE, content_type="text/html")), (DOWN, LATER), 1),
    "error page called sound": Row(_fails(Fault(status=200, body=PAGE, content_type="audio/ogg")), (DOWN, LATER), 1),
    "refusal with 200": Row(
        _fails(Fault(status=200, body={"status": 402, "message": "no"}, content_type="application/json")),
        (DOWN, LATER),
        1,
    ),
    "redirect": Row(
        _fails(Fault(status=302, headers={"Location": "http://127.0.0.1:9/v1/tts"})), (f"{DOWN} (HTTP 302)",), 1
    ),
    "cut": Row(_fails(_cut()), ("The sound from Fish Audio broke off in the middle", "say it again."), 1),
    "endless": Row(_fails(_endless()), ("Fish Audio speaks without end", "say it again"), 1),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_a_line_that_cannot_be_spoken_is_told_with_its_cure_and_nothing_is_lost(
    new_house: NewHouse, row: Row
) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        row.break_it(house.service)
        files, asked, credit = house.files(), _count(house, FISH), dict(house.service.keys)

        answer = await scene.alice.slash("say", text=LINE, where="file")
        told = await refusal(answer)

        assert not [phrase for phrase in row.told if phrase not in told], told
        assert not [secret for secret in _SECRETS if secret in told]
        assert "\n" not in told
        assert len(told) < 250
        assert answer.followups == []
        assert _count(house, FISH) - asked == row.asked
        assert house.service.keys == credit
        (voice,) = await house.voices_of(scene.alice)
        assert (voice.state, voice.use_count) == (row.state, 0)
        assert house.files() == files


@pytest.mark.parametrize("form", get_args(Form))
async def test_sound_without_end_is_given_up_in_every_format(new_house: NewHouse, form: Form) -> None:
    async with new_house(providers=("fish",), chosen={"format": form}) as house:
        scene = house.enter()
        await scene.clones()
        house.service.fail(FISH, _endless(form))

        assert "Fish Audio speaks without end" in await refusal(await scene.alice.slash("say", text=LINE, where="file"))


async def test_a_busy_service_is_asked_again_and_the_member_hears_nothing_of_it(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        asked, spoken = _count(house, FISH), len(house.service.spoken)
        house.service.fail(FISH, Fault(status=429, headers={"Retry-After": "0"}), Fault(status=503))

        await scene.says(LINE)

        assert _count(house, FISH) - asked == 3
        assert len(house.service.spoken) - spoken == 1
        (voice,) = await house.voices_of(scene.alice)
        assert voice.use_count == 1


async def test_a_first_byte_that_does_not_come_is_waited_for_so_long_and_told(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        house.patience = replace(QUICK, first_byte=0.2)
        await house.restart()
        asked = _count(house, FISH)
        house.service.fail(FISH, Fault(hangs=True))

        told = await refusal(await scene.alice.slash("say", text=LINE, where="file"))

        assert told == "Fish Audio cannot be reached or did not answer in time: try again in a few minutes."
        assert _count(house, FISH) - asked == 1


async def test_a_line_cut_after_a_second_is_heard_once_so_far_and_its_end_is_told(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        await scene.joined(scene.bob, scene.alice)
        service, credit = house.service, house.service.keys["good-key"]
        asked, spoken = _count(house, FISH), len(service.spoken)
        service.gate, service.portion = asyncio.Event(), _first_second(encode(babble(LINE), "opus"))

        answer = await scene.alice.slash("say", text=LINE)
        await scene.bob.hears(scene.lounge, seconds=0.6)
        service.last(*FISH.split()).request.transport.abort()
        await answer.until(over, PATIENCE)

        assert answer.content == "The sound from Fish Audio broke off in the middle: say it again."
        heard = scene.bob.heard(scene.lounge)
        first, last = ends(heard.pcm)
        assert 0.8 < last - first < 1.1
        assert heard.duplicates == 0
        assert len(service.spoken) - spoken == 1
        assert credit - service.keys["good-key"] == pytest.approx(len(LINE) * 15e-6)
        assert _count(house, FISH) - asked == 1
        (voice,) = await house.voices_of(scene.alice)
        assert voice.use_count == 0
        service.gate.set()
        scene.bob.ears().reset()
        await scene.spoken(await scene.alice.slash("say", text=LINE))
        assert scene.bob.heard(scene.lounge).seconds > 1


async def test_a_line_over_the_websocket_that_is_cut_is_told_and_not_said_twice(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",), chosen={"transport": "websocket"}) as house:
        scene = house.enter()
        await scene.clones()
        await scene.says(LINE)
        asked, house.service.live_cut_after = _count(house, "GET /v1/tts/live"), 1

        told = await refusal(await scene.alice.slash("say", text=f"{LINE} {LINE}", where="file"))

        assert told == "The sound from Fish Audio broke off in the middle: say it again."
        assert _count(house, "GET /v1/tts/live") - asked == 1


async def test_a_line_that_fails_in_a_channel_lets_the_next_one_speak(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        await scene.joined(scene.bob, scene.alice)
        house.service.fail(FISH, *[Fault(status=500)] * 3)

        lost = await scene.alice.slash("say", text=LINE)
        said = await scene.spoken(await scene.alice.slash("say", text="Here."))

        assert f"{DOWN} (HTTP 500): {LATER}" in (await lost.until(over)).content
        assert said.content.startswith("Aki spoke in")


async def test_a_host_whose_name_nobody_knows_is_told_and_the_voice_speaks_when_it_is_back(
    new_house: NewHouse,
) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        usual, asked = house.settings, len(house.service.asked)
        lost = usual.fish.model_copy(update={"base_url": "http://api.fish.invalid"})
        house.settings = usual.model_copy(update={"fish": lost})
        await house.restart()

        told = await refusal(await scene.alice.slash("say", text=LINE, where="file"))
        draft = await scene.drafts("Bea")
        made = await scene.alice.click(draft, draft.buttons[0])
        await made.until(lambda seen: not seen.content.startswith("Making"), PATIENCE)
        shown = await (await scene.alice.slash("voices show")).settled(PATIENCE)

        assert told == "Fish Audio cannot be reached or did not answer in time: try again in a few minutes."
        assert made.content == told
        assert "State: ready" in shown.text
        assert len(house.service.asked) == asked
        assert [voice.name for voice in await house.voices_of(scene.alice)] == ["Aki"]
        house.settings = usual
        await house.restart()
        await scene.says(LINE)


# Where others differ


OTHERS = [name for name in ROUTES if name != "fish"]


async def _can_speak(scene: Scene) -> dict[str, str]:
    """Give the options of /say with which alice may speak."""
    if scene.house.home.capabilities.clones:
        await scene.clones()
        return {}
    return {"voice": scene.house.home.ready_made[0].title}


@pytest.mark.parametrize("name", OTHERS)
async def test_every_service_tells_a_bad_key_an_empty_account_and_garbage_in_one_sentence(
    new_house: NewHouse, name: ProviderName
) -> None:
    async with new_house(providers=(name,)) as house:
        scene, service = house.enter(), house.service
        options, files = await _can_speak(scene), house.files()
        keyed, credit = bool(service.keys), service.keys.get("good-key")
        expected = []
        if keyed:
            expected = [
                (1, f"refuses the key (HTTP 401): the operator must put a valid one into {name.upper()}_API_KEY."),
                (1, "is used up: ask the operator to add some. Nothing was charged."),
            ]
        expected.append((1, f"{DOWN}: {LATER}"))

        told = []
        for fault in ("bad key", "no credit", "garbage")[-len(expected) :]:
            if keyed:
                service.keys.update({"good-key": 0.0 if fault == "no credit" else credit})
            if fault == "bad key":
                del service.keys["good-key"]
            if fault == "garbage":
                service.fail(ROUTES[name], Fault(status=200, body=PAGE, content_type="audio/mpeg"))
            before = _count(house, ROUTES[name])
            sentence = await refusal(await scene.alice.slash("say", text=LINE, where="file", **options))
            told.append((_count(house, ROUTES[name]) - before, sentence))

        for (asked, sentence), (times, phrase) in zip(told, expected, strict=True):
            assert phrase in sentence
            assert asked == times
        assert house.files() == files


@pytest.mark.parametrize("name", ["highwayapi", "acedata", "fish-speech", "openai"])
async def test_a_voice_that_is_gone_at_its_service_never_speaks_in_somebody_elses(
    new_house: NewHouse, name: ProviderName
) -> None:
    async with new_house(providers=(name,)) as house:
        scene = house.enter()
        options = await _can_speak(scene)
        house.service.voices.clear()

        told = await refusal(await scene.alice.slash("say", text=LINE, where="file", **options))

        label = house.home.label
        if name == "openai":
            assert told == f"{label} has no such voice: choose another, or ask the operator to check OPENAI_VOICES."
            return
        (voice,) = await house.voices_of(scene.alice)
        if house.home.capabilities.finds:
            assert told == f"Aki cannot speak. {label} has it no more. Delete it and clone it again."
            assert voice.state == "failed"
        else:
            assert told == f"{label} has no such voice any more: delete it here and clone it again."
            assert voice.state == "trained"
        if name == "fish-speech":
            assert house.service.spoke_by_default == []


def _redirect(results: Any) -> None:
    results.redirect_to = "https://127.0.0.1"


def _serve(what: str) -> Callable[[Any], None]:
    return lambda results: setattr(results, "serves", what)


@pytest.mark.parametrize(
    ("break_it", "phrase", "fetched"),
    [
        pytest.param(
            _redirect, "gave me a link that I must not follow: try again, and tell the operator", 1, id="redirect"
        ),
        pytest.param(_serve("endless"), "speaks without end: say it again", 1, id="endless"),
        pytest.param(
            _serve("cut"), "The sound from Ace Data Cloud broke off in the middle: say it again.", 1, id="cut"
        ),
        pytest.param(_serve("page"), f"{DOWN} (HTTP 200): {LATER}", 3, id="page"),
        pytest.param(_serve("disguised_page"), f"{DOWN}: {LATER}", 3, id="disguised page"),
        pytest.param(_serve("missing"), f"{DOWN} (HTTP 404): {LATER}", 1, id="missing"),
    ],
)
async def test_a_result_that_cannot_be_fetched_is_told_and_paid_for_once(
    new_house: NewHouse, break_it: Callable[[Any], None], phrase: str, fetched: int
) -> None:
    async with new_house(providers=("acedata",)) as house:
        scene, results = house.enter(), house.service.results
        await scene.clones()
        break_it(results)
        asked, paid, links = _count(house, "POST /fish/tts"), len(house.service.spoken), len(results.asked)

        told = await refusal(await scene.alice.slash("say", text=LINE, where="file"))

        assert phrase in told
        assert "http" not in told.replace("HTTP", "")
        assert _count(house, "POST /fish/tts") - asked == 1
        assert len(house.service.spoken) - paid == 1
        assert len(results.asked) - links == fetched
        assert results.strangers == []
        (voice,) = await house.voices_of(scene.alice)
        assert voice.state == "trained"


# Making a voice


async def _ends(answer: Answer) -> str:
    """Wait until it is known what became of a voice; return the sentence."""
    await answer.until(lambda seen: not seen.content.startswith("Making") and seen.content not in LOST, PATIENCE)
    return answer.content


@pytest.mark.parametrize("loss", [Fault(works_first=True, drops=True), Fault(works_first=True, status=502)])
@pytest.mark.parametrize(("name", "route"), [("fish", MAKE), ("acedata", "POST /fish/model")])
async def test_a_voice_whose_answer_is_lost_is_found_and_made_once(
    new_house: NewHouse, name: ProviderName, route: str, loss: Fault
) -> None:
    async with new_house(providers=(name,)) as house:
        scene = house.enter()
        house.service.fail(route, loss)

        made = await scene.confirms()
        await made.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)

        assert made.content == "Aki is ready: try /say."
        assert _count(house, route) == 1
        (remote_id,) = house.service.voices
        (voice,) = await house.voices_of(scene.alice)
        assert (voice.state, voice.remote_id) == ("trained", remote_id)
        assert scene.alice.direct_messages == []


@pytest.mark.parametrize("loss", [Fault(status=500, body=LINE), Fault(drops=True), Fault(hangs=True)])
async def test_a_voice_that_was_never_made_is_looked_for_and_forgotten(new_house: NewHouse, loss: Fault) -> None:
    async with new_house(providers=("fish",), patience=replace(QUICK, create=0.5)) as house:
        scene = house.enter()
        house.service.fail(MAKE, loss)

        made = await scene.confirms()

        assert await _ends(made) == "Aki was never made, and nothing was kept: try /clone again."
        assert _count(house, MAKE) == 1
        assert _count(house, "GET /model") >= 1
        assert (house.rows()["voices"], house.rows()["samples"]) == (0, 0)
        await scene.clones()
        assert len(house.service.voices) == 1


async def test_where_nobody_can_look_a_lost_answer_is_told_as_it_is(new_house: NewHouse) -> None:
    async with new_house(providers=("novita",)) as house:
        scene = house.enter()
        house.service.fail("POST /v4beta/model", Fault(works_first=True, drops=True))

        made = await scene.confirms()
        await made.until(lambda seen: "could not be made" in seen.content, PATIENCE)

        assert made.content == (
            "Aki could not be made. Novita AI did not answer, and cannot be asked whether it was made: cloning may "
            "cost again. /voices delete takes it off your list."
        )
        assert _count(house, "POST /v4beta/model") == 1
        (voice,) = await house.voices_of(scene.alice)
        assert voice.state == "failed"


@pytest.mark.parametrize("row", ["bad key", "no credit", "forbidden", "not taken", "rate limit"])
async def test_a_voice_that_is_refused_leaves_nothing_and_is_asked_for_once(new_house: NewHouse, row: str) -> None:
    async with new_house(providers=("fish",)) as house:
        scene, files = house.enter(), house.files()
        fault = {
            "bad key": Fault(status=401, body="No permission -- see authorization schemes"),
            "no credit": Fault(status=402, body={"status": 402, "message": "Insufficient API credit."}),
            "forbidden": Fault(status=403, body={"status": 403, "message": "Forbidden"}),
            "not taken": Fault(status=400, body={"status": 400, "message": f"cannot say {LINE!r}"}),
            "rate limit": Fault(status=429, body={"status": 429, "message": "concurrency limit of 5"}),
        }[row]
        house.service.fail(MAKE, fault)

        made = await scene.confirms()

        told = await _ends(made)
        assert not [phrase for phrase in ROWS[row].told if phrase not in told], told
        assert not made.buttons
        assert _count(house, MAKE) == 1
        assert (house.rows()["voices"], house.rows()["samples"]) == (0, 0)
        assert house.files() == files


async def test_a_voice_that_comes_back_public_is_hidden_and_its_owner_told(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        house.service.forced_visibility = "public"

        made = await scene.clones()

        assert made.content == ("Aki is ready: try /say. Fish Audio had made it visible to others: I hid it at once.")
        assert [entity["visibility"] for entity in house.service.voices.values()] == ["private"]
        (voice,) = await house.voices_of(scene.alice)
        assert voice.visibility == "private"


async def test_a_voice_that_cannot_be_hidden_is_removed_and_its_owner_told(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        house.service.forced_visibility, house.service.locks_visibility = "public", True

        made = await scene.confirms()

        assert await _ends(made) == (
            "Aki could not be made. Fish Audio made it visible to others and would not hide it, so I removed it there. "
            "/voices delete takes it off your list."
        )
        assert house.service.voices == {}
        (voice,) = await house.voices_of(scene.alice)
        assert (voice.state, voice.visibility) == ("failed", "private")


@pytest.mark.parametrize(("name", "label"), [("novita", "Novita AI"), ("acedata", "Ace Data Cloud")])
async def test_a_public_voice_that_nobody_can_take_back_is_not_spoken_with_and_the_operator_is_named(
    new_house: NewHouse, name: ProviderName, label: str
) -> None:
    async with new_house(providers=(name,)) as house:
        scene = house.enter()
        house.service.forced_visibility = "public"

        made = await scene.confirms()

        told = await _ends(made)
        (remote_id,) = house.service.voices
        assert f"{label} made it visible to others and will not take it back" in told
        assert f"ask the operator to have voice {remote_id} removed there." in told
        spoken = len(house.service.spoken)
        refused = await refusal(await scene.alice.slash("say", text=LINE, voice="Aki", where="file"))
        assert refused.startswith("Aki cannot speak.")
        assert len(house.service.spoken) == spoken
        asked = await (await scene.alice.slash("voices delete", voice="Aki")).settled()
        assert "others may see it: ask the operator to have it removed." in asked.content


# Changing and deleting


async def test_a_change_or_deletion_that_fails_leaves_all_as_it_was(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        files, rows = house.traces()
        house.service.fail("PATCH /model/{id}", *[Fault(status=500)] * 3, Fault(status=403))
        house.service.fail("DELETE /model/{id}", *[Fault(status=503)] * 3)

        renamed = await refusal(await scene.alice.slash("voices rename", voice="Aki", name="Bea"))
        edited = await refusal(await scene.alice.slash("voices edit", voice="Aki", visibility="unlist"))
        asked = await (await scene.alice.slash("voices delete", voice="Aki")).settled()
        gone = await scene.alice.click(asked, "Delete it")
        await gone.until(lambda seen: f"{DOWN} (HTTP 503)" in seen.content, PATIENCE)

        assert f"{DOWN} (HTTP 500): {LATER}" in renamed
        assert "ask the operator whose voice it is" in edited
        assert house.traces() == (files, rows)
        (voice,) = await house.voices_of(scene.alice)
        assert (voice.name, voice.visibility, voice.state) == ("Aki", "private", "trained")
        again = await (await scene.alice.slash("voices delete", voice="Aki")).settled()
        gone = await scene.alice.click(again, "Delete it")
        await gone.until(lambda seen: "is deleted for good" in seen.content, PATIENCE)
        assert house.service.voices == {}


async def test_a_voice_that_is_gone_at_its_service_can_be_deleted_here(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        house.service.voices.clear()

        shown = await (await scene.alice.slash("voices show")).settled()
        asked = await (await scene.alice.slash("voices delete", voice="Aki")).settled()
        gone = await scene.alice.click(asked, "Delete it")
        await gone.until(lambda seen: "is deleted for good" in seen.content, PATIENCE)

        assert f"What went wrong: {GONE}" in shown.text
        assert house.rows()["voices"] == 0
