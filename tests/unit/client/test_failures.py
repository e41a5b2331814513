"""How failures are answered: one sentence for the member, the rest for the operator."""

import asyncio
import logging
import re

import aiohttp
import aiohttp.abc
import pytest

from bot.client import Bot
from playground.discord import Discord, Guild, Member, UnansweredError
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
    assert answer.files == {}
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


async def test_a_command_for_servers_says_so(alice: Member) -> None:
    answer = await alice.slash("fail", how="private")

    assert answer.content == "That works in a server only: use it there."


async def test_a_command_that_is_no_longer_there_says_what_to_do(bot: Bot, alice: Member) -> None:
    bot.tree.remove_command("show")

    answer = await alice.slash("show")

    assert answer.content == "That command has changed: restart Discord (Ctrl+R) and try again."


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

    answer = await alice.slash("fail", how="member", after="thinking")

    record = await journal.tells(f"could not be answered: HTTP {status}")
    assert record.levelno == logging.WARNING
    assert [each for each in journal.records if each.levelno > logging.WARNING] == []
    assert (answer.content, answer.followups) == ("", [])
    assert (await alice.slash("fail", how="member")).content == "You are not in a voice channel: join one."


async def test_a_listener_that_fails_is_logged(guild: Guild, alice: Member, journal: Journal) -> None:
    await alice.joins(guild.add_voice_channel("Lounge"))

    record = await journal.tells("bug in on_voice_state_update")
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[0] is LookupError
    assert FRUIT not in record.getMessage()


async def test_a_failure_that_meets_a_broken_network_is_logged_and_goes_no_further(
    house: Discord, bot: Bot, alice: Member, journal: Journal
) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Nowhere())) as offline:
        # an interaction answers through the session that the client has when it comes
        online, bot.http._HTTPClient__session = bot.http._HTTPClient__session, offline
        asking = asyncio.create_task(alice.slash("fail", how="member"))
        await journal.tells("could not be answered: ClientConnectorDNSError")
        house.clock.advance(4)
        with pytest.raises(UnansweredError):
            await asking
        bot.http._HTTPClient__session = online


class Nowhere(aiohttp.abc.AbstractResolver):
    """Knows no host."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[aiohttp.abc.ResolveResult]:
        raise OSError(host)

    async def close(self) -> None:
        """Hold nothing."""
