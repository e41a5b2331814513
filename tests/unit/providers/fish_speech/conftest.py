"""Fish Speech's stand-in, and the provider that asks there in either language."""

from collections.abc import AsyncIterator

import pytest

from bot.providers.fish_speech import FishSpeechProvider
from playground.services.fish_speech import FishSpeechService
from tests.unit.providers.fish_speech.house import build


@pytest.fixture
async def service() -> AsyncIterator[FishSpeechService]:
    async with FishSpeechService(api_key="good-key") as opened:
        yield opened


@pytest.fixture(params=["msgpack", "json"])
async def provider(service: FishSpeechService, request: pytest.FixtureRequest) -> AsyncIterator[FishSpeechProvider]:
    async with build(service, answers=request.param) as opened:
        yield opened
