"""How a line is answered to its asker, whichever command asked for it."""

import pytest

from bot.playback import Played, VocalChannel
from playground.discord import Guild, Member
from tests.unit.cogs.booth import Booth, line_in


@pytest.mark.parametrize(
    ("position", "turn"),
    [(0, "speaks next"), (1, "speaks after 1 other"), (2, "speaks after 2 others")],
)
async def test_a_member_is_told_when_their_turn_comes(
    booth: Booth, alice: Member, channel: VocalChannel, position: int, turn: str
) -> None:
    booth.lately, booth.position = (line_in(channel),), position
    booth.speak(line_in(channel))

    answer = await alice.slash("replay")
    await answer.until(lambda seen: "speaks" in seen.content)

    assert answer.content == f"Aki {turn} in {channel.mention}. /stop ends it."


async def test_a_line_that_is_over_already_is_not_announced(
    booth: Booth, guild: Guild, alice: Member, channel: VocalChannel
) -> None:
    booth.lately, booth.played = (line_in(channel),), Played(packets=50, stopped=False)

    answer = await alice.slash("replay")
    await answer.until(lambda seen: " spoke in " in seen.content)

    assert answer.content == f"Aki spoke in {channel.mention} for 1.0 s."
    assert guild.text_channel.messages == []


async def test_a_line_that_was_stopped_before_its_turn_is_told_so(
    booth: Booth, alice: Member, channel: VocalChannel
) -> None:
    booth.lately, booth.played = (line_in(channel),), Played(packets=0, stopped=True)

    answer = await alice.slash("replay")
    await answer.until(lambda seen: "stopped" in seen.content)

    assert answer.content == "Your line was stopped before its first word."
