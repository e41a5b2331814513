"""What members do with lines that are said or wait: by command, and by the buttons of an announcement."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Announcements, Bot, Buttons, Revival, controls
from bot.client.buttons import Interaction
from bot.errors import PlaybackError
from bot.playback import Queued, Speakers
from cogs.cards import queue_card
from cogs.places import server_of

_COMING = "I have just been restarted: lines that were left come back in a moment."
_PAUSED = "Paused: /resume lets it go on."
_PAUSED_ALREADY = "That line is paused already: /resume lets it go on."


class Queue(commands.Cog):
    """Owns the answers to /queue, /skip, /stop, /pause, /resume and the buttons that say the same."""

    def __init__(self, *, speakers: Speakers, announcements: Announcements, revival: Revival, buttons: Buttons) -> None:
        self._speakers = speakers
        self._revival = revival
        self._announcements = announcements
        buttons.add("line-queue", self._show)
        buttons.add("line-skip", self._skip)
        buttons.add("line-stop", self._stop)
        buttons.add("line-pause", self._press_pause)
        buttons.add("line-resume", self._press_resume)

    @app_commands.command()
    @app_commands.guild_only()
    async def queue(self, interaction: Interaction) -> None:
        """See what is being said, and what waits."""
        await self._show(interaction)

    @app_commands.command()
    @app_commands.guild_only()
    async def skip(self, interaction: Interaction) -> None:
        """End the line that is being said, and go on with the next."""
        await self._skip(interaction)

    @app_commands.command()
    @app_commands.guild_only()
    async def stop(self, interaction: Interaction) -> None:
        """Stop the line that is being said, and your lines that wait."""
        await self._stop(interaction)

    @app_commands.command()
    @app_commands.guild_only()
    async def pause(self, interaction: Interaction) -> None:
        """Hold the line that is being said."""
        was = await self._hold(interaction, paused=True)
        if was.paused:
            raise PlaybackError(_PAUSED_ALREADY)
        await interaction.response.send_message(_paused(was), ephemeral=True)
        await self._announcements.refresh(server_of(interaction))

    @app_commands.command()
    @app_commands.guild_only()
    async def resume(self, interaction: Interaction) -> None:
        """Let a paused line go on."""
        was = await self._hold(interaction, paused=False)
        if not was.paused:
            raise PlaybackError(_still(was))
        await interaction.response.send_message(_goes_on(was), ephemeral=True)
        await self._announcements.refresh(server_of(interaction))

    async def _show(self, interaction: Interaction, _: str = "") -> None:
        lines = await self._lines(interaction)
        await interaction.response.send_message(embed=queue_card(lines), ephemeral=True)

    async def _skip(self, interaction: Interaction, _: str = "") -> None:
        guild_id = server_of(interaction)
        await self._lines(interaction)
        self._speakers.skip(guild_id, asker_id=interaction.user.id, may_mute=interaction.permissions.mute_members)
        await interaction.response.send_message("Skipped.", ephemeral=True)
        await self._announcements.refresh(guild_id)

    async def _stop(self, interaction: Interaction, _: str = "") -> None:
        guild_id = server_of(interaction)
        await self._lines(interaction)
        stopped = self._speakers.stop(
            guild_id, asker_id=interaction.user.id, may_mute=interaction.permissions.mute_members
        )
        lines = "1 line" if stopped == 1 else f"{stopped} lines"
        await interaction.response.send_message(f"Stopped {lines}.", ephemeral=True)
        await self._announcements.refresh(guild_id)

    async def _press_pause(self, interaction: Interaction, _: str) -> None:
        await self._press_hold(interaction, paused=True)

    async def _press_resume(self, interaction: Interaction, _: str) -> None:
        await self._press_hold(interaction, paused=False)

    async def _press_hold(self, interaction: Interaction, *, paused: bool) -> None:
        """Turn the button that was pressed into its opposite, also where it was out of date."""
        was = await self._hold(interaction, paused=paused)
        await interaction.response.edit_message(view=controls(paused=paused))
        self._announcements.note(server_of(interaction), paused=paused)
        await interaction.followup.send(_paused(was) if paused else _goes_on(was), ephemeral=True)

    async def _hold(self, interaction: Interaction, *, paused: bool) -> Queued:
        """Hold the line that is being said, or let it go on; give it as it was. Raises PlaybackError."""
        guild_id = server_of(interaction)
        was = (await self._lines(interaction))[0]
        self._speakers.pause(
            guild_id,
            paused=paused,
            asker_id=interaction.user.id,
            may_mute=interaction.permissions.mute_members,
        )
        return was

    async def _lines(self, interaction: Interaction) -> tuple[Queued, ...]:
        """Give what is said and what waits. Raises PlaybackError where that is nothing."""
        guild_id = server_of(interaction)
        lines = self._speakers.queue(guild_id)
        if not lines and self._revival.is_awaited(guild_id):
            raise PlaybackError(_COMING)
        if not lines:
            await self._clear(interaction)
            raise PlaybackError("Nothing is being said here.")
        return lines

    async def _clear(self, interaction: Interaction) -> None:
        """End the announcement whose button was pressed in vain: it may be left from a process that was killed."""
        if interaction.message is not None:
            await interaction.response.defer(ephemeral=True, thinking=True)  # a change may wait for others
            panel = (interaction.message.channel.id, interaction.message.id)
            await self._announcements.clear(server_of(interaction), panel)


def _paused(was: Queued) -> str:
    """Say what lets a paused line go on."""
    return f"{_PAUSED} {_still(was)}" if was.muted else _PAUSED


def _goes_on(was: Queued) -> str:
    """Say when a line goes on that nobody pauses any more."""
    if not was.muted:
        return "It goes on."
    if _on_stage(was):
        return "It goes on as soon as I may speak on the stage."
    return "It goes on as soon as a moderator unmutes me."


def _still(was: Queued) -> str:
    """Say why a line that nobody paused is not heard, if it is not."""
    if not was.muted:
        return "Nothing is paused."
    if _on_stage(was):
        return "I am in the audience here: a moderator must let me speak."
    return "I am muted here: a moderator must unmute me."


def _on_stage(queued: Queued) -> bool:
    return isinstance(queued.line.channel, discord.StageChannel)


async def setup(bot: Bot) -> None:
    """Add the cog."""
    cog = Queue(speakers=bot.rules.speakers, announcements=bot.announcements, revival=bot.revival, buttons=bot.buttons)
    await bot.add_cog(cog)
