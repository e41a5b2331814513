"""The three seconds in which Discord wants an answer, and the work that does not wait for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.client.buttons import Interaction

HEAD_START = 0.02
"""Seconds by which the work goes before Discord is told of it: both want the same processor, and one is waited for."""


@asynccontextmanager
async def thinking(interaction: Interaction) -> AsyncIterator[None]:
    """Say that the answer comes, to its asker alone, while what is inside goes on.

    When it is left, also by an exception, the answer can be changed.
    """
    saying = asyncio.create_task(_defer(interaction))
    try:
        yield
    finally:
        await asyncio.wait((saying,))
    saying.result()


async def _defer(interaction: Interaction) -> None:
    await asyncio.sleep(HEAD_START)
    await interaction.response.defer(ephemeral=True, thinking=True)
