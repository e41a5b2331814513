"""What Discord was asked about where the bot is to be, and when it has answered."""

import asyncio

from bot.playback.wishes import Wishes


async def test_it_is_settled_when_the_last_wish_was_answered_and_not_before() -> None:
    asked = Wishes()
    for inside in (False, True, False):
        asked.ask(inside=inside)
    waiting = asyncio.create_task(asked.settled())
    seen = []

    for inside in (False, True, False):
        await asyncio.sleep(0)
        seen.append(waiting.done())
        asked.answer(inside=inside)
    await waiting

    assert seen == [False, False, False]


async def test_an_answer_tells_that_the_wishes_before_it_get_none() -> None:
    asked = Wishes()
    asked.ask(inside=False)
    asked.ask(inside=True)

    asked.answer(inside=True)

    assert not asked.open
    await asked.settled()


async def test_what_nobody_asked_for_answers_nothing() -> None:
    asked = Wishes()
    asked.ask(inside=True)

    asked.answer(inside=False)

    assert asked.open


async def test_a_wish_that_gets_no_answer_is_waited_for_once() -> None:
    asked = Wishes(answer_seconds=0.05)
    asked.ask(inside=True)
    late = asyncio.create_task(asked.settled())
    await asyncio.sleep(0)
    assert not late.done()

    await late

    assert not asked.open
