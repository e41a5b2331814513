"""How failures are answered: one sentence for the member, the rest for the operator."""

import logging
import re

import pytest

from playground.discord import Discord, Guild, Member
from tests.unit.client.conftest import Journal
from tests.unit.client.stage import FRUIT

pytestmark = pytest.mark.usefixtures("bot")

NEUTRAL = re.compile(r"Something broke on my side and was written down as ([0-9a-f]{8}): .+\.")


@pytest.mark.parametrize("after", ["nothing", "thinking", "edit"])
async def test_a_failure_meant_for_members_takes_the_place_of_the_answer(alice: Member, after: str) -> None:
    answer = await alice.slash("fail", how="member", after=after)
    await answer.until(lambda seen: "voice channel" in seen.content)

    assert answer.content == "You are not in a voice channel: join one."
    assert answer.ephemeral
    assert answer.embeds == []
    assert answer.buttons == []
    assert answer.followups == []


async def test_a_failure_after_an_answer_follows_it(alice: Member) -> None:
    answer = await alice.slash("fail", how="member", after="answer")
    (follow,) = await answer.followed()

    assert answer.content == "Here you are."
    assert follow.content == "You are not in a voice channel: join one."
    assert follow.ephemeral


async def test_a_bug_is_answered_neutrally_and_logged_with_its_traceback_under_the_same_id(
    alice: Member, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await alice.slash("fail", how="bug", after="thinking")
    await answer.settled()

    found = NEUTRAL.fullmatch(answer.content)
    assert found
    assert FRUIT not in answer.content
    (record,) = [record for record in caplog.records if found[1] in record.getMessage()]
    assert record.levelno == logging.ERROR
    assert "in fail" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


async def test_a_failure_meant_for_members_is_no_error_in_the_log(
    alice: Member, caplog: pytest.LogCaptureFixture
) -> None:
    await alice.slash("fail", how="member")

    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_check_that_fails_is_told(alice: Member) -> None:
    answer = await alice.slash("guarded")

    assert answer.content == "You may not do that here."


async def test_a_failed_press_is_answered_like_a_failed_command(alice: Member) -> None:
    answer = await alice.slash("show")

    pressed = await alice.click(answer, "Break")

    assert pressed.content == "There is nothing to press: try /show."
    assert pressed.ephemeral
    assert answer.content == "Press one."


async def test_a_press_that_fails_after_it_changed_the_message_says_so_there(alice: Member) -> None:
    answer = await alice.slash("show")

    await alice.click(answer, "Break late")
    await answer.until(lambda seen: "broke" in seen.content)

    assert answer.content == "It broke while it worked: try /show."
    assert answer.buttons == []


async def test_an_interaction_that_is_gone_is_logged_and_not_answered(alice: Member, journal: Journal) -> None:
    answer = await alice.slash("fail", how="gone", after="answer")

    await journal.tells("was gone")
    assert answer.followups == []


@pytest.mark.parametrize("status", [400, 403])
async def test_a_failure_that_cannot_be_answered_is_logged_and_goes_no_further(
    house: Discord, alice: Member, journal: Journal, status: int
) -> None:
    house.rest.hitches.fail(r"PATCH .*/messages/@original", status=status)

    await alice.slash("fail", how="member", after="thinking")

    await journal.tells(f"could not be answered: HTTP {status}")


async def test_a_listener_that_fails_is_logged(guild: Guild, alice: Member, journal: Journal) -> None:
    await alice.joins(guild.add_voice_channel("Lounge"))

    await journal.tells("bug in on_voice_state_update")
