"""The chime: how long, how loud, and that it neither begins nor ends with a click."""

import numpy as np
import pytest

from bot.audio import make_chime, packet_samples
from bot.audio.opus import decode_packets
from bot.audio.recording import RATE, Samples

C5, E5, G5 = 523.25, 659.26, 783.99
"""Pitches in Hz."""


def _pitches(sound: Samples) -> list[float]:
    """Give those of the three pitches that stand out, within 12 Hz: a fifth as loud as the loudest of all."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    pitches = np.fft.rfftfreq(sound.size, 1 / RATE)
    return [note for note in (C5, E5, G5) if spectrum[np.abs(pitches - note) < 12].max() > spectrum.max() / 5]


def test_every_packet_has_20_ms_and_all_together_about_a_second() -> None:
    packets = make_chime()

    assert {packet_samples(packet) for packet in packets} == {960}
    assert len(packets) * 0.02 == pytest.approx(1.0, abs=0.05)


def test_it_is_heard_and_hurts_nobody() -> None:
    sound = decode_packets(make_chime())

    assert 0.1 < np.abs(sound).max() < 0.7
    assert np.abs(sound[:48]).max() < 0.05
    assert np.abs(sound[-960:]).max() < 0.001


@pytest.mark.parametrize(
    ("begin", "end", "notes"), [(0.0, 0.11, [C5]), (0.13, 0.23, [C5, E5]), (0.3, 0.6, [C5, E5, G5])]
)
def test_its_three_notes_come_in_one_after_another_and_ring_on(begin: float, end: float, notes: list[float]) -> None:
    sound = decode_packets(make_chime())

    assert _pitches(sound[round(begin * RATE) : round(end * RATE)]) == notes
