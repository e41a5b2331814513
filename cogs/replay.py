"""/replay: one of the last lines of a voice channel, said again."""

import uuid
from dataclasses import replace

from discord import app_commands
from discord.ext import commands
from discord.utils import escape_markdown

from bot.client import Bot, Buttons, thinking
from bot.client.buttons import Interaction
from bot.errors import PlaybackError
from bot.playback import Line, Speakers, VocalChannel, tell_nobody
from cogs.cards import first_words
from cogs.lines import Lines
from cogs.places import channel_of, need_channel_of

_MOST_LETTERS = 100
"""Discord shows no more of a choice."""


class Replay(commands.Cog):
    """Owns the answers to /replay and its button."""

    def __init__(self, *, speakers: Speakers, lines: Lines, buttons: Buttons) -> None:
        self._speakers = speakers
        self._lines = lines
        buttons.add("line-replay", self._press)

    @app_commands.command()
    @app_commands.guild_only()
    @app_commands.describe(line="Which of the last lines of your voice channel; without it, the last one")
    async def replay(self, interaction: Interaction, line: str | None = None) -> None:
        """Have one of the last lines of your voice channel said again."""
        await self._say_again(interaction, line)

    async def _press(self, interaction: Interaction, _: str) -> None:
        await self._say_again(interaction, None)

    async def _say_again(self, interaction: Interaction, line_id: str | None) -> None:
        async with thinking(interaction):
            channel = need_channel_of(interaction)
            said = self._find(channel, line_id)
            again = _again(said, channel, asker_id=interaction.user.id)
            asked = self._lines.ask(again, subject=escape_markdown(said.voice))
        await self._lines.follow(interaction, asked)

    def _find(self, channel: VocalChannel, line_id: str | None) -> Line:
        said = self._speakers.said(channel)
        if not said:
            raise PlaybackError(f"Nothing was said in {channel.mention} lately: try /say.")
        if line_id is None:
            return said[0]
        for line in said:
            if line.id == line_id:
                return line
        raise PlaybackError(f"That is none of the last lines of {channel.mention}: choose one that is offered.")

    @replay.autocomplete("line")
    async def _suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        channel = channel_of(interaction)
        said = () if channel is None else self._speakers.said(channel)
        names = [(f"{line.voice}: {first_words(line)}", line.id) for line in said]
        wanted = typed.casefold().strip()
        return [
            app_commands.Choice(name=name[:_MOST_LETTERS], value=line_id)
            for name, line_id in names
            if wanted in name.casefold()
        ]


def _again(line: Line, channel: VocalChannel, *, asker_id: int) -> Line:
    """Make a new line of one that was said: all of it, where it was said, for somebody else."""
    return replace(
        line,
        id=uuid.uuid4().hex,
        asker_id=asker_id,
        channel=channel,
        start=0,
        saved=None,
        tell=tell_nobody,
    )


async def setup(bot: Bot) -> None:
    """Add the cog."""
    speakers = bot.rules.speakers
    lines = Lines(speakers=speakers, announcements=bot.announcements)
    await bot.add_cog(Replay(speakers=speakers, lines=lines, buttons=bot.buttons))
