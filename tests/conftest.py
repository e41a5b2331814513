"""What tests of the rules stand on: a real store on a fresh file, real sound, a provider that does as it is told."""

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from bot import audio
from bot.arrivals import Arrivals
from bot.cloning import CloneService, Draft
from bot.homes import Homes
from bot.models import Voice
from bot.samples import SampleService, Take
from bot.speech import SpeechService
from bot.store import Store
from bot.text import clean_tags
from bot.voices import VoiceService
from bot.watching import Pace, VoiceWatch
from tests.fakes import FakeProvider, SlowFake
from tests.sounds import clip

# how long an example takes says more of the machine than of the code
settings.register_profile("mynah", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mynah")

ALICE = 80351110224678912
BOB = 80351110224678913

LIMITS = audio.Limits(max_bytes=5_000_000, max_seconds=60)

E2E = Path(__file__).parent / "e2e"

QUICK = Pace(first=0.001, longest=0.002, until=60.0, lost=0.0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have all workers but one begin with their share of the long tests, beside which that one does not wait but works.

    What is short goes at the end to whoever is free: nobody comes back to long ones, whose Discord stood still since.
    """
    long = [item for item in items if item.path.is_relative_to(E2E)]
    short = [item for item in items if not item.path.is_relative_to(E2E)]
    items.clear()
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    patient = max(count - 1, 1)
    for number in range(count):
        share = (len(long) + len(short)) // (count - number)
        begins = len(long) // (patient - number) if number < patient else 0
        items += [*long[:begins], *short[: share - begins]]
        del long[:begins], short[: share - begins]


def build_clones(
    store: Store, homes: Homes, samples: SampleService, *, watch: VoiceWatch | None = None, keep_samples: bool = True
) -> CloneService:
    """Put the rules for making voices together."""
    arrivals = Arrivals(store, homes)
    watch = watch or VoiceWatch(store, homes, arrivals, pace=QUICK)
    return CloneService(store, homes, samples, arrivals, watch, max_voices=4, keep_samples=keep_samples)


def build_draft(take: Take, name: str = "Aki", *, owner_id: int = ALICE, **more: Any) -> Draft:
    """Name a recording, to be confirmed."""
    draft = Draft(id=uuid.uuid4().hex, owner_id=owner_id, name=name, description="", tags=(), take=take)
    return replace(draft, **more)


@pytest.fixture(scope="session")
def recording() -> bytes:
    """Give a WAV of 8 s with about 7 s of speech."""
    return clip(8)


@pytest.fixture(scope="session")
def take(recording: bytes) -> Take:
    """Give that recording as it was listened to."""
    return asyncio.run(SampleService(LIMITS).listen([recording]))


def _at(path: Path) -> Store:
    return Store(f"sqlite+aiosqlite:///{path}", key=bytes(range(32)))


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a database in which nothing is, brought to the present schema once."""
    path = tmp_path_factory.mktemp("blank") / "mynah.db"

    async def make() -> None:
        async with _at(path):
            pass

    asyncio.run(make())
    return path


@pytest.fixture
async def store(blank: Path, tmp_path: Path) -> AsyncIterator[Store]:
    async with _at(shutil.copy(blank, tmp_path / "mynah.db")) as opened:
        yield opened


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def elsewhere() -> SlowFake:
    """Give a second provider, where nothing new is made."""
    return SlowFake()


@pytest.fixture
def samples() -> SampleService:
    return SampleService(LIMITS)


@pytest.fixture
def homes(store: Store, provider: FakeProvider, elsewhere: SlowFake) -> Homes:
    return Homes(store, {provider.name: provider, elsewhere.name: elsewhere}, default=provider.name)


@pytest.fixture
def watch(store: Store, homes: Homes) -> VoiceWatch:
    return VoiceWatch(store, homes, Arrivals(store, homes), pace=QUICK)


@pytest.fixture
def voices(store: Store, homes: Homes) -> VoiceService:
    return VoiceService(store, homes, Arrivals(store, homes))


@pytest.fixture
def clones(store: Store, homes: Homes, samples: SampleService, watch: VoiceWatch) -> CloneService:
    return build_clones(store, homes, samples, watch=watch)


@pytest.fixture
def speech(store: Store, homes: Homes, samples: SampleService) -> SpeechService:
    return SpeechService(store, homes, samples, max_text=200)


@pytest.fixture
def clone(clones: CloneService, take: Take) -> Callable[..., Awaitable[Voice]]:
    """Give what makes a voice from the recording without listening to it each time."""

    async def make(name: str = "Aki", *, owner_id: int = ALICE, description: str = "", tags: str = "") -> Voice:
        draft = Draft(
            id=uuid.uuid4().hex,
            owner_id=owner_id,
            name=await clones.admit(name, owner_id=owner_id),
            description=description,
            tags=clean_tags(tags),
            take=take,
        )
        return (await clones.clone(draft)).voice

    return make
