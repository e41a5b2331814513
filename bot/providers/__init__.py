"""Who clones and synthesizes: one door, one dialect for each service behind it."""

from collections.abc import Callable, Mapping

import aiohttp

from bot.providers.base import VoiceProvider
from bot.providers.doorstep import Doorstep
from bot.providers.imitation import ImitationProvider
from bot.settings import ProviderName, Settings

__all__ = ["VoiceProvider", "create_providers"]


def create_providers(
    settings: Settings, *, doorstep: Doorstep | None = None, downloads: aiohttp.BaseConnector | None = None
) -> Mapping[str, VoiceProvider]:
    """Make every provider these settings allow, by name, not yet open. A voice keeps the one it was made at."""
    makers: Mapping[ProviderName, Callable[[], VoiceProvider]] = {
        "imitation": lambda: ImitationProvider(settings.data_dir / "imitation"),
    }
    return {name: make() for name, make in makers.items() if settings.is_on(name)}
