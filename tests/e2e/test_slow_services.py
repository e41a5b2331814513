"""A service that stalls, dies or is slow in the middle of a line: nothing is heard twice, and the next line is said."""

import pytest

from tests.e2e.booth import asked, clean, hold, said, says, text, understood
from tests.e2e.ears import Recogniser, sentence
from tests.e2e.stage import PATIENCE, House, Scene, over

pytestmark = pytest.mark.asyncio(loop_scope="session")

IN_THE_MIDDLE = 6_000
"""Bytes: about 0.7 s of sound."""


async def test_a_service_that_stalls_in_mid_sentence_makes_a_pause_and_repeats_and_loses_nothing(
    booth: House, stall: Scene
) -> None:
    gate = hold(booth, after=IN_THE_MIDDLE)
    answer = await says(stall.alice, 2)
    await gate.reached(PATIENCE)
    await stall.alice.silence(stall.lounge)
    assert 10 < stall.alice.heard(stall.lounge).packets < 60

    gate.open()
    await stall.spoken(answer)
    stalled = await stall.alice.silence(stall.lounge)
    clean(stalled)
    stall.alice.ears().reset()
    await stall.spoken(await says(stall.alice, 2))

    usual = await stall.alice.silence(stall.lounge)
    assert [frame.opus for frame in stalled.spoken] == [frame.opus for frame in usual.spoken]
    assert usual.holes == ()
    assert asked(booth) == [sentence(2), sentence(2)]


async def test_a_service_that_dies_in_mid_sentence_is_told_and_the_next_line_is_said(
    booth: House, stall: Scene, recogniser: Recogniser
) -> None:
    gate = hold(booth, after=IN_THE_MIDDLE, spared=1)
    answer = await says(stall.alice, 2, 4, 3)
    following = await stall.waits(await says(stall.alice, 16))

    gate.cut()
    await answer.until(over, PATIENCE)
    await stall.spoken(following)

    assert answer.content.endswith("broke off in the middle: say it again.")
    heard = await stall.alice.silence(stall.lounge)
    parts = understood(recogniser, heard)
    assert (parts[0], parts[-1]) == tuple(said([2, 16]))
    assert heard.repeats() == ()
    clean(heard)
    assert asked(booth)[:2] == [sentence(2), sentence(4)]
    assert asked(booth)[-1] == sentence(16)
    assert sentence(3) not in asked(booth)


async def test_a_slow_first_byte_holds_its_own_server_and_no_other(
    booth: House, stall: Scene, recogniser: Recogniser
) -> None:
    gate = hold(booth)
    slow = await says(stall.alice, 2)
    await gate.reached(PATIENCE)
    waiting = await stall.waits(await says(stall.alice, 4))
    other = booth.enter("Elsewhere")
    await other.joined(other.alice)

    await other.spoken(await says(other.alice, 3))

    assert understood(recogniser, await other.alice.silence(other.lounge)) == said([3])
    assert stall.alice.heard(stall.lounge).packets == 0
    gate.open()
    for each in (slow, waiting):
        await stall.spoken(each)
    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said([2, 4])
    assert heard.repeats() == ()
    await other.alice.leaves()
    await other.quiet()


async def test_the_next_sentence_is_asked_for_while_one_is_said_and_no_pause_is_longer_than_a_breath(
    booth: House, stall: Scene, recogniser: Recogniser
) -> None:
    await stall.spoken(await says(stall.alice, 2, 4, 3))

    heard = await stall.alice.silence(stall.lounge)
    assert understood(recogniser, heard) == said([2, 4, 3])
    assert (heard.holes, heard.lost, heard.repeats()) == ((), 0, ())
    assert " ".join(asked(booth)) == text(2, 4, 3)
