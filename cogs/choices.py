"""Autocompletion of voices and styles. Suggestions only: what comes back is resolved again for its sender."""

from discord import app_commands

from bot.client.buttons import Interaction
from bot.errors import VoiceError
from bot.models import HOUSE
from bot.speech import SpeechService
from bot.voices import VoiceService

_MOST = 25
"""Discord shows no more."""
_LONGEST = 100
"""Nor takes more letters for a choice."""


async def suggest_voices(
    voices: VoiceService, interaction: Interaction, typed: str, *, own: bool = False
) -> list[app_commands.Choice[str]]:
    """Offer voices the sender may speak with, or change (`own`), that match what was typed, at most 25."""
    found = await voices.search(typed, owner_id=interaction.user.id)
    return [
        app_commands.Choice(name=voice.name[:_LONGEST], value=voice.id)
        for voice in found
        if len(voice.id) <= _LONGEST and not (own and voice.owner_id == HOUSE)
    ]


async def suggest_styles(
    voices: VoiceService, speech: SpeechService, interaction: Interaction, typed: str
) -> list[app_commands.Choice[str]]:
    """Offer the tags that the voice chosen so far knows and that hold what was typed; none where it knows none."""
    try:
        voice = await voices.resolve(interaction.namespace.voice, owner_id=interaction.user.id)
        known = speech.styles(voice)
    except VoiceError:
        return []
    found = [tag for tag in known if typed.casefold().strip() in tag]
    return [app_commands.Choice(name=tag, value=tag) for tag in found[:_MOST]]
