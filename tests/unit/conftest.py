"""A Discord on loopback, for whichever room of the tests needs one."""

from collections.abc import AsyncIterator

import pytest

from playground.discord import Discord, Guild, open_discord


@pytest.fixture
async def house() -> AsyncIterator[Discord]:
    """A Discord in which nothing may happen that it does not know."""
    async with open_discord() as opened:
        yield opened


@pytest.fixture
def guild(house: Discord) -> Guild:
    return house.add_guild("Aviary")
