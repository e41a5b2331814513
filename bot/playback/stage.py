"""Speaking on a stage, where the bot arrives in the audience. Knows one channel and what the bot may do there.

Source: Discord's "Modify Current User Voice State": who may mute members lifts themselves, others raise a hand.
"""

import asyncio
from collections.abc import Callable

import discord

from bot.errors import PlaybackError
from bot.playback.line import VocalChannel
from bot.playback.rights import label

HAND_SECONDS = 120.0
"""Time for a moderator to let the bot speak."""
_LOOK_SECONDS = 0.02


async def ask_to_speak(
    channel: VocalChannel, tell: Callable[[str], None], *, needed: Callable[[], bool] = lambda: True
) -> None:
    """Become a speaker on a stage; anywhere else, do nothing. Raises PlaybackError where nobody lets the bot.

    `tell` is told where a moderator has to be waited for; that ends when it is not `needed` any more, or the bot has
    left.
    """
    if not isinstance(channel, discord.StageChannel) or not _in_audience(channel):
        return
    try:
        if channel.permissions_for(channel.guild.me).mute_members:
            await channel.guild.me.edit(suppress=False)
        else:
            await channel.guild.me.request_to_speak()
            tell(f"I asked to speak in {label(channel)}: a moderator of the stage must let me.")
    except discord.HTTPException as error:
        raise PlaybackError(
            f"Discord did not let me speak in {label(channel)}: give me Request to Speak there."
        ) from error
    for _ in range(round(HAND_SECONDS / _LOOK_SECONDS)):
        if not (_in_audience(channel) and needed()):
            return
        await asyncio.sleep(_LOOK_SECONDS)
    raise PlaybackError(f"Nobody let me speak in {label(channel)}: ask a moderator of the stage, and try again.")


def _in_audience(channel: discord.StageChannel) -> bool:
    voice = channel.guild.me.voice
    return voice is not None and voice.suppress
