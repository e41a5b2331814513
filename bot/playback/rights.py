"""Whether a line may be said in a channel and would be heard there, judged from what Discord already told us."""

import discord

from bot.errors import PlaybackError
from bot.playback.line import VocalChannel


def label(channel: VocalChannel) -> str:
    """Name a channel in a sentence, so that it pings nobody."""
    return f"#{discord.utils.escape_mentions(channel.name)}"


def admit(channel: VocalChannel) -> VocalChannel:
    """Return the channel as it is now, if a line can be said and heard there. Raises PlaybackError."""
    present = admit_bot(channel)
    if not has_listener(present):
        raise PlaybackError(f"Nobody is in {label(present)} to hear it: join it and ask again.")
    return present


def admit_bot(channel: VocalChannel) -> VocalChannel:
    """Return the channel as it is now, if the bot may join it and speak there. Raises PlaybackError."""
    present = allow_bot(channel)
    _check_room(present)
    return present


def allow_bot(channel: VocalChannel) -> VocalChannel:
    """Return the channel as it is now, if the bot may speak there once there is room. Raises PlaybackError."""
    present = channel.guild.get_channel(channel.id)
    if not isinstance(present, VocalChannel):
        raise PlaybackError(f"{label(channel)} is gone: join another voice channel and ask again.")
    _check_permissions(present)
    return present


def found(guild: discord.Guild, channel: VocalChannel) -> VocalChannel:
    """Return a channel as a server has it now; one that is gone, as it was."""
    present = guild.get_channel(channel.id)
    return present if isinstance(present, VocalChannel) else channel


def has_listener(channel: VocalChannel) -> bool:
    """Whether anybody but bots is there. Somebody unknown counts as a person."""
    members = (channel.guild.get_member(user_id) for user_id in channel.voice_states)
    return any(member is None or not member.bot for member in members)


def is_in_voice(guild: discord.Guild) -> bool:
    """Whether Discord has the bot in a voice channel of this server."""
    voice = guild.me.voice
    return voice is not None and voice.channel is not None


def is_muted(guild: discord.Guild) -> bool:
    """Whether Discord takes every packet of the bot and lets nobody hear it."""
    voice = guild.me.voice
    return voice is not None and (voice.mute or voice.suppress)


def check_not_muted(channel: VocalChannel) -> None:
    """Refuse where a moderator muted the bot."""
    if is_muted(channel.guild):
        raise PlaybackError(f"I am muted in {label(channel)}: a moderator must unmute me first.")


def _check_permissions(channel: VocalChannel) -> None:
    granted = channel.permissions_for(channel.guild.me)
    on_stage = isinstance(channel, discord.StageChannel)
    if not granted.view_channel:
        needed = "Connect and Request to Speak" if on_stage else "Connect and Speak"
        raise PlaybackError(f"I cannot see {label(channel)}: give me View Channel, {needed} there.")
    if on_stage:
        if not (granted.connect and (granted.mute_members or granted.request_to_speak)):
            raise PlaybackError(f"I may not speak in {label(channel)}: give me Connect and Request to Speak there.")
    elif not (granted.connect and granted.speak):
        raise PlaybackError(f"I may not speak in {label(channel)}: give me Connect and Speak there.")


def _check_room(channel: VocalChannel) -> None:
    me = channel.guild.me
    present = channel.voice_states
    full = 0 < channel.user_limit <= len(present)
    if full and me.id not in present and not channel.permissions_for(me).move_members:
        raise PlaybackError(f"{label(channel)} is full: make room for one more, or use another channel.")
