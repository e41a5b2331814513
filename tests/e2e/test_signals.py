"""The bot as a process of its own is stopped while it speaks: what was not said is said after the next start, once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.booth import asked, clean, said, says, speak, speaking, understood
from tests.e2e.ears import Recogniser
from tests.e2e.process import Apart
from tests.e2e.stage import PATIENCE, Scene, eventually, over

pytestmark = pytest.mark.asyncio(loop_scope="function")

LINE = (2, 4, 3)


@pytest.fixture
async def apart(tmp_path: Path) -> AsyncIterator[Apart]:
    async with Apart(tmp_path / "data", providers=("openai",), cache_mb=0) as house:
        house.service.speak = speak
        yield house
    assert not house.process.bugs


@pytest.fixture
async def scene(apart: Apart) -> Scene:
    entered = apart.enter()
    await entered.joined(entered.alice)
    return entered


async def test_a_bot_that_is_terminated_ends_its_sentence_and_goes_on_with_the_next_after_its_start(
    apart: Apart, scene: Scene, recogniser: Recogniser
) -> None:
    answer = await speaking(scene, *LINE)
    waiting = await scene.waits(await says(scene.alice, 16))

    apart.process.terminate()

    assert await apart.process.exited(timeout=10.0) == 0
    await scene.quiet()
    for each in (answer, waiting):
        assert each.content == "I am being restarted: your line goes on when I am back."
    before = scene.alice.heard(scene.lounge)
    assert understood(recogniser, before) == said(LINE[:1])
    scene.alice.ears().reset()
    await apart.start()
    await eventually(lambda: apart.rows()["lines"] == 0)
    after = await scene.alice.silence(scene.lounge)
    assert understood(recogniser, after) == said([*LINE[1:], 16])
    for heard in (before, after):
        assert (heard.holes, heard.lost, heard.repeats()) == ((), 0, ())
        clean(heard)


async def _killed(apart: Apart, scene: Scene) -> None:
    apart.process.kill()
    assert await apart.process.exited() == -9
    await scene.until(lambda: not scene.discord.gateway.ready)
    scene.discord.gateway.expire()


async def test_a_bot_that_is_killed_repeats_one_sentence_at_most_and_a_line_that_kills_it_again_is_told_and_left(
    apart: Apart, scene: Scene, recogniser: Recogniser
) -> None:
    await speaking(scene, *LINE, seconds=1.9)
    await eventually(lambda: apart.rows()["lines"] == 1)
    await asyncio.sleep(0.3)  # until what was reached is written down: nobody sees it but the database

    await _killed(apart, scene)
    assert understood(recogniser, scene.alice.heard(scene.lounge))[0] == said(LINE)[0]
    scene.alice.ears().reset()
    await apart.start()
    await scene.alice.hears(scene.lounge, seconds=0.3, timeout=PATIENCE)
    await _killed(apart, scene)
    scene.alice.ears().reset()
    begun = len(asked(apart))
    await apart.start()

    (told,) = await scene.alice.told()
    assert told.content == (
        "I was restarted, and your line was not said to its end: I was stopped twice before it was said. Ask again."
    )
    assert apart.rows()["lines"] == 0
    assert len(asked(apart)) == begun
    await scene.spoken(await says(scene.alice, 16))
    assert understood(recogniser, await scene.alice.silence(scene.lounge)) == said([16])


async def test_a_bot_that_is_killed_goes_on_with_its_whole_queue_after_its_start(
    apart: Apart, scene: Scene, recogniser: Recogniser
) -> None:
    await speaking(scene, 2, seconds=0.4)
    waiting = await scene.waits(await says(scene.alice, 16))
    await eventually(lambda: apart.rows()["lines"] == 2)

    await _killed(apart, scene)
    scene.alice.ears().reset()
    await apart.start()
    await eventually(lambda: apart.rows()["lines"] == 0)

    heard = await scene.alice.silence(scene.lounge)
    assert understood(recogniser, heard) == said([2, 16])
    assert heard.repeats() == ()
    clean(heard)
    assert not over(waiting)


async def test_a_server_that_is_down_at_the_start_hears_its_lines_when_it_is_back(
    apart: Apart, scene: Scene, recogniser: Recogniser
) -> None:
    await speaking(scene, 2, seconds=0.4)
    await eventually(lambda: apart.rows()["lines"] == 1)
    await _killed(apart, scene)
    scene.alice.ears().reset()
    scene.guild.goes_down()
    (apart.folder / "alive").unlink(missing_ok=True)
    await apart.start()
    await eventually((apart.folder / "alive").exists)  # lines are taken up when it is ready
    other = apart.enter("Elsewhere")
    await other.joined(other.alice)
    await other.spoken(await says(other.alice, 3))
    assert scene.alice.direct_messages == []

    scene.guild.comes_back()

    assert understood(recogniser, await scene.alice.silence(scene.lounge)) == said([2])
