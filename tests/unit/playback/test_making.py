import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from bot.errors import ProviderError
from bot.models import Packets
from bot.playback.buffer import LineBuffer
from bot.playback.line import Line
from bot.playback.making import AHEAD, Making


class Maker:
    """Makes sentences of so many packets; holds each at its gate. Owns which were opened and closed."""

    def __init__(self, *sizes: int, held: frozenset[int] = frozenset(), fault: BaseException | None = None) -> None:
        self.sizes = sizes
        self.fault = fault
        """What every sentence breaks off with."""
        self.opened: list[int] = []
        self.closed: list[int] = []
        self.gates = {number: asyncio.Event() for number in held}

    @asynccontextmanager
    async def open(self, number: int) -> AsyncIterator[Packets]:
        self.opened.append(number)
        try:
            yield self._packets(number)
        finally:
            self.closed.append(number)

    async def _packets(self, number: int) -> Packets:
        for _ in range(self.sizes[number]):
            yield [b"x"]
        if number in self.gates:
            await self.gates[number].wait()
        if self.fault is not None:
            raise self.fault

    def line(self) -> Line:
        return Line(asker_id=1, channel=SimpleNamespace(), open=self.open, sentences=("",) * len(self.sizes))


async def _settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def _hear(buffer: LineBuffer, packets: int) -> None:
    while packets:
        packets -= buffer.take() == b"x"
    await _settle()


@pytest.fixture
async def making() -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks: list[asyncio.Task[None]] = []
    yield tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_next_sentence_begins_when_the_one_before_is_all_there(making: list[asyncio.Task[None]]) -> None:
    maker, buffer = Maker(20, 20, held=frozenset({0})), LineBuffer()
    making.append(asyncio.create_task(Making(maker.line(), buffer).run()))
    await _settle()
    assert maker.opened == [0]

    maker.gates[0].set()
    await making[0]

    assert maker.opened == maker.closed == [0, 1]


async def test_the_next_sentence_begins_when_a_second_of_a_long_one_was_heard(
    making: list[asyncio.Task[None]],
) -> None:
    maker, buffer = Maker(100, 20, 20, held=frozenset({0})), LineBuffer()
    making.append(asyncio.create_task(Making(maker.line(), buffer).run()))
    await _settle()
    await _hear(buffer, 49)
    assert maker.opened == [0]

    await _hear(buffer, 1)

    assert maker.opened == [0, 1]


async def test_nothing_is_opened_further_than_5_s_ahead_of_what_is_heard(making: list[asyncio.Task[None]]) -> None:
    maker, buffer = Maker(*[100] * 8), LineBuffer()
    making.append(asyncio.create_task(Making(maker.line(), buffer).run()))
    await _settle()
    await _settle()
    assert maker.opened == [0, 1, 2]
    assert buffer.ahead == 300 > AHEAD

    await _hear(buffer, 49)
    await _settle()
    assert maker.opened == [0, 1, 2]
    await _hear(buffer, 26)
    await _settle()

    assert maker.opened == [0, 1, 2, 3]


async def test_after_a_sentence_that_broke_off_no_other_is_opened() -> None:
    maker, buffer = Maker(5, 5, fault=ProviderError("It broke.", kind="server")), LineBuffer(head=1)

    with pytest.raises(ProviderError, match="It broke"):
        await Making(maker.line(), buffer).run()

    assert maker.opened == maker.closed == [0]
    assert [buffer.take() for _ in range(6)] == [b"x"] * 5 + [b""]


async def test_a_line_that_is_stopped_opens_nothing_more_and_closes_what_is_open(
    making: list[asyncio.Task[None]],
) -> None:
    maker, buffer = Maker(20, 20, 20, held=frozenset({1})), LineBuffer()
    making.append(asyncio.create_task(Making(maker.line(), buffer).run()))
    await _settle()
    assert maker.opened == [0, 1]

    making[0].cancel()
    await asyncio.wait(making)
    await _settle()

    assert maker.opened == maker.closed == [0, 1]
