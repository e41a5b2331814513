"""Every setting of Mynah, read once from the environment or `.env`. The only place that looks there."""

from bot.settings._services import (
    AceDataSettings,
    FishSettings,
    FishSpeechSettings,
    HighwaySettings,
    MyRouterSettings,
    NovitaAISettings,
    NovitaSettings,
    OpenAISettings,
)
from bot.settings._settings import ProviderName, Settings

__all__ = [
    "AceDataSettings",
    "FishSettings",
    "FishSpeechSettings",
    "HighwaySettings",
    "MyRouterSettings",
    "NovitaAISettings",
    "NovitaSettings",
    "OpenAISettings",
    "ProviderName",
    "Settings",
]
