"""Where a command was used, and where its member sits."""

import discord

from bot.client.buttons import Interaction
from bot.errors import PlaybackError
from bot.playback import VocalChannel


def server_of(interaction: Interaction) -> int:
    """Give the id of the server. Raises PlaybackError in a direct message."""
    if interaction.guild_id is None:
        raise PlaybackError("That works in a server only: use it there.")
    return interaction.guild_id


def channel_of(interaction: Interaction) -> VocalChannel | None:
    """Give the voice channel a member is in."""
    member = interaction.user
    return member.voice.channel if isinstance(member, discord.Member) and member.voice is not None else None


def need_channel_of(interaction: Interaction) -> VocalChannel:
    """Give the voice channel a member is in. Raises PlaybackError where there is none."""
    channel = channel_of(interaction)
    if channel is None:
        raise PlaybackError("You are not in a voice channel: join one and ask again.")
    return channel
