"""What everybody sees while the bot speaks: one message for a spell of speaking, with buttons that fit."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import discord
import pytest

from bot.client import Bot
from bot.playback import Line, VocalChannel
from playground.discord import Discord, Guild, Member, Seen
from tests.unit.cogs.booth import Booth, line_in

BUTTONS = ["Pause", "Skip", "Stop", "Queue", "Replay"]
HELD = ["Resume", *BUTTONS[1:]]


def headline(channel: VocalChannel) -> str:
    return f"I am in {channel.mention} and speak in voices made by a machine: /say adds a line."


async def announced(booth: Booth, member: Member, line: Line) -> str:
    """Have a line asked for and announced, and return its id."""
    count = len(booth.panels)
    booth.lately = (line,)
    await member.slash("replay")
    async with asyncio.timeout(10):
        await booth.bell.until(lambda: len(booth.panels) > count)
    return next(reversed(booth.panels))


async def assert_shown(house: Discord, panel: Seen, content: str, buttons: list[str]) -> None:
    """Look at an announcement once it is what it should be, or nothing changes any more."""
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            await house.world.events.bell.until(lambda: (panel.content, panel.buttons) == (content, buttons))
    assert (panel.content, panel.buttons) == (content, buttons)


async def spoken(booth: Booth, guild: Guild, member: Member, channel: VocalChannel) -> Seen:
    """Have a line be said, and return its announcement."""
    line = line_in(channel)
    await announced(booth, member, line)
    booth.speak(line)
    return guild.text_channel.messages[-1]


@pytest.fixture
async def panel(booth: Booth, guild: Guild, alice: Member, channel: VocalChannel) -> Seen:
    return await spoken(booth, guild, alice, channel)


async def test_one_announcement_serves_all_lines_and_says_when_the_bot_has_left(
    booth: Booth, guild: Guild, alice: Member, channel: VocalChannel, panel: Seen
) -> None:
    await announced(booth, alice, line_in(channel))
    assert [seen.id for seen in guild.text_channel.messages] == [panel.id]
    assert (panel.content, panel.buttons) == (headline(channel), BUTTONS)
    assert set(booth.panels.values()) == {(guild.text_channel.id, panel.id)}

    await booth.goes(guild.id)

    assert (panel.content, panel.buttons) == (f"I have left {channel.mention}.", ["Replay"])


async def test_another_voice_channel_has_an_announcement_of_its_own(
    booth: Booth, bot: Bot, guild: Guild, alice: Member, panel: Seen
) -> None:
    attic = guild.add_voice_channel("Attic")
    await alice.joins(attic)
    await alice.autocomplete("replay", line="")  # what Discord told before it has arrived
    there = bot.get_channel(attic.id)
    assert isinstance(there, discord.VoiceChannel)

    await announced(booth, alice, line_in(there))

    first, second = guild.text_channel.messages
    assert (first.content, first.buttons) == (f"I speak in {there.mention} now.", ["Replay"])
    assert (second.content, second.buttons) == (headline(there), BUTTONS)


async def test_two_lines_asked_for_at_once_are_announced_once(
    house: Discord, booth: Booth, guild: Guild, alice: Member, channel: VocalChannel
) -> None:
    booth.lately = (line_in(channel),)
    house.rest.hitches.throttle("POST .*/webhooks/", retry_after=0.5)  # for the first, while the second is asked for

    await asyncio.gather(alice.slash("replay"), alice.slash("replay"))
    async with asyncio.timeout(10):
        await booth.bell.until(lambda: len(booth.panels) == 2)

    assert len(guild.text_channel.messages) == 1


async def test_a_bot_that_left_while_its_line_was_announced_is_not_said_to_speak(
    house: Discord, booth: Booth, guild: Guild, alice: Member, channel: VocalChannel
) -> None:
    booth.about = False

    await announced(booth, alice, line_in(channel))

    (seen,) = guild.text_channel.messages
    await assert_shown(house, seen, f"I have left {channel.mention}.", ["Replay"])


async def test_what_was_told_there_gives_way_to_the_next_line(
    booth: Booth, guild: Guild, alice: Member, channel: VocalChannel, panel: Seen
) -> None:
    await next(iter(booth.tells.values()))("I lost the connection for a moment.")
    assert (panel.content, panel.buttons) == ("I lost the connection for a moment.", BUTTONS)

    await announced(booth, alice, line_in(channel))

    assert panel.content == headline(channel)


async def test_a_change_that_discord_refuses_costs_no_line(
    house: Discord, booth: Booth, guild: Guild, alice: Member, channel: VocalChannel, panel: Seen
) -> None:
    house.rest.hitches.fail(r"PATCH .*/messages/\d+$", status=403, times=9)

    await next(iter(booth.tells.values()))("I lost the connection for a moment.")

    assert panel.content == headline(channel)


# The buttons


@pytest.mark.parametrize(("label", "told"), [("Skip", "Skipped."), ("Stop", "Stopped 1 line.")])
async def test_a_line_that_was_held_and_is_ended_leaves_no_button_that_lets_it_go_on(
    house: Discord, booth: Booth, alice: Member, channel: VocalChannel, panel: Seen, label: str, told: str
) -> None:
    await alice.slash("pause")
    await assert_shown(house, panel, headline(channel), HELD)

    answer = await alice.click(panel, label)

    assert answer.content == told
    await assert_shown(house, panel, headline(channel), BUTTONS)


async def test_a_press_where_nothing_is_said_is_answered_also_while_the_announcement_cannot_be_changed_yet(
    house: Discord, bot: Bot, booth: Booth, guild: Guild, alice: Member, panel: Seen
) -> None:
    booth.lines, booth.about = [], False
    while bot.revival.is_awaited(guild.id):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.02)

    async with bot.announcements._turns[guild.id]:  # as while another change of it is under way
        answer = await alice.click(panel, "Skip")
    await answer.settled(10)

    assert answer.content == "Nothing is being said here."
    assert answer.ephemeral
    assert panel.buttons == ["Replay"]


async def test_a_button_that_is_out_of_date_is_turned_and_holds_nothing_twice(
    booth: Booth, alice: Member, panel: Seen
) -> None:
    booth.lines = [replace(each, paused=True) for each in booth.lines]

    pressed = await alice.click(panel, "Pause")
    (told,) = await pressed.followed()

    assert told.content == "Paused: /resume lets it go on."
    assert panel.buttons == HELD
    assert booth.held == []


async def test_what_a_button_held_and_a_command_let_go_is_shown(
    house: Discord, booth: Booth, alice: Member, channel: VocalChannel, panel: Seen
) -> None:
    await (await alice.click(panel, "Pause")).followed()
    assert panel.buttons == HELD

    answer = await alice.slash("resume")

    assert answer.content == "It goes on."
    assert booth.held == [True, False]
    await assert_shown(house, panel, headline(channel), BUTTONS)


async def test_the_next_line_is_announced_with_the_button_that_fits(
    booth: Booth, alice: Member, channel: VocalChannel, panel: Seen
) -> None:
    booth.lines = [replace(each, paused=True) for each in booth.lines]

    await announced(booth, alice, line_in(channel))

    assert panel.buttons == HELD
