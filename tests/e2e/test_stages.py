"""Stage channels, where the bot arrives in the audience: it asks, lifts itself, is sent back, and is heard."""

import pytest

from playground.discord import Room
from tests.e2e.booth import clean, said, says, understood
from tests.e2e.ears import Recogniser
from tests.e2e.stage import PATIENCE, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = (2, 4)


@pytest.fixture
async def podium(stall: Scene) -> Room:
    """A stage on which alice listens and the bot may raise its hand."""
    stage = stall.guild.add_stage_channel("Podium")
    stall.guild.allow(stage, "REQUEST_TO_SPEAK", to=stall.guild.bot)
    await stall.joined(stall.alice, room=stage)
    return stage


def _asks(scene: Scene) -> bool:
    state = scene.discord.world.calls.state(scene.guild.id, scene.guild.bot.id)
    return state is not None and state.asked_at is not None and state.suppress


async def test_it_asks_to_speak_and_speaks_when_a_moderator_lets_it(
    stall: Scene, podium: Room, recogniser: Recogniser
) -> None:
    answer = await says(stall.alice, 3)
    await stall.until(lambda: _asks(stall))

    stall.guild.invite_to_speak(stall.guild.bot)
    await stall.spoken(answer)

    heard = await stall.alice.silence(podium)
    assert understood(recogniser, heard) == said([3])
    assert heard.hushed == 0


async def test_it_lifts_itself_where_it_may_mute_members(stall: Scene, podium: Room, recogniser: Recogniser) -> None:
    stall.guild.allow(podium, "MUTE_MEMBERS", to=stall.guild.bot)

    await stall.spoken(await says(stall.alice, 3))

    heard = await stall.alice.silence(podium)
    assert understood(recogniser, heard) == said([3])
    assert heard.hushed == 0
    assert podium.speakers == ["Mynah"]


@pytest.mark.parametrize("lifts", [False, True])
async def test_sent_back_to_the_audience_in_mid_sentence_it_says_the_sentence_when_it_may(
    stall: Scene, podium: Room, recogniser: Recogniser, lifts: bool
) -> None:
    answer = await says(stall.alice, *LINE)
    await stall.until(lambda: _asks(stall))
    stall.guild.invite_to_speak(stall.guild.bot)
    await stall.alice.hears(podium, seconds=0.3)
    if lifts:
        stall.guild.allow(podium, "MUTE_MEMBERS", to=stall.guild.bot)

    stall.guild.send_to_audience(stall.guild.bot)
    if not lifts:
        await stall.until(lambda: _asks(stall))
        stall.guild.invite_to_speak(stall.guild.bot)
    await stall.spoken(answer)

    parts = understood(recogniser, await stall.alice.silence(podium))
    assert parts[-2:] == said(LINE)
    assert len(parts) <= 3


async def test_moved_onto_a_stage_it_goes_on_when_it_may_speak_there(
    stall: Scene, podium: Room, recogniser: Recogniser
) -> None:
    await stall.joined(stall.bob)
    answer = await says(stall.bob, *LINE)
    await stall.bob.hears(stall.lounge, seconds=0.3)

    stall.guild.move(stall.guild.bot, podium)
    await stall.until(lambda: _asks(stall))
    stall.guild.invite_to_speak(stall.guild.bot)
    await stall.spoken(answer)

    heard = await stall.alice.silence(podium)
    assert understood(recogniser, heard)[-2:] == said(LINE)
    clean(heard)


async def test_who_brings_it_onto_a_stage_reads_that_it_sits_in_the_audience(stall: Scene, podium: Room) -> None:
    joined = await (await stall.alice.slash("join")).settled(PATIENCE)

    audience = "in the audience: I ask to speak as soon as there is something to say."
    assert joined.content == f"I am in {podium.mention}, {audience}"


async def test_a_voice_test_on_a_stage_asks_to_speak_and_its_chime_is_heard(stall: Scene, podium: Room) -> None:
    answer = await stall.alice.slash("voicetest")
    await answer.until(lambda seen: "I asked to speak in #Podium" in seen.content, PATIENCE)
    await stall.until(lambda: _asks(stall))

    stall.guild.invite_to_speak(stall.guild.bot)
    await answer.until(lambda seen: "All of that is well" in seen.content, PATIENCE)

    heard = stall.alice.heard(podium)
    assert 0.9 < heard.seconds < 1.3
    assert heard.hushed == 0
