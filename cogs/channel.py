"""/join, /leave and /voicetest: where the bot is, and whether it would be heard there."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Bot, VoiceTest, thinking
from bot.client.buttons import Interaction
from bot.errors import PlaybackError
from bot.playback import Speakers, is_in_voice, is_muted
from cogs.places import need_channel_of, server_of


class Channel(commands.Cog):
    """Owns the answers to /join, /leave and /voicetest, and tells the speakers who comes and goes."""

    def __init__(self, *, speakers: Speakers) -> None:
        self._speakers = speakers
        self._test = VoiceTest(speakers)

    @app_commands.command()
    @app_commands.guild_only()
    async def join(self, interaction: Interaction) -> None:
        """Bring the bot into the voice channel you are in; it goes on there with what was left unsaid."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        channel = await self._speakers.join(need_channel_of(interaction))
        where = f"I am in {channel.mention}"
        if not is_muted(channel.guild):
            told = f"{where}."
        elif isinstance(channel, discord.StageChannel):
            told = f"{where}, in the audience: I ask to speak as soon as there is something to say."
        else:
            told = f"{where}, but muted there: a moderator must unmute me before you can hear me."
        await interaction.edit_original_response(content=told)

    @app_commands.command()
    @app_commands.guild_only()
    async def leave(self, interaction: Interaction) -> None:
        """Send the bot out of the voice channel."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        granted = interaction.permissions
        left = await self._speakers.leave(
            server_of(interaction),
            asker_id=interaction.user.id,
            may_mute=granted.mute_members or granted.move_members,
        )
        if not left:
            await self._withdraw(interaction.guild)
        await interaction.edit_original_response(content="I have left the voice channel.")

    async def _withdraw(self, guild: discord.Guild | None) -> None:
        """Leave a channel in which Discord has the bot although nothing is known of it here, as after a crash."""
        if guild is None or not is_in_voice(guild):
            raise PlaybackError("I am in no voice channel here.")
        await guild.change_voice_state(channel=None)

    @app_commands.command()
    @app_commands.guild_only()
    async def voicetest(self, interaction: Interaction) -> None:
        """Hear a chime in your voice channel, and see which step goes wrong if you do not."""
        async with thinking(interaction):
            channel = need_channel_of(interaction)
        await self._test.run(interaction, channel)

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

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """Tell the speakers that rights may have changed."""
        self._speakers.judge(role.guild.id)

    @commands.Cog.listener()
    async def on_member_update(self, _: discord.Member, after: discord.Member) -> None:
        """Tell the speakers of a role the bot was given, or lost: of itself it is told without an intent."""
        if after.id == after.guild.me.id:
            self._speakers.judge(after.guild.id)


async def setup(bot: Bot) -> None:
    """Add the cog."""
    await bot.add_cog(Channel(speakers=bot.rules.speakers))
