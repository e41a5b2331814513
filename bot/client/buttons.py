"""Buttons that survive a restart: each carries its verb and its argument, and nothing about it is remembered.

A press is found by the verb in the button's custom id, so a message sent before a restart is answered like any other.
"""

from collections.abc import Awaitable, Callable

import discord

Interaction = discord.Interaction[discord.Client]
Press = Callable[[Interaction, str], Awaitable[None]]

_SECONDS = 900.0
"""How long discord.py remembers a row; Discord's token for the message lives no longer."""


def party_of(interaction: Interaction) -> int:
    """Name who shares a busy service out with the others: the server, or the member where there is none."""
    return interaction.guild_id or interaction.user.id


def button(
    label: str, verb: str, argument: str = "", *, style: discord.ButtonStyle = discord.ButtonStyle.secondary
) -> discord.ui.Button[discord.ui.View]:
    """Make a button whose press is answered by what was added for `verb`, with `argument`."""
    return discord.ui.Button(label=label, style=style, custom_id=f"{verb}|{argument}")


def row(*buttons: discord.ui.Button[discord.ui.View]) -> discord.ui.View:
    """Put buttons side by side. To be called inside a running event loop."""
    view = discord.ui.View(timeout=_SECONDS)
    for each in buttons:
        view.add_item(each)
    return view


class Buttons:
    """Owns which verb is answered by whom."""

    def __init__(self) -> None:
        self._presses: dict[str, Press] = {}

    def add(self, verb: str, press: Press) -> None:
        """Answer presses of this verb with `press`."""
        self._presses[verb] = press

    async def dispatch(self, interaction: Interaction) -> None:
        """Answer a press, if it is one of ours."""
        if interaction.type is not discord.InteractionType.component or interaction.data is None:
            return
        verb, _, argument = str(interaction.data.get("custom_id", "")).partition("|")
        press = self._presses.get(verb)
        if press is not None:
            await press(interaction, argument)
