import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from itertools import pairwise

import pytest

from bot.playback.outbox import AT_ONCE, FEW, PHASES
from bot.playback.pacer import Pacer, Tick
from bot.playback.player import TAIL, Player


@pytest.fixture
async def pacer() -> AsyncIterator[Pacer]:
    async with Pacer() as pacer:
        yield pacer


def _ticks(
    times: list[float], count: int, ended: threading.Event, work: Callable[[int], None] = lambda _: None
) -> Tick:
    def tick(_most: int) -> int:
        times.append(time.perf_counter())
        work(len(times))
        if len(times) == count:
            ended.set()
        return len(times) < count

    return tick


class Nobody:
    """Does not mind what becomes of its datagrams."""

    def refuse(self, reason: int) -> None:
        pass


async def _wait(*ended: threading.Event) -> None:
    for each in ended:
        assert await asyncio.to_thread(each.wait, 5.0)


async def test_a_tick_is_called_once_in_20_ms_until_it_says_that_it_is_over(pacer: Pacer) -> None:
    times: list[float] = []
    ended = threading.Event()

    pacer.add(_ticks(times, 11, ended))
    await _wait(ended)

    assert (times[-1] - times[0]) + pacer.skipped >= 0.19
    await asyncio.sleep(0.05)
    assert len(times) == 11


async def test_a_stall_is_counted_and_not_caught_up_with_in_a_burst(pacer: Pacer) -> None:
    times: list[float] = []
    ended = threading.Event()

    def work(number: int) -> None:
        if number in {5, 10}:
            time.sleep(0.3)
        for _ in range(3):
            pacer.outbox.put(Nobody(), -1, [b"nowhere"])

    pacer.add(_ticks(times, 20, ended, work))
    await _wait(ended)

    assert pacer.late >= 6
    assert pacer.late % 3 == 0
    assert pacer.skipped > 0.4
    behind = [later - earlier for earlier, later in pairwise(times[5:])]
    assert sum(gap < 0.015 for gap in behind) <= 8


async def test_the_clock_goes_on_until_what_was_put_has_left(pacer: Pacer) -> None:
    near, far = socket.socketpair(type=socket.SOCK_SEQPACKET)
    with near, far:
        far.settimeout(5.0)

        def tick(_most: int) -> int:
            pacer.outbox.put(Nobody(), near.fileno(), [bytes([number]) for number in range(AT_ONCE)])
            return 0

        pacer.add(tick)

        assert [await asyncio.to_thread(far.recv, 1) for _ in range(AT_ONCE)] == [bytes([n]) for n in range(AT_ONCE)]


async def test_a_clock_that_stops_does_so_when_the_next_packet_may_be_sent_at_once(pacer: Pacer) -> None:
    due: list[int] = []

    def tick(_most: int) -> int:
        pacer.outbox.put(Nobody(), -1, [b"nowhere"] * 2)
        due.append(pacer.outbox.moment + 2 * PHASES)
        return 0

    async def rest() -> None:
        """Wait until the clock has stopped."""
        while pacer.outbox.waiting or pacer.outbox.moment == 0:  # noqa: ASYNC110 - of which nobody tells
            await asyncio.sleep(0)

    pacer.add(tick)
    await rest()

    assert pacer.outbox.moment >= due[0]


async def test_who_sends_some_at_a_time_is_ticked_when_they_have_left(pacer: Pacer) -> None:
    moments: list[int] = []
    ended = threading.Event()
    counts = [1, AT_ONCE, 3, 0]

    def tick(_most: int) -> int:
        moments.append(pacer.outbox.moment)
        if len(moments) == len(counts):
            ended.set()
        return counts[len(moments) - 1]

    pacer.add(tick)
    await _wait(ended)

    rounds = [(later - earlier) / PHASES for earlier, later in pairwise(moments)]
    assert rounds == counts[:-1]


async def test_those_who_begin_together_do_not_all_send_some_at_a_time_together(pacer: Pacer) -> None:
    players = 8 * PHASES * AT_ONCE
    turns: Counter[int] = Counter()
    full = threading.Event()

    def tick(most: int) -> int:
        moment = pacer.outbox.moment
        if moment >= 3 * PHASES * AT_ONCE:
            turns[moment] += 1
        if moment >= 5 * PHASES * AT_ONCE:
            full.set()
        return 0 if full.is_set() else most

    for _ in range(players):
        pacer.add(tick)
    await _wait(full)

    whole = [turns[moment] for moment in range(3 * PHASES * AT_ONCE, 5 * PHASES * AT_ONCE)]
    assert max(whole) <= 2 * players / (PHASES * AT_ONCE)


async def test_those_who_have_more_to_send_from_the_same_moment_on_take_turns(pacer: Pacer) -> None:
    players = 4 * PHASES * AT_ONCE
    turns: Counter[int] = Counter()
    speech, end = 10 * PHASES * AT_ONCE, 12 * PHASES * AT_ONCE
    full = threading.Event()

    def tick(most: int) -> int:
        moment = pacer.outbox.moment
        if moment < speech:
            return 1
        turns[moment] += 1
        if moment >= end:
            full.set()
        return 0 if full.is_set() else most

    for _ in range(players):
        pacer.add(tick)
    await _wait(full)

    whole = [turns[moment] for moment in range(end - PHASES * AT_ONCE, end)]
    assert max(whole) <= 2 * players / (PHASES * AT_ONCE)


async def test_a_short_lag_is_caught_up_with_so_that_time_does_not_drift(pacer: Pacer) -> None:
    times: list[float] = []
    ended = threading.Event()

    pacer.add(_ticks(times, 26, ended, lambda number: time.sleep(0.03) if number == 5 else None))
    await _wait(ended)

    assert times[-1] - times[0] - pacer.skipped < 0.6


async def test_newcomers_are_spread_over_the_phases(pacer: Pacer) -> None:
    held = [True]
    there = [threading.Event() for _ in range(10 * PHASES)]

    def tick(sign: threading.Event, _most: int) -> int:
        sign.set()
        return held[0]

    for sign in there:
        pacer.add(partial(tick, sign))
    await _wait(*there)

    assert max(pacer._shares) - min(pacer._shares) <= 8
    held[0] = False


async def test_nobody_to_tick_costs_no_wake_ups(pacer: Pacer) -> None:
    ended = threading.Event()
    pacer.add(_ticks([], 1, ended))
    await _wait(ended)
    await asyncio.sleep(0.06)
    used = time.clock_gettime(time.pthread_getcpuclockid(pacer._thread.ident))

    await asyncio.sleep(0.2)

    assert time.clock_gettime(time.pthread_getcpuclockid(pacer._thread.ident)) == used


async def test_a_source_that_raises_ends_alone_and_is_told_while_others_go_on(pacer: Pacer) -> None:
    fault = RuntimeError("a bug")
    told: list[Exception | None] = []
    sent: Counter[bytes] = Counter()
    ended = threading.Event()

    class Broken:
        def read(self) -> bytes:
            raise fault

    class Sound:
        left = 10

        def read(self) -> bytes:
            self.left -= 1
            return b"sound" if self.left >= 0 else b""

    class Sink:
        def send(self, packet: bytes, following: Sequence[bytes] = ()) -> int:
            sent.update([packet])
            return 1

        def go_on(self) -> int:
            return 0

        def drop(self) -> None:
            pass

    def done(error: Exception | None) -> None:
        told.append(error)
        if len(told) == 2:
            ended.set()

    for source in (Broken(), Sound()):
        Player(source, Sink(), pacer, done).wake()
    await _wait(ended)

    assert told == [fault, None]
    assert sent[b"sound"] == 10
    assert TAIL == 5


async def test_a_socket_is_closed_while_others_are_ticked_and_while_nobody_is(pacer: Pacer) -> None:
    for busy in (False, True):
        kept_busy = threading.Event()
        if busy:
            pacer.add(_ticks([], 1000, kept_busy))
        near, far = socket.socketpair()
        with far:
            far.settimeout(5.0)

            pacer.retire(near)

            assert await asyncio.to_thread(far.recv, 1) == b""  # its other end is closed


async def test_a_socket_is_closed_although_the_clock_has_stopped() -> None:
    async with Pacer() as pacer:
        pass
    near, far = socket.socketpair()
    with far:
        pacer.retire(near)
        assert far.recv(1) == b""


async def test_a_socket_is_closed_although_the_clock_stops_at_that_moment() -> None:
    class Last(socket.socket):
        """Is closed by the pacer's thread, just before that ends."""

        def close(self) -> None:
            super().close()
            pacer.retire(near)
            pacer._closing = True
            closed.set()

    near, far = socket.socketpair()
    closed = threading.Event()
    async with Pacer() as pacer:
        pacer.retire(Last())
        await _wait(closed)
    with far:
        far.settimeout(5.0)
        assert far.recv(1) == b""


async def test_a_moment_with_many_starts_a_thread_that_sends_and_is_gone_with_the_pacer() -> None:
    def sends() -> bool:
        return "outbox" in {thread.name for thread in threading.enumerate()}

    async def put(pacer: Pacer, count: int) -> None:
        ended = threading.Event()

        def tick(_most: int) -> int:
            for _ in range(count):
                pacer.outbox.put(Nobody(), -1, [b"nowhere"])
            pacer.add(_ticks([], 2, ended))  # the second when that has left
            return 0

        pacer.add(tick)
        await _wait(ended)

    async with Pacer() as pacer:
        await put(pacer, FEW - 1)
        assert not sends()
        await put(pacer, FEW)
        assert sends()

    assert not sends()
