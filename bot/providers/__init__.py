"""Who clones and synthesizes: one door, one file per dialect behind it."""

from collections.abc import Mapping

from bot.providers.base import VoiceProvider
from bot.providers.imitation import ImitationProvider
from bot.settings import Settings

__all__ = ["VoiceProvider", "create_providers"]


def create_providers(settings: Settings) -> Mapping[str, VoiceProvider]:
    """Make every provider these settings allow, by name, not yet open. A voice keeps the one it was made at."""
    providers = (ImitationProvider(settings.data_dir / "imitation"),)
    return {provider.name: provider for provider in providers}
