"""Packets that say which they are, and what is made of those that were heard."""

import pytest

from benchmarks.voice.numbered import Place, Verdict, judge, read, write

_SENTENCES, _PACKETS = 2, 4


def _line(*places: str) -> list[Place]:
    """Make places of words like 0.3: the fourth packet of the first sentence."""
    return [Place(7, *map(int, place.split("."))) for place in places]


_WHOLE = _line("0.0", "0.1", "0.2", "0.3", "1.0", "1.1", "1.2", "1.3")


def _judge(heard: list[Place], *, whole: bool = True, disturbed: bool = False) -> Verdict:
    return judge(heard, sentences=_SENTENCES, packets=_PACKETS, whole=whole, disturbed=disturbed)


def test_a_packet_is_read_as_it_was_written() -> None:
    packets = [write(place) for place in _WHOLE]

    assert list(read([packets[0], b"\xf8\xff\xfe", *packets[1:], b"\xf8" + bytes(79)])) == _WHOLE


def test_a_line_heard_once_from_end_to_end_is_as_it_should_be() -> None:
    assert _judge(_WHOLE) == Verdict(lost=0, doubled=0, repeated=0)


@pytest.mark.parametrize("missing", [0, 3, 7])
def test_a_packet_that_was_not_heard_is_lost(missing: int) -> None:
    assert _judge([*_WHOLE[:missing], *_WHOLE[missing + 1 :]]) == Verdict(lost=1, doubled=0, repeated=0)


def test_what_follows_the_cut_of_a_line_that_was_cut_off_is_not_missed() -> None:
    assert _judge(_line("0.0", "0.2"), whole=False) == Verdict(lost=1, doubled=0, repeated=0)
    assert _judge([], whole=False) == Verdict(lost=0, doubled=0, repeated=0)


def test_a_packet_heard_again_is_doubled() -> None:
    assert _judge([*_WHOLE[:3], _WHOLE[2], *_WHOLE[3:]], disturbed=True) == Verdict(lost=0, doubled=1, repeated=0)


def test_a_sentence_begun_anew_after_a_mishap_is_repeated() -> None:
    heard = [*_WHOLE[:6], *_WHOLE[4:]]

    assert _judge(heard, disturbed=True) == Verdict(lost=0, doubled=0, repeated=2)


def test_a_sentence_begun_anew_without_a_reason_is_doubled() -> None:
    heard = [*_WHOLE[:6], *_WHOLE[4:]]

    assert _judge(heard).doubled == 2


def test_a_packet_lost_before_its_sentence_was_begun_anew_is_not_lost() -> None:
    heard = [*_line("0.0", "0.1", "0.3"), *_WHOLE]

    assert _judge(heard, disturbed=True) == Verdict(lost=0, doubled=0, repeated=3)


def test_a_sentence_that_was_over_is_not_begun_anew() -> None:
    heard = [*_WHOLE[:5], *_WHOLE]

    assert _judge(heard, disturbed=True).doubled > 0
