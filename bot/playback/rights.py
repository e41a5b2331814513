"""Whether a line may be said in a channel and would be heard there, judged from what Discord already told us."""

import discord

from bot.errors import PlaybackError
from bot.playback.line import VocalChannel


def label(channel: VocalChannel) -> str:
    """Name a channel in a sentence, so that it pings nobody."""
    return f"#{discord.utils.escape_mentions(channel.name)}"


def admit(channel: VocalChannel) -> discord.VoiceChannel:
    """Return the channel as it is now, if a line can be said and heard there. Raises PlaybackError."""
    present = channel.guild.get_channel(channel.id)
    if present is None:
        raise PlaybackError(f"{label(channel)} is gone: join another voice channel and ask again.")
    if not isinstance(present, discord.VoiceChannel):
        raise PlaybackError("I cannot speak in a stage channel yet: use a voice channel.")
    _check_permissions(present)
    _check_room(present)
    if not has_listener(present):
        raise PlaybackError(f"Nobody is in {label(present)} to hear it: join it and ask again.")
    return present


def has_listener(channel: VocalChannel) -> bool:
    """Whether anybody but bots is there. Somebody unknown counts as a person."""
    members = (channel.guild.get_member(user_id) for user_id in channel.voice_states)
    return any(member is None or not member.bot for member in members)


def is_in_voice(guild: discord.Guild) -> bool:
    """Whether Discord has the bot in a voice channel of this server."""
    voice = guild.me.voice
    return voice is not None and voice.channel is not None


def check_not_muted(channel: VocalChannel) -> None:
    """Refuse where a moderator muted the bot: Discord would take every packet and let nobody hear it."""
    voice = channel.guild.me.voice
    if voice is not None and (voice.mute or voice.suppress):
        raise PlaybackError(f"I am muted in {label(channel)}: a moderator must unmute me first.")


def _check_permissions(channel: discord.VoiceChannel) -> None:
    granted = channel.permissions_for(channel.guild.me)
    if not granted.view_channel:
        raise PlaybackError(f"I cannot see {label(channel)}: give me View Channel, Connect and Speak there.")
    if not (granted.connect and granted.speak):
        raise PlaybackError(f"I may not speak in {label(channel)}: give me Connect and Speak there.")


def _check_room(channel: discord.VoiceChannel) -> None:
    me = channel.guild.me
    present = channel.voice_states
    full = 0 < channel.user_limit <= len(present)
    if full and me.id not in present and not channel.permissions_for(me).move_members:
        raise PlaybackError(f"{label(channel)} is full: make room for one more, or use another channel.")
