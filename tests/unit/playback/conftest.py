import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from bot.playback import Limits, Speakers, aio
from bot.playback.outbox import Outbox
from tests.unit.playback.aviary import ALICE, LOUNGE, Aviary
from tests.unit.playback.ways import OpenWays, Way

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


@pytest.fixture
def opened() -> Iterator[OpenWays]:
    """Open ways from one socket to another, over loopback."""
    ways: list[Way] = []

    def open_ways(count: int) -> Sequence[Way]:
        for _ in range(count):
            near, far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
            far.bind(("127.0.0.1", 0))
            far.settimeout(5.0)
            near.connect(far.getsockname())
            near.setblocking(False)
            ways.append((near, far))
        return ways

    yield open_ways
    for way in ways:
        for end in way:
            end.close()


@pytest.fixture(params=["at once", "one by one"])
def box(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    """An outbox where the system takes many datagrams at once, and where it does not."""
    if request.param == "one by one":
        monkeypatch.setattr(aio.platform, "machine", lambda: "abacus")
    box = Outbox()
    yield box
    box.close()
