"""Native voice messages, which Discord takes and discord.py 2.7.1 cannot send. Knows nothing of voices.

An interaction's token cannot send one once the answer was deferred, so the bot posts it in the channel as itself. What
discord.py keeps to itself and is touched here: `discord.http.handle_message_parameters`, what is in the parts it
returns, `Client.http.send_message`, and that `File.to_dict` describes a file. A test looks at each.
"""

import base64
import io
import logging
import secrets
from contextlib import suppress
from typing import Any

import aiohttp
import discord
from discord.http import handle_message_parameters

from bot.client.buttons import Interaction
from bot.errors import PlaybackError
from bot.models import VoiceMessage

log = logging.getLogger(__name__)

_FILENAME = "voice-message.ogg"
_NOT_HERE = frozenset({50001, 50013, 50173})
"""Discord's codes for: no access, a permission is missing, no voice messages in this channel."""


def find_obstacle(interaction: Interaction) -> str:
    """Say why no voice message can be sent where a command came from, and the cure; empty where nothing is known.

    Asks nobody: what the bot may comes with the command.
    """
    if interaction.guild_id is None:
        return "direct messages with me take no voice messages: ask in a server for one"
    granted = interaction.app_permissions
    thread = isinstance(interaction.channel, discord.Thread)
    needed = {
        "View Channel": granted.view_channel,
        "Send Messages in Threads" if thread else "Send Messages": (
            granted.send_messages_in_threads if thread else granted.send_messages
        ),
        "Send Voice Messages": granted.send_voice_messages,
    }
    missing = [name for name, given in needed.items() if not given]
    return _forbidden(*missing) if missing else ""


async def try_voice_message(interaction: Interaction, message: VoiceMessage, *, label: str) -> str:
    """Post a label for everybody, then the voice message as a reply to it. Say why it was refused, with the cure.

    The label is a follow-up, so the first answer must not be pending. It comes first, so that nobody hears the voice
    without it; it goes again only where it is sure that there is nothing to hear. Raises PlaybackError.
    """
    told = await interaction.followup.send(label, wait=True, ephemeral=False)
    try:
        await _post(interaction, message, below=told)
    except discord.HTTPException as error:
        if error.status < 500:
            with suppress(discord.HTTPException):
                await told.delete()
        if error.code in _NOT_HERE:
            log.info("a voice message was refused: HTTP %s, code %s", error.status, error.code)
            return _forbidden("Send Messages", "Send Voice Messages")
        raise _not_taken() from error
    except (aiohttp.ClientError, OSError) as error:
        raise _not_taken() from error
    return ""


async def _post(interaction: Interaction, message: VoiceMessage, *, below: discord.WebhookMessage) -> None:
    reply: dict[str, Any] = {}
    if interaction.app_permissions.read_message_history:
        reference = discord.MessageReference.from_message(below, fail_if_not_exists=False)
        reply["message_reference"] = reference.to_message_reference_dict()
    params = handle_message_parameters(
        file=_VoiceFile(message),
        flags=discord.MessageFlags(voice=True),
        allowed_mentions=discord.AllowedMentions.none(),
        # discord.py asks again where Discord fails: the second must not be another message
        nonce=secrets.randbits(64),
        **reply,
    )
    for part in params.multipart or ():
        if "filename" in part:
            part["content_type"] = "audio/ogg"
    with params:
        await interaction.client.http.send_message(below.channel.id, params=params)


class _VoiceFile(discord.File):
    """A file that says how long it is and what it looks like. Owns nothing but that."""

    def __init__(self, message: VoiceMessage) -> None:
        super().__init__(io.BytesIO(message.ogg), _FILENAME)
        self._message = message

    def to_dict(self, index: int) -> dict[str, Any]:
        """Describe it to Discord."""
        return {
            **super().to_dict(index),
            "duration_secs": round(self._message.seconds, 3),
            "waveform": base64.b64encode(self._message.waveform).decode("ascii"),
        }


def _forbidden(*missing: str) -> str:
    *others, last = missing
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"I may not send voice messages here: give me {listed}"


def _not_taken() -> PlaybackError:
    return PlaybackError("Discord did not take the voice message: try again, or choose where: file.")
