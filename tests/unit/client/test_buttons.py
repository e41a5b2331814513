"""Buttons that carry their verb and argument."""

import discord
import pytest

from bot.client import Bot, Buttons, button, row
from playground.discord import Member, UnansweredError
from tests.unit.client.conftest import Start


async def test_a_press_is_answered_with_all_of_its_argument(bot: Bot, alice: Member) -> None:
    answer = await alice.slash("show")

    pressed = await alice.click(answer, "Note")

    assert pressed is answer
    assert answer.content == "Pressed with a|b."
    assert answer.buttons == []


async def test_a_button_from_before_a_restart_is_answered_like_any_other(start: Start, alice: Member) -> None:
    async with start():
        answer = await alice.slash("show")

    async with start():
        await alice.click(answer, "Note")

    assert answer.content == "Pressed with a|b."


async def test_a_press_nobody_answers_is_left_alone(bot: Bot, alice: Member) -> None:
    answer = await alice.slash("show")

    with pytest.raises(UnansweredError):
        await alice.click(answer, "Nobody")
    assert answer.content == "Press one."


async def test_buttons_are_put_side_by_side_and_forgotten_when_the_answer_can_no_longer_be_changed() -> None:
    view = row(button("Yes", "yes", "7", style=discord.ButtonStyle.success), button("No", "no"))

    assert view.timeout == 900
    (line,) = view.to_components()
    assert [(each["label"], each["custom_id"]) for each in line["components"]] == [("Yes", "yes|7"), ("No", "no|")]
    assert row().to_components() == []


async def test_another_answer_for_a_verb_takes_the_place_of_the_first(bot: Bot, alice: Member) -> None:
    async def other(interaction: discord.Interaction[discord.Client], argument: str) -> None:
        await interaction.response.edit_message(content="Other.")

    buttons: Buttons = bot.buttons
    answer = await alice.slash("show")
    buttons.add("note", other)

    await alice.click(answer, "Note")

    assert answer.content == "Other."
