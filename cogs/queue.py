"""What members do with lines that are said or wait: by command, and by the buttons of an announcement."""

from discord import app_commands
from discord.ext import commands

from bot.client import Announcements, Bot, Buttons, controls
from bot.client.buttons import Interaction
from bot.errors import PlaybackError
from bot.playback import Speakers
from cogs.cards import queue_card
from cogs.places import server_of

_PAUSED = "Paused: /resume lets it go on."
_GOES_ON = "It goes on."


class Queue(commands.Cog):
    """Owns the answers to /queue, /skip, /stop, /pause, /resume and the buttons that say the same."""

    def __init__(self, *, speakers: Speakers, announcements: Announcements, buttons: Buttons) -> None:
        self._speakers = speakers
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
        self._hold(interaction, paused=True)
        await interaction.response.send_message(_PAUSED, ephemeral=True)
        await self._announcements.refresh(server_of(interaction))

    @app_commands.command()
    @app_commands.guild_only()
    async def resume(self, interaction: Interaction) -> None:
        """Let a paused line go on."""
        self._hold(interaction, paused=False)
        await interaction.response.send_message(_GOES_ON, ephemeral=True)
        await self._announcements.refresh(server_of(interaction))

    async def _show(self, interaction: Interaction, _: str = "") -> None:
        lines = self._speakers.queue(server_of(interaction))
        if not lines:
            raise PlaybackError("Nothing is being said here.")
        await interaction.response.send_message(embed=queue_card(lines), ephemeral=True)

    async def _skip(self, interaction: Interaction, _: str = "") -> None:
        guild_id = server_of(interaction)
        self._speakers.skip(guild_id, asker_id=interaction.user.id, may_mute=interaction.permissions.mute_members)
        await interaction.response.send_message("Skipped.", ephemeral=True)
        await self._announcements.refresh(guild_id)

    async def _stop(self, interaction: Interaction, _: str = "") -> None:
        guild_id = server_of(interaction)
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
        lines = self._speakers.queue(server_of(interaction))
        if not lines or lines[0].paused != paused:
            self._hold(interaction, paused=paused)
        await interaction.response.edit_message(view=controls(paused=paused))
        self._announcements.note(server_of(interaction), paused=paused)
        await interaction.followup.send(_PAUSED if paused else _GOES_ON, ephemeral=True)

    def _hold(self, interaction: Interaction, *, paused: bool) -> None:
        self._speakers.pause(
            server_of(interaction),
            paused=paused,
            asker_id=interaction.user.id,
            may_mute=interaction.permissions.mute_members,
        )


async def setup(bot: Bot) -> None:
    """Add the cog."""
    await bot.add_cog(Queue(speakers=bot.rules.speakers, announcements=bot.announcements, buttons=bot.buttons))
