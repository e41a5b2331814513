"""A far end, and what asks there."""

from collections.abc import AsyncIterator

import pytest

from bot.providers.http import Http
from tests.unit.providers.http.house import Far, opened


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    async with Far() as service:
        yield service


@pytest.fixture
async def http(far: Far) -> AsyncIterator[Http]:
    async with opened(far.url) as session:
        yield session
