"""Autocompletion of voices. Suggestions only: what comes back is resolved again for its sender."""

from discord import app_commands

from bot.client.buttons import Interaction
from bot.voices import VoiceService


async def suggest_voices(voices: VoiceService, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the sender's own voices that match what was typed, at most 25."""
    found = await voices.search(typed, owner_id=interaction.user.id)
    return [app_commands.Choice(name=voice.name, value=voice.id) for voice in found]
