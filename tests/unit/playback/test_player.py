from collections.abc import Sequence

import pytest

from bot.playback.buffer import SILENCE
from bot.playback.outbox import AT_ONCE
from bot.playback.pacer import Tick
from bot.playback.player import TAIL, PacketSource, Player


class Clock:
    """Stands for the pacer: ticks when it is told to, in the moments that were asked for."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.most = AT_ONCE
        self._rests: dict[Tick, int] = {}

    def add(self, tick: Tick) -> None:
        self.ticks.append(tick)
        self._rests[tick] = 1

    def pass_by(self, moments: int = 1) -> None:
        for _ in range(moments):
            for tick in list(self.ticks):
                self._rests[tick] -= 1
                if self._rests[tick] == 0:
                    rest = self._rests[tick] = tick(self.most)
                    assert rest <= self.most
                    if rest == 0:
                        self.ticks.remove(tick)


class Source:
    def __init__(self, *packets: bytes | None) -> None:
        self.packets = list(packets)

    def read(self) -> bytes | None:
        return self.packets.pop(0) if self.packets else b""


class Sink:
    """Stands for a connection: keeps what was sent, together with what follows it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.on_its_way = 0
        self.dropped = 0

    def send(self, packet: bytes, following: Sequence[bytes] = ()) -> int:
        self.sent += [packet, *following]
        return 1 + len(following)

    def drop(self) -> None:
        self.dropped = len(self.sent)

    def go_on(self) -> int:
        on_its_way, self.on_its_way = self.on_its_way, 0
        return on_its_way


def _player(
    source: PacketSource, sink: Sink | None = None
) -> tuple[Player, Clock, list[bytes], list[Exception | None]]:
    clock, sink, ended = Clock(), sink or Sink(), []
    return Player(source, sink, clock, ended.append), clock, sink.sent, ended


def test_a_source_is_sent_to_its_end_and_silence_follows() -> None:
    player, clock, sent, ended = _player(Source(b"a", b"b"))
    player.wake()

    clock.pass_by(20)

    assert sent == [b"a", b"b", *[SILENCE] * TAIL]
    assert ended == [None]
    assert player.over
    assert clock.ticks == []


def test_a_source_with_nothing_for_now_is_asked_again_when_it_is_woken() -> None:
    player, clock, sent, _ = _player(Source(b"a", None, b"b"))
    player.wake()
    clock.pass_by(5)
    assert (sent, clock.ticks) == ([b"a"], [])

    player.wake()
    clock.pass_by()

    assert sent == [b"a", b"b"]


def test_waking_twice_ticks_once() -> None:
    player, clock, sent, _ = _player(Source(*[b"a"] * 10))
    player.wake()
    player.wake()

    clock.pass_by(3)

    assert sent == [b"a"] * 3


def test_what_is_stopped_ends_in_silence_and_is_told_once() -> None:
    player, clock, sent, ended = _player(Source(*[b"a"] * 10))
    player.wake()
    clock.pass_by(2)

    player.stop()
    player.stop()
    clock.pass_by(20)

    assert sent == [b"a", b"a", *[SILENCE] * TAIL]
    assert ended == [None]


def test_what_is_cut_sends_nothing_more() -> None:
    player, clock, sent, _ = _player(Source(*[b"a"] * 10))
    player.wake()
    clock.pass_by(2)

    player.cut()
    clock.pass_by(20)

    assert sent == [b"a", b"a"]


def test_what_is_stopped_and_cut_at_once_is_told_to_have_ended() -> None:
    player, clock, sent, ended = _player(Source(*[b"a"] * 10))
    player.wake()
    clock.pass_by(2)

    player.stop()
    player.cut()
    clock.pass_by(20)

    assert sent == [b"a", b"a"]
    assert ended == [None]
    assert clock.ticks == []


def test_what_is_cut_ends_at_once_whatever_the_next_source_has_on_its_way() -> None:
    class Busy(Sink):
        def go_on(self) -> int:
            return 1

    player, clock, _, ended = _player(Source(*[b"a"] * 10), Busy())
    player.wake()

    player.stop()
    player.cut()
    clock.pass_by()

    assert ended == [None]
    assert clock.ticks == []


def test_a_source_that_fails_is_followed_by_silence_too() -> None:
    class Faulty(Source):
        def read(self) -> bytes | None:
            if not self.packets:
                raise fault
            return super().read()

    fault = RuntimeError("a bug")
    player, clock, sent, ended = _player(Faulty(b"a"))
    player.wake()

    clock.pass_by(20)

    assert sent == [b"a", *[SILENCE] * TAIL]
    assert ended == [fault]
    assert clock.ticks == []


def test_a_connection_that_fails_ends_a_source_once() -> None:
    class Faulty(Sink):
        def send(self, packet: bytes, following: Sequence[bytes] = ()) -> int:
            raise fault

    fault = RuntimeError("a bug")
    player, clock, _, ended = _player(Source(b"a", b"b"), Faulty())
    player.wake()

    clock.pass_by(1 + TAIL)

    assert ended == [fault]
    assert clock.ticks == []


def test_what_still_waits_for_its_connection_when_a_source_has_ended_is_dropped_before_silence_follows() -> None:
    sink = Sink()
    player, clock, sent, _ = _player(Source(*[b"a"] * 10), sink)
    player.wake()
    clock.pass_by(2)

    player.stop()
    clock.pass_by(20)

    assert sink.dropped == 2
    assert len(sent) == 2 + TAIL


def test_a_source_that_is_filled_while_it_is_found_empty_is_read_again() -> None:
    class Filled(Source):
        def read(self) -> bytes | None:
            packet = super().read()
            if packet is None:
                player.wake()
            return packet

    player, clock, sent, _ = _player(Filled(b"a", None, b"b"))
    player.wake()

    clock.pass_by(3)

    assert sent == [b"a", b"b"]


def test_a_source_that_sleeps_is_ended_by_stopping_it() -> None:
    player, clock, sent, ended = _player(Source(b"a", None))
    player.wake()
    clock.pass_by(3)

    player.stop()
    assert player.over
    clock.pass_by(20)

    assert sent == [b"a", *[SILENCE] * TAIL]
    assert ended == [None]


class Strip(Source):
    """Hands out packets together."""

    def __init__(self, *packets: bytes) -> None:
        super().__init__(*packets)
        self.asked: list[int] = []

    def read_on(self, most: int) -> Sequence[bytes]:
        self.asked.append(most)
        following, self.packets = self.packets[:most], self.packets[most:]
        return following


def test_packets_that_are_handed_out_together_are_sent_together_and_no_others_before_they_have_left() -> None:
    source = Strip(*[bytes([number]) for number in range(20)])
    player, clock, sent, ended = _player(source)
    player.wake()

    sizes = []
    for _ in range(20):
        clock.pass_by()
        sizes.append(len(sent))
    clock.pass_by(TAIL + 1)

    assert sizes == [AT_ONCE] * 8 + [2 * AT_ONCE] * 8 + [20] * 4
    assert sent == [*[bytes([number]) for number in range(20)], *[SILENCE] * TAIL]
    assert ended == [None]


@pytest.mark.parametrize("most", [1, 3, AT_ONCE])
def test_no_more_are_sent_together_than_the_clock_asks_for(most: int) -> None:
    source = Strip(*[b"a"] * 50)
    player, clock, sent, _ = _player(source)
    clock.most = most
    player.wake()

    clock.pass_by()

    assert source.asked == [most - 1]
    assert sent == [b"a"] * most


def test_what_is_stopped_ends_when_what_was_sent_has_left() -> None:
    player, clock, sent, ended = _player(Strip(*[b"a"] * 50))
    player.wake()
    clock.pass_by()

    player.stop()
    clock.pass_by(AT_ONCE - 1)
    assert (sent, ended) == ([b"a"] * AT_ONCE, [])
    clock.pass_by(TAIL + 1)

    assert sent == [b"a"] * AT_ONCE + [SILENCE] * TAIL
    assert ended == [None]


def test_what_a_source_that_is_cut_has_on_its_way_leaves_before_the_next_source() -> None:
    sink = Sink()
    player, _, sent, _ = _player(Strip(*[b"a"] * 50), sink)
    player.tick(AT_ONCE)
    sink.on_its_way = 3

    player.cut()
    following, clock, _, _ = _player(Source(b"b"), sink)
    following.wake()

    clock.pass_by(3)
    assert sent == [b"a"] * AT_ONCE
    clock.pass_by()
    assert sent == [*[b"a"] * AT_ONCE, b"b"]
