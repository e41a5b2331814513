"""/stop and /leave: what members do with the bot in a voice channel."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Bot
from bot.client.buttons import Interaction
from bot.errors import PlaybackError
from bot.playback import Speakers


class Channel(commands.Cog):
    """Owns the answers to /stop and /leave, and tells the speakers who comes and goes."""

    def __init__(self, *, speakers: Speakers) -> None:
        self._speakers = speakers

    @app_commands.command()
    @app_commands.guild_only()
    async def stop(self, interaction: Interaction) -> None:
        """Stop the line that is being said, and your lines that wait."""
        stopped = self._speakers.stop(
            _guild_id(interaction), asker_id=interaction.user.id, may_mute=interaction.permissions.mute_members
        )
        lines = "1 line" if stopped == 1 else f"{stopped} lines"
        await interaction.response.send_message(f"Stopped {lines}.", ephemeral=True)

    @app_commands.command()
    @app_commands.guild_only()
    async def leave(self, interaction: Interaction) -> None:
        """Send the bot out of the voice channel."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        granted = interaction.permissions
        left = await self._speakers.leave(
            _guild_id(interaction),
            asker_id=interaction.user.id,
            may_mute=granted.mute_members or granted.move_members,
        )
        if not left:
            raise PlaybackError("I am in no voice channel here.")
        await interaction.edit_original_response(content="I have left the voice channel.")

    @commands.Cog.listener()
    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Tell the speakers who moved."""
        self._speakers.notice(member, before, after)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Tell the speakers of a server that is back, or that a new session knows."""
        self._speakers.renew(guild)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Tell the speakers of a server that let the bot in again."""
        self._speakers.renew(guild)

    @commands.Cog.listener()
    async def on_guild_channel_update(self, _: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """Tell the speakers that rights in a channel may have changed."""
        self._speakers.judge(after.guild.id)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Tell the speakers that a channel is gone."""
        self._speakers.judge(channel.guild.id)

    @commands.Cog.listener()
    async def on_guild_role_update(self, _: discord.Role, after: discord.Role) -> None:
        """Tell the speakers that rights may have changed."""
        self._speakers.judge(after.guild.id)


def _guild_id(interaction: Interaction) -> int:
    if interaction.guild_id is None:
        raise PlaybackError("That works in a server only: use it there.")
    return interaction.guild_id


async def setup(bot: Bot) -> None:
    """Add the cog."""
    await bot.add_cog(Channel(speakers=bot.rules.speakers))
