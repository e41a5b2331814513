"""Fish Audio's stand-in, and the provider that asks there."""

from collections.abc import AsyncIterator

import pytest

from bot.providers.fish import FishProvider
from playground.services.fish import FishService
from tests.unit.providers.fish_house import fish


@pytest.fixture
async def service() -> AsyncIterator[FishService]:
    async with FishService() as opened:
        yield opened


@pytest.fixture
async def provider(service: FishService) -> AsyncIterator[FishProvider]:
    async with fish(service) as opened:
        yield opened
