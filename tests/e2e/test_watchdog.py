"""Nothing is taken for said that nobody can have heard: packets that are refused, announcements that are lost."""

import pytest

from tests.e2e.booth import clean, said, says, speaking, understood
from tests.e2e.ears import Recogniser
from tests.e2e.stage import PATIENCE, Scene, over

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = (2, 4)


async def test_a_line_whose_packets_are_refused_from_the_middle_on_is_said_again_from_the_sentence_that_was_cut(
    stall: Scene, recogniser: Recogniser
) -> None:
    answer = await speaking(stall, *LINE)

    stall.discord.voice.move_port()
    await stall.spoken(answer)

    heard = await stall.alice.silence(stall.lounge)
    parts = understood(recogniser, heard)
    assert parts[-2:] == said(LINE)
    assert len(parts) <= 3
    clean(heard)
    assert stall.lounge.present == ["alice", "Mynah"]


async def test_a_short_line_whose_every_packet_is_refused_is_not_taken_for_said(
    stall: Scene, recogniser: Recogniser
) -> None:
    await stall.spoken(await says(stall.alice, 3))
    await stall.alice.silence(stall.lounge)
    stall.alice.ears().reset()

    stall.discord.voice.move_port()
    await stall.spoken(await says(stall.alice, 4))

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said([4])
    assert heard.repeats() == ()
    clean(heard)


async def test_packets_that_are_refused_again_are_told_with_the_cure_and_the_next_line_is_said(
    stall: Scene, recogniser: Recogniser
) -> None:
    answer = await speaking(stall, *LINE)
    stall.discord.voice.move_port()
    await stall.quiet()
    stall.alice.ears().reset()
    await stall.alice.hears(stall.lounge, seconds=0.4)

    stall.discord.voice.move_port()
    await answer.until(over, PATIENCE)

    assert answer.content == (
        "My packets did not get through to #Lounge, twice: ask again, or change the channel's region."
    )
    await stall.quiet()
    stall.alice.ears().reset()
    await stall.spoken(await says(stall.alice, 3))
    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said([3])
    clean(heard)


async def test_an_announcement_that_the_voice_server_loses_costs_no_word(stall: Scene, recogniser: Recogniser) -> None:
    stall.discord.voice.faults.lose_announcements = 1

    await stall.spoken(await says(stall.alice, *LINE))

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said(LINE)
    assert heard.unannounced == ()
    clean(heard)
    assert stall.discord.voice.faults.lose_announcements == 0


async def test_an_announcement_that_meets_a_websocket_which_is_closing_costs_no_word(
    stall: Scene, recogniser: Recogniser
) -> None:
    await stall.spoken(await says(stall.alice, 3))
    await stall.alice.silence(stall.lounge)
    stall.alice.ears().reset()
    stall.discord.refuse_voice(4006)

    stall.guild.close_voice(4006)
    await stall.spoken(await says(stall.alice, *LINE))

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard)[-2:] == said(LINE)
    assert heard.unannounced == ()
    clean(heard)
