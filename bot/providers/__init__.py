"""Who clones and synthesizes: one door, one dialect for each service behind it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bot.providers.base import VoiceProvider

if TYPE_CHECKING:
    import aiohttp

    from bot.providers.doorstep import Doorstep
    from bot.providers.patience import Patience
    from bot.settings import ProviderName, Settings

__all__ = ["VoiceProvider", "create_providers"]


def create_providers(
    settings: "Settings",
    *,
    doorstep: "Doorstep | None" = None,
    downloads: "aiohttp.BaseConnector | None" = None,
    patience: "Patience | None" = None,
) -> Mapping[str, VoiceProvider]:
    """Make every provider these settings allow, by name, not yet open. A voice keeps the one it was made at.

    `patience`: with every service; without it, each provider's own.
    """
    # the engine's processes pass this room and use none of it: half of what they would load
    from bot.providers.acedata import AceDataProvider
    from bot.providers.downloads import Downloads
    from bot.providers.fish import FishProvider
    from bot.providers.fish_speech import FishSpeechProvider
    from bot.providers.imitation import ImitationProvider
    from bot.providers.novita import HighwayProvider, MyRouterProvider, NovitaProvider
    from bot.providers.openai import OpenAIProvider

    fetching = Downloads(downloads, patience=patience)
    makers: Mapping[ProviderName, Callable[[], VoiceProvider]] = {
        "imitation": lambda: ImitationProvider(settings.data_dir / "imitation"),
        "fish": lambda: FishProvider(settings.fish, patience=patience),
        "highwayapi": lambda: HighwayProvider(settings.highwayapi, patience=patience),
        "myrouter": lambda: MyRouterProvider(settings.myrouter, patience=patience),
        "novita": lambda: NovitaProvider(settings.novita, patience=patience),
        "acedata": lambda: AceDataProvider(settings.acedata, downloads=fetching, doorstep=doorstep, patience=patience),
        "fish-speech": lambda: FishSpeechProvider(settings.fishspeech, patience=patience),
        "openai": lambda: OpenAIProvider(settings.openai, patience=patience),
    }
    return {name: make() for name, make in makers.items() if settings.is_on(name)}
