"""What becomes of a voice or a line, said to whoever asked for it, by direct message where an answer is too late."""

import logging

import aiohttp
import discord
from discord.utils import escape_markdown

from bot.watching import News

log = logging.getLogger(__name__)


def describe(news: News) -> str:
    """Say what became of a voice, in a sentence or two."""
    name = escape_markdown(news.voice.name)
    note = f" {news.note}" if news.note else ""
    if news.gone:
        return f"{name} was never made, and nothing was kept: try /clone again."
    match news.voice.state:
        case "trained":
            return f"{name} is ready: try /say.{note}"
        case "failed":
            why = news.voice.fault or "Try another recording."
            return f"{name} could not be made. {why}{note} /voices delete takes it off your list."
        case "unknown":
            return f"{name} may be made or not.{note} /voices show tells."
        case _:
            return f"{name} is being made.{note} /voices show tells when it is ready."


class Courier:
    """Brings news to members by direct message."""

    def __init__(self, bot: discord.Client) -> None:
        self._bot = bot

    async def tell(self, news: News) -> None:
        """Write to the owner of a voice; one who takes no messages reads it in /voices show."""
        await self.write(news.voice.owner_id, describe(news))

    async def write(self, member_id: int, sentence: str) -> None:
        """Write to a member, where they take messages."""
        try:
            member = await self._bot.fetch_user(member_id)
            await member.send(sentence)
        except discord.HTTPException as error:
            log.info("member %d could not be told: HTTP %s", member_id, error.status)
        except (aiohttp.ClientError, OSError) as error:
            log.info("member %d could not be told: %s", member_id, type(error).__name__)
