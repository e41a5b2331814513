"""Fish Audio's stand-in and our provider in front of it, for the tests of what goes over that wire."""

from collections.abc import AsyncIterator

import pytest

from bot.providers.fish import FishProvider
from playground.services.fish import FishService
from tests.unit.providers.fish_house import clone_request, fish


@pytest.fixture
async def service() -> AsyncIterator[FishService]:
    async with FishService() as opened:
        yield opened


@pytest.fixture
async def provider(service: FishService) -> AsyncIterator[FishProvider]:
    async with fish(service, model="s2-pro") as opened:
        yield opened


async def make(provider: FishProvider) -> str:
    return (await provider.create(clone_request())).id
