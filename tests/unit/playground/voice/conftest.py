from collections.abc import AsyncIterator

import pytest_asyncio

from playground.discord.voice import VoiceServer
from tests.unit.playground.voice.house import House, open_house


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    """A voice server where nothing may be done that it does not know."""
    async with open_house(VoiceServer()) as opened:
        yield opened
