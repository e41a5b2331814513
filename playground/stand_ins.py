"""The stand-in of each voice service, and the settings with which the bot finds it. Opens nothing of Discord."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic import BaseModel

from bot.settings import (
    AceDataSettings,
    FishSettings,
    FishSpeechSettings,
    HighwaySettings,
    MyRouterSettings,
    NovitaAISettings,
    OpenAISettings,
    ProviderName,
)
from playground.services.acedata import AceDataService
from playground.services.fish import FishService
from playground.services.fish_speech import FishSpeechService
from playground.services.novita import NovitaService
from playground.services.openai import OpenAIService
from playground.services.service import Service
from playground.services.sound import Speak, babble

_KEY = "good-key"
"""Known to every stand-in."""
Connect = Callable[[], aiohttp.BaseConnector]


@dataclass(frozen=True, slots=True)
class StandIn:
    """A service that is open, and how to reach it."""

    service: Service | None
    """None: the embedded engine, which is its own."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `Settings`."""
    downloads: aiohttp.BaseConnector | None = None
    """The way to the results it names by address."""


@asynccontextmanager
async def open_stand_in(
    provider: ProviderName, *, speak: Speak = babble, fetches: Connect | None = None, **chosen: Any
) -> AsyncIterator[StandIn]:
    """Open the stand-in of a provider. `fetches` leads to the recordings a service fetches; `chosen` are its settings.

    The settings make it the provider of new voices.
    """
    service = _build(provider, speak, fetches)
    if service is None:
        yield StandIn(None, {"provider": provider})
        return
    async with service:
        settings = {"provider": provider, **_settings(provider, service.url, chosen)}
        downloads = service.downloads_connector() if isinstance(service, AceDataService) else None
        yield StandIn(service, settings, downloads)


def _build(provider: ProviderName, speak: Speak, fetches: Connect | None) -> Service | None:
    makers: Mapping[ProviderName, Callable[[], Service]] = {
        "fish": lambda: FishService(speak=speak),
        "highwayapi": lambda: NovitaService(speak=speak),
        "myrouter": lambda: NovitaService(speak=speak),
        "novita": lambda: NovitaService(speak=speak),
        "acedata": lambda: AceDataService(speak=speak, fetches=fetches() if fetches else None),
        "fish-speech": lambda: FishSpeechService(speak=speak),
        "openai": lambda: OpenAIService(speak=speak),
    }
    return None if provider == "imitation" else makers[provider]()


def _settings(provider: ProviderName, url: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    makers: Mapping[ProviderName, tuple[str, type[BaseModel], Mapping[str, Any]]] = {
        "fish": ("fish", FishSettings, {"api_key": _KEY}),
        "highwayapi": ("highwayapi", HighwaySettings, {"api_key": _KEY}),
        "myrouter": ("myrouter", MyRouterSettings, {"api_key": _KEY}),
        "novita": ("novita", NovitaAISettings, {"api_key": _KEY}),
        "acedata": ("acedata", AceDataSettings, {"api_key": _KEY}),
        "fish-speech": ("fishspeech", FishSpeechSettings, {}),
        "openai": ("openai", OpenAISettings, {"api_key": _KEY, "base_url": f"{url}/v1", "voices": "alloy, nova"}),
    }
    name, maker, needed = makers[provider]
    return {name: maker.model_validate({"base_url": url, **needed, **chosen})}
