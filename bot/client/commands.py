"""The command list at Discord, written only when it has changed."""

import asyncio
import hashlib
import json
import logging
from pathlib import Path
from typing import TypeVar

import discord
from discord import app_commands

log = logging.getLogger(__name__)

ClientT = TypeVar("ClientT", bound=discord.Client)


async def sync_commands(tree: app_commands.CommandTree[ClientT], application_id: int, mark: Path) -> bool:
    """Send the commands to Discord if they differ from those last sent, which `mark` remembers. Say whether sent.

    Discord allows 200 new commands a day, so a restart must not send them again.
    """
    payload = [command.to_dict(tree) for command in tree.get_commands()]
    text = json.dumps([application_id, payload], sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if await asyncio.to_thread(_read, mark) == digest:
        return False
    sent = await tree.sync()
    await asyncio.to_thread(mark.write_text, digest + "\n")
    log.info("%d commands sent to Discord", len(sent))
    return True


def _read(mark: Path) -> str:
    return mark.read_text().strip() if mark.is_file() else ""
