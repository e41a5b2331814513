from collections.abc import Callable, Sequence

from bot.playback.buffer import SILENCE
from bot.playback.player import AHEAD, TAIL, PacketSource, Player


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


class Sink:
    """Stands for a connection: keeps what was sent, and what is to follow."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.ready: list[bytes] = []

    def send(self, packet: bytes, following: Sequence[bytes] = ()) -> None:
        self.sent.append(packet)
        self.ready = list(following)

    def go_on(self) -> bool:
        going = bool(self.ready)
        if going:
            self.sent.append(self.ready.pop(0))
        return going


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


def test_packets_that_are_handed_out_together_leave_one_by_one_and_in_order() -> None:
    source = Strip(*[bytes([number]) for number in range(20)])
    player, clock, sent, ended = _player(source)
    player.wake()

    for moment in range(20):
        clock.pass_by()
        assert len(sent) == moment + 1
    clock.pass_by(TAIL + 1)

    assert sent == [*[bytes([number]) for number in range(20)], *[SILENCE] * TAIL]
    assert ended == [None]
    assert set(source.asked[1:]) == {AHEAD}


def test_what_is_stopped_ends_within_the_packets_that_were_got_ready() -> None:
    player, clock, sent, ended = _player(Strip(*[b"a"] * 50))
    player.wake()
    clock.pass_by(2 * AHEAD)

    player.stop()
    clock.pass_by(AHEAD + TAIL + 2)

    assert 2 * AHEAD <= sent.count(b"a") <= 3 * AHEAD
    assert sent[-TAIL:] == [SILENCE] * TAIL
    assert ended == [None]


def test_what_was_got_ready_by_a_source_that_is_cut_goes_before_the_next_source() -> None:
    sink = Sink()
    player, clock, sent, _ = _player(Strip(*[b"a"] * 50), sink)
    player.wake()
    while not sink.ready:
        clock.pass_by()
    ready = len(sink.ready)
    spoken = len(sent)

    player.cut()
    following, later, _, _ = _player(Source(b"b"), sink)
    following.wake()
    for _ in range(ready + 1):
        clock.pass_by()
        later.pass_by()

    assert sent[spoken:] == [*[b"a"] * ready, b"b"]


def test_speakers_that_begin_together_do_not_all_get_their_packets_ready_together() -> None:
    sources = [Strip(*[b"a"] * 50) for _ in range(100)]
    for source in sources:
        player, clock, _, _ = _player(source)
        player.wake()
        clock.pass_by()

    assert {source.asked[0] for source in sources} >= {0, AHEAD}
