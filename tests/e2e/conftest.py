"""One Discord with the real bot in it for all tests that break nothing, and new ones for those that do."""

import asyncio
import fcntl
import gc
import importlib
import logging
import pickle
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

# discord.py imports audioop, which Python 3.11 and 3.12 announce to remove: not ours to fix, and an error here
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("discord")

from tests.e2e import uploads
from tests.e2e.booth import speak
from tests.e2e.ears import Recogniser
from tests.e2e.faults import SECRETS
from tests.e2e.stage import Cast, House, Scene

_OF_SERVICES = {"bot.homes"}
"""Who tells the operator at the start that a service does not work: no bug of ours."""
NewHouse = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture(scope="session")
def frozen() -> Iterator[None]:
    """Let looking for what is thrown away take no time for all that was imported."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.collect()


@pytest.fixture
def no_bugs(frozen: None, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let no test pass in which the bot, discord.py or asyncio logged a bug, also one found when it is thrown away."""
    yield
    gc.collect()
    told = [record for phase in ("setup", "call") for record in caplog.get_records(phase)] + caplog.records
    bugs = [record for record in told if record.levelno >= logging.ERROR and record.name not in _OF_SERVICES]
    assert not [record.getMessage() for record in bugs]


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    return Recogniser()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(frozen: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The Discord that all share; each test enters a new server of it."""
    async with House(tmp_path_factory.mktemp("house") / "data") as opened:
        await opened.settled()
        gc.collect()
        gc.freeze()  # what the house is made of stays as long as it
        yield opened


@pytest.fixture(scope="session")
def wardrobe(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """A folder that the workers of one run share."""
    folder = tmp_path_factory.getbasetemp().parent / f"wardrobe-{testrun_uid}"
    folder.mkdir(exist_ok=True)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def low(house: House, wardrobe: Path) -> Cast:
    """A voice cloned from a low one."""
    return await _cloned(house, uploads.story("en-us+m3", 20, whole=True), wardrobe / "low", owner_id=1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def high(house: House, wardrobe: Path) -> Cast:
    """A voice cloned from a high one."""
    return await _cloned(house, uploads.story("en-us+f2", 80, whole=True), wardrobe / "high", owner_id=2)


async def _cloned(house: House, clip: bytes, kept: Path, *, owner_id: int) -> Cast:
    """Clone a voice, or take the one that another worker cloned."""
    clones = house.bot.rules.clones
    with kept.open("a+b") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        file.seek(0)
        if made := file.read():
            return pickle.loads(made)  # noqa: S301 - written below
        draft = await clones.draft([clip], owner_id=owner_id, name="Model")
        cast = await house.cast((await clones.clone(draft)).voice)
        file.write(pickle.dumps(cast))
        return cast


@pytest_asyncio.fixture(loop_scope="session")
async def scene(house: House, no_bugs: None) -> AsyncIterator[Scene]:
    """A new server in the Discord that all share."""
    entered = house.enter()
    yield entered
    for member in (entered.alice, entered.bob):
        await member.leaves()
    await entered.quiet()
    found = house.discord.breaches.forgive()
    assert not found


@pytest.fixture
def new_house(tmp_path: Path, no_bugs: None) -> NewHouse:
    """Give what opens a Discord of its own for a test that breaks things."""

    def build(**settings: Any) -> House:
        return House(tmp_path / "data", **settings)

    return build


@pytest.fixture
def discreet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let no test pass in which the log, at its most talkative, gave away what it must not."""
    for name in ("bot", "cogs"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    told = "\n".join(caplog.handler.format(record) for record in caplog.get_records("call"))
    assert not [secret for secret in SECRETS if secret in told]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def booth(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A Discord whose bot speaks with a service's stand-in, in words that can be recognised; nothing is cached."""
    async with House(tmp_path_factory.mktemp("booth") / "data", providers=("openai",), cache_mb=0) as opened:
        opened.service.speak = speak
        await opened.settled()
        yield opened
    gc.collect()


@pytest_asyncio.fixture(loop_scope="session")
async def stall(booth: House) -> AsyncIterator[Scene]:
    """A new server where voice is broken; alice sits in the lounge."""
    booth.service.faults.clear()
    booth.service.asked.clear()
    entered = booth.enter()
    await entered.joined(entered.alice)
    yield entered
    for member in (entered.alice, entered.bob):
        await member.leaves()
    await entered.quiet()
    booth.discord.breaches.forgive()
