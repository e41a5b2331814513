from collections.abc import AsyncIterator

import pytest

from playground.services.fish import FishService
from tests.unit.playground.services.fishing import Angler, angler_at


@pytest.fixture
async def fish() -> AsyncIterator[FishService]:
    async with FishService() as service:
        yield service


@pytest.fixture
async def angler(fish: FishService) -> AsyncIterator[Angler]:
    async with angler_at(fish.url) as opened:
        yield opened
