from collections.abc import Callable

from bot.playback.buffer import SILENCE
from bot.playback.player import TAIL, Player


class Clock:
    """Stands for the pacer: ticks when it is told to."""

    def __init__(self) -> None:
        self.ticks: list[Callable[[], bool]] = []

    def add(self, tick: Callable[[], bool]) -> None:
        self.ticks.append(tick)

    def pass_by(self, moments: int = 1) -> None:
        for _ in range(moments):
            self.ticks = [tick for tick in self.ticks if tick()]


class Source:
    def __init__(self, *packets: bytes | None) -> None:
        self.packets = list(packets)

    def read(self) -> bytes | None:
        return self.packets.pop(0) if self.packets else b""


def _player(source: Source) -> tuple[Player, Clock, list[bytes], list[Exception | None]]:
    clock, sent, ended = Clock(), [], []
    return Player(source, sent.append, clock, ended.append), clock, sent, ended


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
