import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from bot.playback import Limits, Speakers
from tests.unit.playback.aviary import ALICE, LOUNGE, Aviary

LIMITS = Limits(max_queue=3, idle_seconds=60.0, finish_seconds=0.05)


@pytest.fixture(autouse=True)
def no_thread_stays_behind() -> Iterator[None]:
    before = set(threading.enumerate())  # other files' are theirs
    yield
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith(("voice-socket-reader", "audio-player", "voice-keep-alive", "pacer", "outbox")):
            thread.join(timeout=2)
            assert not thread.is_alive(), thread.name


@pytest.fixture
async def aviary(no_thread_stays_behind: None) -> AsyncIterator[Aviary]:
    """A server where alice sits in the lounge."""
    async with Aviary() as aviary:
        aviary.move(ALICE, LOUNGE)
        yield aviary


@pytest.fixture
async def speakers(aviary: Aviary) -> AsyncIterator[Speakers]:
    async with Speakers(LIMITS, connect=aviary.connect) as speakers:
        aviary.listeners.append(speakers.notice)
        yield speakers
