"""The command list at Discord is written only when it has changed."""

from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands

from bot.client.commands import sync_commands


class Tree(app_commands.CommandTree[discord.Client]):
    """A real tree that counts what it would send."""

    def __init__(self) -> None:
        super().__init__(discord.Client(intents=discord.Intents.none()))
        self.sent: list[list[str]] = []
        self.refused = False

    async def sync(self, *, guild: Any = None) -> list[app_commands.AppCommand]:
        if self.refused:
            raise ConnectionError
        self.sent.append([command.name for command in self.get_commands()])
        return []


@app_commands.command(description="One")
async def one(interaction: discord.Interaction) -> None:
    """Do nothing."""


@app_commands.command(description="Two")
async def two(interaction: discord.Interaction) -> None:
    """Do nothing."""


async def test_unchanged_commands_are_sent_once(tmp_path: Path) -> None:
    tree = Tree()
    tree.add_command(one)

    assert await sync_commands(tree, 1, tmp_path / "mark")
    assert not await sync_commands(tree, 1, tmp_path / "mark")

    assert tree.sent == [["one"]]


async def test_changed_commands_are_sent_again(tmp_path: Path) -> None:
    tree = Tree()
    tree.add_command(one)
    await sync_commands(tree, 1, tmp_path / "mark")
    tree.add_command(two)

    assert await sync_commands(tree, 1, tmp_path / "mark")

    assert tree.sent == [["one"], ["one", "two"]]


async def test_another_application_gets_its_own_commands(tmp_path: Path) -> None:
    tree = Tree()
    tree.add_command(one)
    await sync_commands(tree, 1, tmp_path / "mark")

    assert await sync_commands(tree, 2, tmp_path / "mark")


async def test_commands_that_did_not_arrive_are_sent_again(tmp_path: Path) -> None:
    tree = Tree()
    tree.add_command(one)
    tree.refused = True
    with pytest.raises(ConnectionError):
        await sync_commands(tree, 1, tmp_path / "mark")
    tree.refused = False

    assert await sync_commands(tree, 1, tmp_path / "mark")
