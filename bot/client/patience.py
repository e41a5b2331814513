"""The three seconds in which Discord wants an answer, and the work that does not wait for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.client.buttons import Interaction


@asynccontextmanager
async def thinking(interaction: Interaction) -> AsyncIterator[None]:
    """Say that the answer comes, to its asker alone, while what is inside goes on.

    When it is left, also by an exception, the answer can be changed.
    """
    saying = asyncio.create_task(interaction.response.defer(ephemeral=True, thinking=True))
    try:
        yield
    finally:
        await asyncio.wait((saying,))
    saying.result()
