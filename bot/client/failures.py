"""Where every failure is answered: the member reads one sentence, the operator's log has the rest."""

import logging
import secrets

import aiohttp
import discord
from discord import app_commands

from bot.client.buttons import Interaction
from bot.errors import BotError, ProviderError, StoreError

log = logging.getLogger(__name__)

_UNKNOWN_INTERACTION = 10062


async def answer_failure(interaction: Interaction, error: BaseException) -> None:
    """Tell the member what went wrong, in place of the answer that did not come. Never raises."""
    original = getattr(error, "original", error)
    if interaction.client.is_closed():
        log.info("the bot stopped before a failure could be answered: %s", type(original).__name__)
        return
    if isinstance(original, discord.NotFound) and original.code == _UNKNOWN_INTERACTION:
        log.warning("an interaction was gone before it was answered")
        return
    sentence = _describe(interaction, original)
    if interaction.client.is_closed():
        log.warning("a failure could not be answered: the bot is closed")
        return
    try:
        await _answer(interaction, sentence)
    except discord.HTTPException as lost:
        log.warning("a failure could not be answered: HTTP %s, code %s", lost.status, lost.code)
    except (aiohttp.ClientError, OSError) as lost:
        log.warning("a failure could not be answered: %s", type(lost).__name__)


def _describe(interaction: Interaction, error: BaseException) -> str:
    match error:
        case ProviderError() | StoreError():
            log.warning("%s: %s", type(error).__name__, error, exc_info=error.__cause__)
            return str(error)
        case BotError():
            return str(error)
        case app_commands.NoPrivateMessage():
            return "That works in a server only: use it there."
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return "That command has changed: restart Discord (Ctrl+R) and try again."
        case app_commands.CheckFailure():
            return "You may not do that here."
        case _:
            bug = secrets.token_hex(4)
            command = interaction.command.qualified_name if interaction.command else "a button"
            log.error("bug %s in %s", bug, command, exc_info=error)
            return f"Something broke on my side and was written down as {bug}: try again, or tell the operator."


async def _answer(interaction: Interaction, sentence: str) -> None:
    response = interaction.response
    if not response.is_done():
        await response.send_message(sentence, ephemeral=True)
    elif response.type is discord.InteractionResponseType.channel_message:
        await interaction.followup.send(sentence, ephemeral=True)
    else:
        await interaction.edit_original_response(content=sentence, embeds=[], attachments=[], view=None)
