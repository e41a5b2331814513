"""The main gateway breaks, or a server has an outage, while the bot speaks: what a listener hears."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.e2e.booth import clean, said, says, speaking, understood
from tests.e2e.ears import Recogniser
from tests.e2e.stage import PATIENCE, House, Scene, over

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = (2, 4)
Fault = Callable[[Scene], AsyncIterator[None]]


async def _resumes(scene: Scene) -> AsyncIterator[None]:
    resumed = scene.discord.gateway.resumed
    scene.discord.gateway.drop()
    yield
    await scene.until(lambda: scene.discord.gateway.resumed > resumed)


async def _reconnects(scene: Scene) -> AsyncIterator[None]:
    resumed = scene.discord.gateway.resumed
    scene.discord.gateway.ask_to_reconnect()
    yield
    await scene.until(lambda: scene.discord.gateway.resumed > resumed)


async def _is_down(scene: Scene) -> AsyncIterator[None]:
    resumed = scene.discord.gateway.resumed
    async with scene.discord.gateway.down():
        await scene.alice.hears(scene.lounge, seconds=1.0)
    yield
    await scene.until(lambda: scene.discord.gateway.resumed > resumed)


async def _is_forgotten_but_for_the_call(scene: Scene) -> AsyncIterator[None]:
    identified = scene.discord.gateway.identified
    scene.discord.gateway.invalidate(keeps_calls=True)
    yield
    await scene.until(lambda: scene.discord.gateway.identified > identified)


async def _has_an_outage(scene: Scene) -> AsyncIterator[None]:
    scene.guild.goes_down()
    await scene.alice.hears(scene.lounge, seconds=1.0)
    scene.guild.comes_back()
    yield


FAULTS: dict[str, Fault] = {
    "resume": _resumes,
    "reconnect": _reconnects,
    "down": _is_down,
    "forgotten but for the call": _is_forgotten_but_for_the_call,
    "outage": _has_an_outage,
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_line_goes_on_through_what_does_not_touch_its_call_and_the_next_is_said_too(
    stall: Scene, recogniser: Recogniser, fault: str
) -> None:
    answer = await speaking(stall, *LINE)

    async with asynccontextmanager(FAULTS[fault])(stall):
        pass
    await stall.spoken(answer)
    following = await says(stall.alice, 3)
    await stall.spoken(following)

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said([*LINE, 3])
    assert (heard.holes, heard.lost, heard.repeats()) == ((), 0, ())
    clean(heard)


async def test_a_session_that_is_over_ends_the_call_and_the_bot_comes_back_and_says_the_sentence_again(
    stall: Scene, recogniser: Recogniser
) -> None:
    answer = await speaking(stall, *LINE)

    stall.discord.gateway.invalidate()
    assert stall.lounge.present == ["alice"]
    await stall.spoken(answer)
    await stall.spoken(await says(stall.alice, 3))

    heard = await stall.alice.silence(stall.lounge)
    parts = understood(recogniser, heard)
    assert parts[-3:] == said([*LINE, 3])
    assert len(parts) <= 4
    clean(heard)
    assert stall.lounge.present == ["alice", "Mynah"]


@pytest.mark.parametrize("fault", ["forgotten but for the call", "outage"])
async def test_a_right_to_speak_that_was_taken_while_the_bot_was_told_nothing_ends_its_line_with_the_cure(
    stall: Scene, fault: str
) -> None:
    answer = await speaking(stall, *LINE, *LINE)

    if fault == "outage":
        stall.guild.goes_down()
    else:
        stall.discord.gateway.invalidate(keeps_calls=True)
    stall.guild.deny(stall.lounge, "SPEAK", to=stall.guild.bot)
    if fault == "outage":
        stall.guild.comes_back()
    await answer.until(over, PATIENCE)

    assert answer.content == "I may not speak in #Lounge: give me Connect and Speak there."


async def test_after_a_new_session_the_bot_sees_who_comes_and_goes(booth: House, stall: Scene) -> None:
    await stall.spoken(await says(stall.alice, 3))
    identified = booth.discord.gateway.identified
    booth.discord.gateway.invalidate(keeps_calls=True)
    await stall.until(lambda: booth.discord.gateway.identified > identified)
    await stall.spoken(await says(stall.alice, 3))

    await stall.bob.joins(stall.lounge)
    await stall.alice.leaves()
    await stall.spoken(await says(stall.bob, 3))
    assert stall.lounge.present == [stall.bot_name, "bob"]
    await stall.bob.leaves()

    await stall.quiet()
    assert stall.lounge.present == []
