"""What a member reads when a voice service fails them, and that voice and money are accounted for."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest

from bot.settings import ProviderName
from playground.services.service import Fault
from playground.services.sound import Form, babble, encode
from tests.e2e.conftest import NewHouse
from tests.e2e.ears import ends
from tests.e2e.faults import (
    DOWN,
    FISH,
    LATER,
    LINE,
    PAGE,
    ROUTES,
    ROWS,
    SECRETS,
    Row,
    count_asked,
    endless,
    first_second,
)
from tests.e2e.stage import PATIENCE, QUICK, Scene, over, refusal

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("discreet")]


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_a_line_that_cannot_be_spoken_is_told_with_its_cure_and_nothing_is_lost(
    new_house: NewHouse, row: Row
) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        row.break_it(house.service)
        files, asked, credit = house.files(), count_asked(house, FISH), dict(house.service.keys)

        answer = await scene.alice.slash("say", text=LINE, where="file")
        told = await refusal(answer)

        assert not [phrase for phrase in row.told if phrase not in told], told
        assert not [secret for secret in SECRETS if secret in told]
        assert "\n" not in told
        assert len(told) < 250
        assert answer.followups == []
        assert count_asked(house, FISH) - asked == row.asked
        assert house.service.keys == credit
        (voice,) = await house.voices_of(scene.alice)
        assert (voice.state, voice.use_count) == (row.state, 0)
        assert house.files() == files


@pytest.mark.parametrize("form", get_args(Form))
async def test_sound_without_end_is_given_up_in_every_format(new_house: NewHouse, form: Form) -> None:
    async with new_house(providers=("fish",), chosen={"format": form}) as house:
        scene = house.enter()
        await scene.clones()
        house.service.fail(FISH, endless(form))

        assert "Fish Audio speaks without end" in await refusal(await scene.alice.slash("say", text=LINE, where="file"))


async def test_a_busy_service_is_asked_again_and_the_member_hears_nothing_of_it(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        asked, spoken = count_asked(house, FISH), len(house.service.spoken)
        house.service.fail(FISH, Fault(status=429, headers={"Retry-After": "0"}), Fault(status=503))

        await scene.says(LINE)

        assert count_asked(house, FISH) - asked == 3
        assert len(house.service.spoken) - spoken == 1
        (voice,) = await house.voices_of(scene.alice)
        assert voice.use_count == 1


async def test_a_first_byte_that_does_not_come_is_waited_for_so_long_and_told(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        house.patience = replace(QUICK, first_byte=0.2)
        await house.restart()
        asked = count_asked(house, FISH)
        house.service.fail(FISH, Fault(hangs=True))

        told = await refusal(await scene.alice.slash("say", text=LINE, where="file"))

        assert told == "Fish Audio cannot be reached or did not answer in time: try again in a few minutes."
        assert count_asked(house, FISH) - asked == 1


async def test_a_line_cut_after_a_second_is_heard_once_so_far_and_its_end_is_told(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await scene.clones()
        await scene.joined(scene.bob, scene.alice)
        service, credit = house.service, house.service.keys["good-key"]
        asked, spoken = count_asked(house, FISH), len(service.spoken)
        service.gate, service.portion = asyncio.Event(), first_second(encode(babble(LINE), "opus"))

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
        assert count_asked(house, FISH) - asked == 1
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
        asked, house.service.live_cut_after = count_asked(house, "GET /v1/tts/live"), 1

        told = await refusal(await scene.alice.slash("say", text=f"{LINE} {LINE}", where="file"))

        assert told == "The sound from Fish Audio broke off in the middle: say it again."
        assert count_asked(house, "GET /v1/tts/live") - asked == 1


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
            before = count_asked(house, ROUTES[name])
            sentence = await refusal(await scene.alice.slash("say", text=LINE, where="file", **options))
            told.append((count_asked(house, ROUTES[name]) - before, sentence))

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
        asked, paid, links = count_asked(house, "POST /fish/tts"), len(house.service.spoken), len(results.asked)

        told = await refusal(await scene.alice.slash("say", text=LINE, where="file"))

        assert phrase in told
        assert "http" not in told.replace("HTTP", "")
        assert count_asked(house, "POST /fish/tts") - asked == 1
        assert len(house.service.spoken) - paid == 1
        assert len(results.asked) - links == fetched
        assert results.strangers == []
        (voice,) = await house.voices_of(scene.alice)
        assert voice.state == "trained"
