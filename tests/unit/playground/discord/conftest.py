import pytest

from playground.discord import Guild, Member


@pytest.fixture
def alice(guild: Guild) -> Member:
    return guild.add_member("alice")


@pytest.fixture
def bob(guild: Guild) -> Member:
    return guild.add_member("bob")
