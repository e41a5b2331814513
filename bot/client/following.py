"""A line followed to its end for the member who asked: in the answer, and by direct message once that is too old."""

import asyncio
from collections.abc import Callable

from bot.client.buttons import Interaction
from bot.client.news import Courier
from bot.errors import BotError
from bot.playback import Played, Ticket

_PATIENCE = 840.0
"""Seconds an answer can still be changed: Discord's token lives 15 minutes."""


async def follow(
    interaction: Interaction,
    ticket: Ticket,
    *,
    promise: str,
    outcome: Callable[[Played], str],
    patience: float = _PATIENCE,
) -> None:
    """Tell under the promise how the line goes, then its outcome in place of both.

    Raises what the ticket does while the answer can still be changed; after `patience` seconds, a member whose line
    was not heard is written to.
    """
    telling = asyncio.create_task(_tell(interaction, ticket, promise))
    ended = asyncio.ensure_future(ticket.done)
    try:
        done, _ = await asyncio.wait((ended,), timeout=patience)
    finally:
        telling.cancel()
        await asyncio.wait((telling,))
    if done:
        await interaction.edit_original_response(content=outcome(ended.result()))
        return
    try:
        await ended
    except BotError as error:
        await Courier(interaction.client).write(interaction.user.id, str(error))


async def _tell(interaction: Interaction, ticket: Ticket, promise: str) -> None:
    async for sentence in ticket.news():
        await interaction.edit_original_response(content=f"{promise}\n{sentence}")
