import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.providers.limiter import Limiter


class Hall:
    """Owns visitors of a limiter: who holds a place, in which order they came to it, and when they leave."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self.inside: list[str] = []
        self.order: list[str] = []
        self._doors: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str) -> None:
        """Let visitors come, one after the other; the first letter is the party."""
        for name in names:
            self._doors[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._visit(name))
            await self.settle()

    async def leave(self, *names: str) -> None:
        for name in names:
            self._doors[name].set()
            await self._tasks.pop(name)
            await self.settle()

    async def give_up(self, name: str) -> None:
        task = self._tasks.pop(name)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await self.settle()

    async def empty(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def _visit(self, name: str) -> None:
        async with self.limiter.turn(ord(name[0])):
            self.inside.append(name)
            self.order.append(name)
            try:
                await self._doors[name].wait()
            finally:
                self.inside.remove(name)


@asynccontextmanager
async def hall(limit: int) -> AsyncIterator[Hall]:
    opened = Hall(Limiter(limit))
    try:
        yield opened
    finally:
        await opened.empty()


async def test_as_many_are_inside_as_there_are_places() -> None:
    async with hall(2) as visitors:
        await visitors.come("a1", "a2", "a3")
        assert visitors.inside == ["a1", "a2"]

        await visitors.leave("a1")
        assert visitors.inside == ["a2", "a3"]


async def test_a_busy_party_does_not_starve_the_rest() -> None:
    async with hall(2) as visitors:
        await visitors.come("a1", "a2", "a3", "a4", "b1", "c1", "b2")

        await visitors.leave("a1", "a2", "b1", "c1", "a3")

    assert visitors.order == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_parties_that_hold_alike_take_turns() -> None:
    async with hall(1) as visitors:
        await visitors.come("a1", "a2", "a3", "b1", "b2", "c1")

        await visitors.leave("a1", "b1", "c1", "a2", "b2")

    assert visitors.order == ["a1", "b1", "c1", "a2", "b2", "a3"]


async def test_more_places_are_given_out_at_once() -> None:
    async with hall(1) as visitors:
        await visitors.come("a1", "a2", "b1", "c1")

        visitors.limiter.resize(3)
        await visitors.settle()

        assert visitors.limiter.limit == 3
        assert sorted(visitors.inside) == ["a1", "b1", "c1"]


async def test_fewer_places_are_filled_when_enough_have_left() -> None:
    async with hall(3) as visitors:
        await visitors.come("a1", "a2", "a3", "b1")

        visitors.limiter.resize(1)
        await visitors.leave("a1", "a2")
        assert visitors.inside == ["a3"]

        await visitors.leave("a3")
        assert visitors.inside == ["b1"]


@pytest.mark.parametrize("limit", [0, -3])
async def test_one_place_always_remains(limit: int) -> None:
    async with hall(2) as visitors:
        visitors.limiter.resize(limit)
        await visitors.come("a1", "a2")

        assert visitors.inside == ["a1"]


async def test_who_gives_up_waiting_gives_way() -> None:
    async with hall(1) as visitors:
        await visitors.come("a1", "b1", "c1")

        await visitors.give_up("b1")
        await visitors.leave("a1")

        assert visitors.inside == ["c1"]


async def test_who_gives_up_waiting_frees_no_place() -> None:
    async with hall(1) as visitors:
        await visitors.come("a1", "a2", "a3")

        await visitors.give_up("a3")

        assert visitors.inside == ["a1"]


async def test_who_is_cancelled_inside_leaves_the_place() -> None:
    async with hall(1) as visitors:
        await visitors.come("a1", "b1")

        await visitors.give_up("a1")

        assert visitors.inside == ["b1"]


async def test_a_place_given_to_one_who_has_just_given_up_goes_to_the_next() -> None:
    limiter = Limiter(1)
    first = limiter.turn(1)
    await first.__aenter__()
    waiting = asyncio.create_task(limiter.turn(2).__aenter__())
    await asyncio.sleep(0)

    await first.__aexit__(None, None, None)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    async with asyncio.timeout(60), limiter.turn(3):
        pass


async def test_one_who_gives_up_as_a_place_comes_free_does_not_take_it_along() -> None:
    limiter = Limiter(1)
    first = limiter.turn(1)
    await first.__aenter__()
    waiting = asyncio.create_task(limiter.turn(2).__aenter__())
    await asyncio.sleep(0)

    waiting.cancel()
    await first.__aexit__(None, None, None)
    with pytest.raises(asyncio.CancelledError):
        await waiting

    async with asyncio.timeout(60), limiter.turn(3):
        pass


STEPS = st.lists(
    st.tuples(st.sampled_from(["come", "leave", "give up", "resize"]), st.integers(0, 7)), min_size=1, max_size=60
)


@given(limit=st.integers(1, 4), steps=STEPS)
async def test_never_too_many_are_inside_and_everybody_gets_in(limit: int, steps: list[tuple[str, int]]) -> None:
    async with hall(limit) as visitors:
        came: list[str] = []
        for count, (step, number) in enumerate(steps):
            present = [name for name in came if name not in visitors.inside]
            before = len(visitors.inside)
            match step:
                case "come":
                    came.append(f"{'abcd'[number % 4]}{count}")
                    await visitors.come(came[-1])
                case "leave" if visitors.inside:
                    name = visitors.inside[number % len(visitors.inside)]
                    came.remove(name)
                    await visitors.leave(name)
                case "give up" if present:
                    name = present[number % len(present)]
                    came.remove(name)
                    await visitors.give_up(name)
                case "resize":
                    visitors.limiter.resize(number)
                    await visitors.settle()
                case _:
                    pass
            allowed = visitors.limiter.limit
            assert len(visitors.inside) <= max(allowed, before)
            assert len(visitors.inside) >= min(allowed, len(came))

        for _ in range(len(came)):
            await visitors.leave(visitors.inside[0])

        assert set(came) <= set(visitors.order)
        assert visitors.inside == []


@given(st.integers(2, 30))
async def test_a_newcomer_is_next_however_many_of_a_busy_party_wait(crowd: int) -> None:
    async with hall(1) as visitors:
        await visitors.come(*[f"a{number}" for number in range(crowd)], "b0")

        await visitors.leave("a0")

        assert visitors.inside == ["b0"]
