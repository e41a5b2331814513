"""Voices that take their time: followed until they are made, across restarts, and their owners told."""

import logging
from typing import Any

import pytest

from bot.settings import ProviderName
from playground.services.service import Fault
from tests.e2e.conftest import NewHouse
from tests.e2e.stage import PATIENCE, House, Scene, eventually, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = "Lucy has seven tables."
PENDING = "Aki is being made. /voices show tells when it is ready."
NEVER = 1_000_000
"""Reads that nobody makes."""


async def _training(scene: Scene) -> Any:
    """Have alice clone a recording with a service that is not done with it, and return the answer that says so."""
    scene.house.service.trained_after = NEVER
    answer = await scene.confirms()
    return await answer.until(lambda seen: seen.content == PENDING, PATIENCE)


async def _state(house: House, scene: Scene) -> str:
    (voice,) = await house.voices_of(scene.alice)
    return voice.state


def _reads(house: House) -> int:
    return sum(asked.method == "GET" and "/model/" in asked.path for asked in house.service.asked)


@pytest.mark.parametrize("name", ["fish", "acedata"])
async def test_the_answer_to_clone_changes_when_the_voice_is_ready(new_house: NewHouse, name: ProviderName) -> None:
    async with new_house(providers=(name,)) as house:
        scene = house.enter()
        answer = await _training(scene)
        assert "State: being made" in (await (await scene.alice.slash("voices show")).settled()).text
        listed = await (await scene.alice.slash("voices list")).settled()
        assert "**Aki**: being made" in listed.text
        told = await refusal(await scene.alice.slash("say", text=LINE, where="file"))
        assert told == "Aki is not ready yet: try again in a minute."

        house.service.trained_after = 1
        await answer.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)

        assert answer.content == "Aki is ready: try /say."
        assert "State: ready" in answer.text
        assert await _state(house, scene) == "trained"
        assert scene.alice.direct_messages == []
        await scene.says(LINE)


async def test_a_voice_is_looked_at_again_and_again_until_it_is_made_and_not_after(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        house.service.trained_after = 4

        answer = await scene.confirms()
        await answer.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)

        assert _reads(house) == 4
        assert house.service.count("POST", "/model") == 1


async def test_a_service_that_fails_meanwhile_is_asked_again_later(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        house.service.fail("GET /model/{id}", *[Fault(status=502)] * 7)
        house.service.trained_after = 2

        answer = await scene.confirms()
        await answer.until(lambda seen: "aki.ogg" in seen.files, PATIENCE)

        assert answer.content == "Aki is ready: try /say."
        assert house.service.faults["GET /model/{id}"] == []


async def test_a_voice_that_is_asked_to_speak_when_it_is_ready_speaks_though_nobody_said_so_yet(
    new_house: NewHouse,
) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await _training(scene)
        house.service.trained_after = 1

        await scene.says(LINE)

        assert await _state(house, scene) == "trained"


async def test_a_failure_is_told_with_the_services_reason(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        house.service.training_fault = "the recording is too noisy"
        answer = await _training(scene)

        house.service.trained_after = 1
        await answer.until(lambda seen: "could not be made" in seen.content, PATIENCE)

        assert answer.content == (
            "Aki could not be made. The recording is too noisy. /voices delete takes it off your list."
        )
        assert await _state(house, scene) == "failed"
        shown = await (await scene.alice.slash("voices show", voice="Aki")).settled()
        assert "What went wrong: The recording is too noisy." in shown.text
        told = await refusal(await scene.alice.slash("say", text=LINE, voice="Aki", where="file"))
        assert told == "Aki cannot speak. The recording is too noisy. Delete it and clone it again."


@pytest.mark.parametrize("name", ["fish", "acedata"])
async def test_after_a_restart_in_mid_training_the_member_is_told_directly(
    new_house: NewHouse, name: ProviderName
) -> None:
    async with new_house(providers=(name,)) as house:
        scene = house.enter()
        await _training(scene)

        await house.restart()
        house.service.trained_after = 1
        (message,) = await scene.alice.told()

        assert message.content == "Aki is ready: try /say."
        assert not message.pings
        assert scene.bob.direct_messages == []
        assert await _state(house, scene) == "trained"
        await scene.says(LINE)
        assert len(house.service.voices) == 1
        await house.restart()
        await scene.says(LINE)
        assert len(scene.alice.direct_messages) == 1


async def test_after_a_restart_a_failure_is_told_directly_with_its_reason(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        house.service.training_fault = "two people speak"
        await _training(scene)

        await house.restart()
        house.service.trained_after = 1
        (message,) = await scene.alice.told()

        assert message.content == "Aki could not be made. Two people speak. /voices delete takes it off your list."
        assert await _state(house, scene) == "failed"


async def test_after_a_restart_a_voice_that_is_gone_at_its_service_is_told(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await _training(scene)
        await house.stop()
        house.service.voices.clear()

        await house.start()
        (message,) = await scene.alice.told()

        assert message.content.startswith("Aki could not be made. Its service has it no more.")
        assert await _state(house, scene) == "failed"


async def test_a_member_who_takes_no_messages_reads_it_on_the_card(
    new_house: NewHouse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await _training(scene)
        scene.alice.closes_dms()

        await house.restart()
        house.service.trained_after = 1
        await eventually(lambda: "could not be told: HTTP 403" in caplog.text)

        assert scene.alice.direct_messages == []
        assert "State: ready" in (await (await scene.alice.slash("voices show")).settled()).text
        await scene.says(LINE)
        house.service.trained_after = 2
        again = await scene.clones("Bea")
        assert again.content == "Bea is ready: try /say."


async def test_a_voice_that_is_deleted_in_mid_training_is_gone_and_nothing_is_told(new_house: NewHouse) -> None:
    async with new_house(providers=("fish",)) as house:
        scene = house.enter()
        await _training(scene)

        asked = await (await scene.alice.slash("voices delete", voice="Aki")).settled()
        gone = await scene.alice.click(asked, "Delete it")
        await gone.until(lambda seen: "is deleted for good" in seen.content, PATIENCE)

        assert house.service.voices == {}
        assert house.rows()["voices"] == 0
        house.service.trained_after = 2
        await scene.clones("Bea")
        assert scene.alice.direct_messages == []
