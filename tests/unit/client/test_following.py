"""A line followed to its end for its asker, and answers that do not wait for Discord."""

import asyncio
import inspect
from typing import cast

import pytest

from bot.client import Bot, follow
from bot.errors import PlaybackError
from bot.playback import Played
from playground.discord import Discord, Member
from tests.unit.client.conftest import Journal
from tests.unit.client.stage import Stage


def _stage(bot: Bot) -> Stage:
    """Give the cog, which discord.py loaded from a module object of its own."""
    return cast("Stage", bot.get_cog("Stage"))


async def test_news_stand_under_the_promise_until_the_outcome_takes_their_place(bot: Bot, alice: Member) -> None:
    shown: list[str] = []
    answer = await alice.slash("promise")
    await answer.until(lambda seen: seen.content == "It comes.")
    ticket = _stage(bot).ticket

    for news in ("It is held up.", "It goes on."):
        ticket.tell(news)
        await answer.until(lambda seen, news=news: news in seen.content)
        shown.append(answer.content)
    ticket.settle(Played(packets=50, stopped=False))
    await answer.until(lambda seen: "packets" in seen.content)
    shown.append(answer.content)

    assert shown == ["It comes.\nIt is held up.", "It comes.\nIt goes on.", "50 packets."]
    assert (answer.followups, alice.direct_messages) == ([], [])


async def test_a_line_that_fails_in_time_is_told_in_its_answer(bot: Bot, alice: Member) -> None:
    answer = await alice.slash("promise")
    await answer.until(lambda seen: seen.content == "It comes.")

    _stage(bot).ticket.reject(PlaybackError("Nobody is there: join."))

    await answer.until(lambda seen: seen.content == "Nobody is there: join.")
    assert alice.direct_messages == []


async def test_a_line_that_fails_too_late_for_its_answer_is_told_by_direct_message(
    house: Discord, bot: Bot, alice: Member
) -> None:
    answer = await alice.slash("promise", patience=0.0)
    await answer.until(lambda seen: seen.content == "It comes.")
    house.clock.advance(16 * 60)

    _stage(bot).ticket.reject(PlaybackError("Nobody is there: join."))

    (told,) = await alice.told()
    assert told.content == "Nobody is there: join."
    assert answer.content == "It comes."


def test_an_answer_is_given_up_before_discord_takes_no_change_of_it_any_more() -> None:
    assert inspect.signature(follow).parameters["patience"].default < 15 * 60


async def test_a_line_that_is_said_late_is_no_reason_to_write(bot: Bot, alice: Member, journal: Journal) -> None:
    answer = await alice.slash("promise", patience=0.0)
    await answer.until(lambda seen: seen.content == "It comes.")

    _stage(bot).ticket.settle(Played(packets=50, stopped=False))
    await alice.slash("fail", how="member")

    assert alice.direct_messages == []
    assert not [record for record in journal.records if record.levelno >= 30]


async def test_work_goes_on_while_discord_is_told_that_the_answer_comes(bot: Bot, alice: Member) -> None:
    stage = _stage(bot)
    stage.deferred = None

    answer = await alice.slash("hurry")

    await answer.until(lambda seen: seen.content == "Done.")
    assert answer.deferred
    assert answer.ephemeral
    assert stage.deferred is False


async def test_what_fails_before_discord_was_told_is_answered_all_the_same(bot: Bot, alice: Member) -> None:
    answer = await alice.slash("hurry", fails=True)

    await answer.until(lambda seen: seen.content == "There is nothing here: go away.")
    assert answer.deferred
    assert answer.ephemeral


@pytest.mark.parametrize("fails", [True, False])
async def test_where_discord_cannot_be_told_nothing_is_left_behind(
    house: Discord, bot: Bot, alice: Member, journal: Journal, fails: bool
) -> None:
    house.rest.hitches.fail("callback", status=400, times=9)

    with pytest.raises(Exception, match="did not respond"):
        async with asyncio.timeout(10):
            await alice.slash("hurry", fails=fails)

    await journal.tells("could not be answered")
