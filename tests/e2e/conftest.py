"""One Discord with the real bot in it for all tests that break nothing, and new ones for those that do."""

import importlib
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

# discord.py imports audioop, which Python 3.11 and 3.12 announce to remove: not ours to fix, and an error here
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("discord")

from tests.e2e import uploads  # noqa: E402
from tests.e2e.ears import Recogniser  # noqa: E402
from tests.e2e.stage import Cast, House, Scene  # noqa: E402

NewHouse = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    return Recogniser()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The Discord that all share; each test enters a new server of it."""
    async with House(tmp_path_factory.mktemp("house") / "data") as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def low(house: House) -> Cast:
    """A voice cloned from a low one."""
    return await _cloned(house, uploads.story("en-us+m3", 20), owner_id=1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def high(house: House) -> Cast:
    """A voice cloned from a high one."""
    return await _cloned(house, uploads.story("en-us+f2", 80), owner_id=2)


async def _cloned(house: House, clip: bytes, *, owner_id: int) -> Cast:
    voices = house.bot.rules.voices
    draft = await voices.draft([clip], owner_id=owner_id, name="Model")
    return await house.cast(await voices.clone(draft))


@pytest_asyncio.fixture(loop_scope="session")
async def scene(house: House) -> AsyncIterator[Scene]:
    """A new server in the Discord that all share."""
    entered = house.enter()
    yield entered
    for member in (entered.alice, entered.bob):
        await member.leaves()
    await entered.quiet()
    found = house.discord.breaches.forgive()
    assert not found


@pytest.fixture
def new_house(tmp_path: Path) -> NewHouse:
    """Give what opens a Discord of its own for a test that breaks things."""

    def build(**settings: object) -> House:
        return House(tmp_path / "data", **settings)

    return build
