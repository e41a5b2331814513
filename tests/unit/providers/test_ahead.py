"""Sound is read on to its end though nobody listens, and what holds it is given back."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.errors import ProviderError
from bot.providers.ahead import read_ahead
from bot.providers.base import AudioStream

CUT = ProviderError("It broke off.", kind="network")


class Source:
    """Sound that comes as it is told. Owns the signs of what happened to it."""

    def __init__(
        self,
        *chunks: bytes,
        refusal: Exception | None = None,
        fault: Exception | None = None,
        exit_fault: Exception | None = None,
    ) -> None:
        self.closed = asyncio.Event()
        self.asked = asyncio.Event()
        self.admitted = asyncio.Event()
        self.admitted.set()
        self.go = asyncio.Event()
        """All but the first chunk wait for this."""
        self.go.set()
        self._chunks = chunks
        self._refusal = refusal
        self._fault = fault
        self._exit_fault = exit_fault

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AudioStream]:
        self.asked.set()
        try:
            await self.admitted.wait()
            if self._refusal is not None:
                raise self._refusal
            yield AudioStream(encoding="pcm", chunks=self._read(), rate=16_000, phrases=True)
            if self._exit_fault is not None:
                raise self._exit_fault
        finally:
            # letting go takes a moment
            await asyncio.sleep(0)
            self.closed.set()

    async def _read(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
            await self.go.wait()
        if self._fault is not None:
            raise self._fault


async def collect(stream: AudioStream, heard: list[bytes]) -> None:
    async for chunk in stream.chunks:
        heard.append(chunk)  # noqa: PERF401 - what came before an error counts


async def test_sound_is_handed_on_as_it_is() -> None:
    heard: list[bytes] = []
    async with read_ahead(Source(b"one", b"two").open()) as stream:
        await collect(stream, heard)

    assert (stream.encoding, stream.rate, stream.phrases) == ("pcm", 16_000, True)
    assert heard == [b"one", b"two"]


async def test_sound_is_handed_on_before_all_of_it_is_there() -> None:
    source = Source(b"one", b"two")
    source.go.clear()
    async with read_ahead(source.open()) as stream:
        assert await anext(stream.chunks) == b"one"
        assert not source.closed.is_set()
        source.go.set()
        assert [chunk async for chunk in stream.chunks] == [b"two"]


async def test_what_holds_the_sound_is_given_back_before_it_was_heard() -> None:
    source, heard = Source(*[b"x"] * 1000), list[bytes]()
    async with read_ahead(source.open()) as stream:
        await source.closed.wait()
        await collect(stream, heard)

    assert len(heard) == 1000


@pytest.mark.parametrize("error", [CUT, RuntimeError("a bug")])
async def test_what_fails_on_the_way_in_is_raised_there(error: Exception) -> None:
    source = Source(refusal=error)
    with pytest.raises(type(error)) as caught:
        async with read_ahead(source.open()):
            pytest.fail("entered")

    assert caught.value is error
    assert source.closed.is_set()


@pytest.mark.parametrize("at_exit", [False, True])
async def test_an_error_is_met_after_what_came_before_it(at_exit: bool) -> None:
    source = Source(b"one", b"two", exit_fault=CUT) if at_exit else Source(b"one", b"two", fault=CUT)
    heard: list[bytes] = []
    async with read_ahead(source.open()) as stream:
        await source.closed.wait()
        with pytest.raises(ProviderError) as caught:
            await collect(stream, heard)

    assert caught.value is CUT
    assert heard == [b"one", b"two"]


async def test_leaving_early_ends_the_reading_and_waits_for_it() -> None:
    source = Source(b"one", b"two")
    source.go.clear()
    async with read_ahead(source.open()) as stream:
        await anext(stream.chunks)

    assert source.closed.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_error_that_nobody_stays_for_is_no_complaint(caplog: pytest.LogCaptureFixture) -> None:
    source = Source(b"one", fault=CUT)
    async with read_ahead(source.open()):
        await source.closed.wait()

    assert caplog.text == ""


async def test_a_bug_that_nobody_stays_for_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    source = Source(b"one", fault=RuntimeError("a bug"))
    with caplog.at_level(logging.ERROR):
        async with read_ahead(source.open()):
            await source.closed.wait()

    assert "a bug" in caplog.text


@pytest.mark.parametrize("admitted", [False, True])
async def test_a_listener_that_is_cancelled_leaves_nothing_running(admitted: bool) -> None:
    source = Source(b"one", b"two")
    source.go.clear()
    if not admitted:
        source.admitted.clear()

    async def listen() -> None:
        async with read_ahead(source.open()) as stream:
            await collect(stream, [])

    listening = asyncio.create_task(listen())
    await source.asked.wait()
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening

    assert source.closed.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}
