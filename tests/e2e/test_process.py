"""The bot as a process of its own: it starts, speaks, and ends by signals."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground.services.gate import Gate
from playground.services.service import Fault
from tests.e2e.faults import FISH
from tests.e2e.process import Apart
from tests.e2e.stage import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="function")

LINE = "Susan wants sixteen spoons."


@pytest.fixture
async def apart(tmp_path: Path) -> AsyncIterator[Apart]:
    async with Apart(tmp_path / "data", providers=("fish",)) as house:
        yield house
    assert not house.process.bugs


async def test_a_bot_that_is_terminated_is_heard_before_leaves_the_channel_and_ends_well(apart: Apart) -> None:
    scene = apart.enter()
    await scene.clones()
    await scene.joined(scene.bob, scene.alice)
    await scene.spoken(await scene.alice.slash("say", text=LINE))
    heard = await scene.bob.silence(scene.lounge)
    assert heard.seconds == pytest.approx(0.06 * len(LINE), abs=0.2)
    assert (heard.clear_packets, heard.lost, heard.holes, heard.unannounced) == (0, 0, (), ())
    assert scene.lounge.present == ["bob", "alice", "Mynah"]

    apart.process.terminate()

    assert await apart.process.exited(timeout=10.0) == 0
    await scene.quiet()
    assert scene.lounge.present == ["bob", "alice"]
    assert "stopped" in apart.process.output


async def test_a_bot_that_is_killed_while_it_speaks_is_silent_and_speaks_again_after_its_restart(apart: Apart) -> None:
    scene = apart.enter()
    await scene.clones()
    await scene.joined(scene.alice)
    gate = Gate(after=6_000)
    apart.service.fail(FISH, Fault(gate=gate))
    await scene.alice.slash("say", text=LINE * 4)
    await gate.reached(PATIENCE)
    await scene.alice.hears(scene.lounge, seconds=0.1)

    apart.process.kill()

    assert await apart.process.exited() == -9
    await scene.discord.world.events.bell.until(lambda: not scene.discord.gateway.ready)
    scene.discord.gateway.expire()
    assert scene.lounge.present == ["alice"]
    await apart.process.restart()
    scene.alice.ears().reset()
    await scene.spoken(await scene.alice.slash("say", text=LINE))
    assert (await scene.alice.silence(scene.lounge)).seconds > 1.0
