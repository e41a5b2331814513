"""A voice connection that breaks in the middle of a line: what a listener hears, and what the asker reads."""

import asyncio
import math

import pytest

from playground.discord.voice.transport import XCHACHA
from tests.e2e.booth import clean, said, says, speaking, understood
from tests.e2e.ears import Recogniser
from tests.e2e.stage import PATIENCE, House, Scene, over

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = (2, 4)


async def test_a_connection_closed_in_mid_sentence_costs_no_word_whatever_the_code(
    booth: House, stall: Scene, recogniser: Recogniser
) -> None:
    codes = (4006, 4009, 4014, 4015, 4017, 1006)
    scenes = {code: stall if code == codes[0] else booth.enter() for code in codes}

    async def breaks(code: int, scene: Scene) -> float:
        await scene.joined(scene.alice)
        answer = await speaking(scene, *LINE)
        scene.guild.close_voice(code)
        await scene.spoken(answer)
        await scene.alice.silence(scene.lounge)
        return float(answer.content.split()[-2])

    told = await asyncio.gather(*(breaks(code, scene) for code, scene in scenes.items()))

    for (code, scene), seconds in zip(scenes.items(), told, strict=True):
        heard = scene.alice.heard(scene.lounge)
        parts = understood(recogniser, heard)
        assert parts[-1] == said(LINE)[-1], (code, parts)
        assert heard.seconds > seconds - 0.2, code
        if code in {1006, 4015}:  # resumed: the sentence goes on with its next packet, wherever in a word that is
            assert heard.repeats() == (), code
        else:
            assert parts[-2:] == said(LINE), (code, parts)
            assert len(parts) <= 3, (code, parts)
        clean(heard)
        assert scene.lounge.present == ["alice", "Mynah"]
        await scene.alice.leaves()


async def test_a_server_that_refuses_to_take_the_bot_back_at_once_is_asked_again(
    stall: Scene, recogniser: Recogniser
) -> None:
    answer = await speaking(stall, *LINE)
    stall.discord.refuse_voice(4006)

    stall.guild.close_voice(4006)
    await stall.spoken(answer)

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard)[-2:] == said(LINE)
    clean(heard)


async def test_a_lost_answer_to_the_first_datagram_is_asked_for_again(stall: Scene, recogniser: Recogniser) -> None:
    stall.discord.voice.faults.lose_discovery = 1

    await stall.spoken(await says(stall.alice, 3))

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said([3])
    clean(heard)
    assert stall.discord.voice.faults.lose_discovery == 0


async def test_a_voice_server_without_aes_is_spoken_to_in_the_other_encryption(
    stall: Scene, recogniser: Recogniser
) -> None:
    offered = stall.discord.voice.faults.modes
    stall.discord.voice.faults.modes = (XCHACHA,)
    try:
        await stall.spoken(await says(stall.alice, 3))
    finally:
        stall.discord.voice.faults.modes = offered

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said([3])
    clean(heard)


async def test_keys_that_come_late_cost_no_word(stall: Scene, recogniser: Recogniser) -> None:
    stall.discord.voice.faults.group_delay = 0.5
    try:
        await stall.spoken(await says(stall.alice, 3))
    finally:
        stall.discord.voice.faults.group_delay = 0.0

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said([3])
    clean(heard)


async def test_keys_that_never_come_are_told_with_the_cure_and_the_next_line_is_said(
    stall: Scene, recogniser: Recogniser
) -> None:
    stall.discord.voice.faults.group_delay = math.inf
    try:
        answer = await says(stall.alice, 3)
        await answer.until(over, PATIENCE)
    finally:
        stall.discord.voice.faults.group_delay = 0.0

    assert answer.content == (
        "The encryption of #Lounge was not ready in time: ask again, or change the channel's region if it stays so."
    )
    await stall.spoken(await says(stall.alice, 4))
    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said([4])
    clean(heard)


@pytest.mark.parametrize("gone_first", [False, True])
async def test_a_call_whose_region_changes_costs_no_word(
    stall: Scene, recogniser: Recogniser, gone_first: bool
) -> None:
    answer = await speaking(stall, *LINE)

    if gone_first:
        stall.guild.lose_voice_server()
    stall.guild.give_voice_server()
    await stall.spoken(answer)

    heard = await stall.alice.silence(stall.lounge)
    parts = understood(recogniser, heard)
    assert parts[-2:] == said(LINE)
    assert len(parts) <= 3
    clean(heard)
