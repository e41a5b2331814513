"""The chime: how long, how loud, and that it neither begins nor ends with a click."""

import numpy as np
import pytest

from bot.audio import make_chime, packet_samples
from bot.audio.opus import decode_packets


def test_every_packet_has_20_ms_and_all_together_about_a_second() -> None:
    packets = make_chime()

    assert {packet_samples(packet) for packet in packets} == {960}
    assert len(packets) * 0.02 == pytest.approx(1.0, abs=0.05)


def test_it_is_heard_and_hurts_nobody() -> None:
    sound = decode_packets(make_chime())

    assert 0.1 < np.abs(sound).max() < 0.7
    assert np.abs(sound[:48]).max() < 0.05
    assert np.abs(sound[-960:]).max() < 0.01
