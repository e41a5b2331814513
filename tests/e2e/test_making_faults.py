"""What a member reads when a voice cannot be made, changed or deleted at its service; nothing is lost or doubled."""

from dataclasses import replace

import pytest

from bot.settings import ProviderName
from playground.discord import Answer
from playground.services.service import Fault
from tests.e2e.conftest import NewHouse
from tests.e2e.faults import (
    DOWN,
    GONE,
    LATER,
    LINE,
    LOST,
    MAKE,
    ROWS,
    count_asked,
)
from tests.e2e.stage import PATIENCE, QUICK, refusal

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("discreet")]


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
        assert count_asked(house, route) == 1
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
        assert count_asked(house, MAKE) == 1
        assert count_asked(house, "GET /model") >= 1
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
        assert count_asked(house, "POST /v4beta/model") == 1
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
        assert count_asked(house, MAKE) == 1
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
