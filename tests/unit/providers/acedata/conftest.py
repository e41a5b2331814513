"""Ace Data Cloud's stand-in, our door, and the provider that asks there."""

from collections.abc import AsyncIterator

import pytest

from bot.providers.acedata import AceDataProvider
from playground.services.acedata import AceDataService
from tests.ports import free_port
from tests.unit.providers.acedata.house import WatchedDoor, build


@pytest.fixture
async def service() -> AsyncIterator[AceDataService]:
    async with AceDataService() as opened:
        yield opened


@pytest.fixture
async def door() -> AsyncIterator[WatchedDoor]:
    async with WatchedDoor(free_port()) as opened:
        yield opened


@pytest.fixture
async def provider(service: AceDataService) -> AsyncIterator[AceDataProvider]:
    async with build(service) as opened:
        yield opened
