"""Autocompletion of voices and styles. Suggestions only: what comes back is resolved again for its sender."""

from discord import app_commands

from bot.client.buttons import Interaction
from bot.errors import VoiceError
from bot.speech import SpeechService
from bot.voices import VoiceService

_MOST = 25
"""Discord shows no more."""


async def suggest_voices(voices: VoiceService, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the sender's own voices that match what was typed, at most 25."""
    found = await voices.search(typed, owner_id=interaction.user.id)
    return [app_commands.Choice(name=voice.name, value=voice.id) for voice in found]


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
