"""Forms: what Discord accepts, and how its client fills in each kind of field."""

import asyncio
from typing import Any

import discord
import pytest
from discord import app_commands, ui

from playground.discord import ClientRefused, Discord, Member
from tests.unit.playground.discord.bots import ask, running


def label(component: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"type": 18, "label": "Label", "component": component, **changes}


def line(**changes: Any) -> dict[str, Any]:
    return {"type": 4, "custom_id": "x", "style": 1, **changes}


def modal(*components: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"title": "Title", "custom_id": "m", "components": list(components), **changes}


BAD = {
    "no title": modal(label(line()), title=""),
    "title above 45": modal(label(line()), title="x" * 46),
    "id above 100": modal(label(line()), custom_id="x" * 101),
    "no field": modal(),
    "six fields": modal(*(label(line(custom_id=str(n))) for n in range(6))),
    "label above 45": modal(label(line(), label="x" * 46)),
    "description above 100": modal(label(line(), description="x" * 101)),
    "row with two": modal({"type": 1, "components": [line(label="a"), line(label="b", custom_id="y")]}),
    "row without label": modal({"type": 1, "components": [line()]}),
    "empty text": modal({"type": 10, "content": ""}),
    "a separator": modal({"type": 14}),
    "placeholder above 100": modal(label(line(placeholder="x" * 101))),
    "value above 4000": modal(label(line(value="x" * 4001))),
    "max length above 4000": modal(label(line(max_length=4001))),
    "menu without options": modal(label({"type": 3, "custom_id": "x", "options": []})),
    "group without options": modal(label({"type": 21, "custom_id": "x", "options": []})),
    "eleven files": modal(label({"type": 19, "custom_id": "x", "max_values": 11})),
    "a button": modal(label({"type": 2, "custom_id": "x"})),
    "an id twice": modal(label(line()), label(line())),
}


class Survey(ui.Modal, title="Survey"):
    kind: ui.Label = ui.Label(
        text="Kind",
        component=ui.RadioGroup(
            custom_id="kind", options=[discord.RadioGroupOption(label="A", value="a", default=True)], required=False
        ),
    )
    more: ui.Label = ui.Label(
        text="More",
        component=ui.CheckboxGroup(
            custom_id="more",
            options=[discord.CheckboxGroupOption(label=name, value=name.lower()) for name in ("One", "Two")],
            max_values=2,
        ),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.kind.component, ui.RadioGroup)
        assert isinstance(self.more.component, ui.CheckboxGroup)
        await interaction.response.send_message(f"{self.kind.component.value} {self.more.component.values}")


def teach(tree: app_commands.CommandTree) -> None:
    @tree.command(description="Asks")
    async def survey(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Survey())

    @tree.command(description="Waits")
    async def wait(_: discord.Interaction) -> None:
        pass


@pytest.mark.parametrize("case", BAD)
async def test_a_form_is_refused_with(house: Discord, alice: Member, case: str) -> None:
    async with running(house, teach) as bot:
        asking = asyncio.create_task(alice.slash("wait"))
        (interaction,) = await bot.hears("interaction")
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        status, answer = await ask(house, "POST", path, json={"type": 9, "data": BAD[case]})
        assert (status, answer["code"]) == (400, 50035)
        assert (await ask(house, "POST", path, json={"type": 5}))[0] == 204
        await asking


async def test_groups_of_choices_are_filled_in(house: Discord, alice: Member) -> None:
    async with running(house, teach):
        form = await alice.slash("survey")
        with pytest.raises(ClientRefused, match="More: wants 1 to 2, not 0"):
            await alice.submit(form)
        assert (await alice.submit(form, more=["One", "two"])).content == "a ['one', 'two']"
