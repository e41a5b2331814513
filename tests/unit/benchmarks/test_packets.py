"""What is said of the packets that arrived: a benchmark that counts wrongly would prove anything."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.voice.packets import analyse
from playground.discord.voice.tap import NOTE

_SPEECH, _SILENCE = 180, 35


def _notes(packets: Iterable[tuple[float, int, int, int]]) -> NDArray[Any]:
    """Make notes of (milliseconds, SSRC, sequence, size)."""
    rows = [(round(at * 1e6), ssrc, sequence & 0xFFFF, size) for at, ssrc, sequence, size in packets]
    return np.array(rows, dtype=NOTE)


def _even(count: int, *, ssrc: int = 1, first: int = 0) -> list[tuple[float, int, int, int]]:
    return [(20.0 * number, ssrc, first + number, _SPEECH) for number in range(count)]


def test_gaps_are_taken_channel_by_channel() -> None:
    arrivals = analyse(_notes([*_even(50), *((at + 7, 2, *rest) for at, _, *rest in _even(50))]), begin=0, end=9)

    assert (arrivals.channels, arrivals.received, arrivals.doubled, arrivals.holes) == (2, 100, 0, 0)
    assert arrivals.gaps_ms == pytest.approx(np.full(98, 20.0))


def test_only_gaps_within_the_time_looked_at_count() -> None:
    arrivals = analyse(_notes(_even(50)), begin=0.2, end=0.4)

    assert arrivals.received == 50
    assert len(arrivals.gaps_ms) == 9


def test_a_packet_that_never_came_is_a_hole_and_a_long_gap() -> None:
    packets = _even(10)
    del packets[5]
    arrivals = analyse(_notes(packets), begin=0, end=9)

    assert (arrivals.received, arrivals.holes, arrivals.late) == (9, 1, 0)
    assert arrivals.quantile(1.0) == 40.0


def test_a_packet_that_came_twice_is_counted_once() -> None:
    packets = _even(10)
    arrivals = analyse(_notes([*packets, packets[4]]), begin=0, end=9)

    assert (arrivals.received, arrivals.doubled, arrivals.holes) == (10, 1, 0)


def test_sequence_numbers_go_on_after_65535() -> None:
    arrivals = analyse(_notes(_even(20, first=65530)), begin=0, end=9)

    assert (arrivals.received, arrivals.doubled, arrivals.holes) == (20, 0, 0)


def test_packets_out_of_order_are_neither_lost_nor_doubled() -> None:
    packets = _even(10)
    packets[4], packets[5] = (*packets[4][:2], 5, _SPEECH), (*packets[5][:2], 4, _SPEECH)
    arrivals = analyse(_notes(packets), begin=0, end=9)

    assert (arrivals.received, arrivals.doubled, arrivals.holes) == (10, 0, 0)


def test_silence_is_no_speech_and_a_pause_no_gap() -> None:
    silence = [(200.0, 1, 10, _SILENCE), (220.0, 1, 11, _SILENCE)]
    later = [(at + 5000, ssrc, sequence + 12, size) for at, ssrc, sequence, size in _even(10)]
    arrivals = analyse(_notes([*_even(10), *silence, *later]), begin=0, end=9)

    assert (arrivals.received, arrivals.holes) == (20, 0)
    assert arrivals.quantile(1.0) == 20.0


def test_more_than_20_ms_late_is_late() -> None:
    packets = [(at + 25.0 * (number >= 5), *rest) for number, (at, *rest) in enumerate(_even(10))]
    arrivals = analyse(_notes(packets), begin=0, end=9)

    assert arrivals.late == 1


def test_nothing_heard_is_no_figure() -> None:
    arrivals = analyse(_notes([]), begin=0, end=9)

    assert (arrivals.channels, arrivals.received, arrivals.quantile(0.99)) == (0, 0, None)
