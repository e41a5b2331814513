"""A voice connection that breaks in the middle of a line: what a listener hears, and what the asker reads."""

import pytest

from tests.e2e.booth import clean, said, speaking, understood
from tests.e2e.ears import Recogniser
from tests.e2e.stage import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = (2, 4)


@pytest.mark.parametrize("code", [4006, 4009, 4014, 4015, 4017, 1006])
async def test_a_connection_closed_in_mid_sentence_costs_no_word(
    stall: Scene, recogniser: Recogniser, code: int
) -> None:
    answer = await speaking(stall, *LINE)

    stall.guild.close_voice(code)
    await stall.spoken(answer)

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard)[-1] == said(LINE)[-1]
    assert clean(heard)
