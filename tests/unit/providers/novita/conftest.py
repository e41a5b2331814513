"""The stand-in of HighwayAPI, MyRouter and Novita AI, and a provider that asks there."""

from collections.abc import AsyncIterator

import pytest

from playground.services.novita import NovitaService
from tests.unit.providers.novita.house import Reseller, opened


@pytest.fixture
async def service() -> AsyncIterator[NovitaService]:
    async with NovitaService() as opened:
        yield opened


@pytest.fixture
async def provider(service: NovitaService) -> AsyncIterator[Reseller]:
    async with opened(service) as made:
        yield made
