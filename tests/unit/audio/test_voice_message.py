"""A line as a voice message: the file, its length and its picture."""

from itertools import pairwise

import numpy as np
import pytest

from bot.audio import read_ogg, write_voice_message
from bot.audio.opus import encode
from bot.audio.recording import RATE, chain, silence
from tests.unit.audio.sounds import open_file, speak, tone


def test_the_very_packets_are_in_it_and_its_length_is_that_which_is_heard() -> None:
    packets = encode(speak(2.0))

    message = write_voice_message(packets)

    assert read_ogg(message.ogg) == packets
    assert message.seconds == open_file(message.ogg).size / RATE


@pytest.mark.parametrize(("seconds", "points"), [(0.05, 1), (1.0, 11), (20.0, 201), (25.6, 256), (40.0, 256)])
def test_there_is_a_point_for_every_100_ms_and_at_most_256(seconds: float, points: int) -> None:
    waveform = write_voice_message(encode(tone(seconds))).waveform

    assert len(waveform) == pytest.approx(points, abs=1)
    assert 1 <= len(waveform) <= 256


def test_the_picture_is_high_where_the_sound_is() -> None:
    sound = chain([silence(RATE), tone(1.0, level=-3.0), silence(RATE), tone(1.0, level=-18.0)])

    waveform = np.frombuffer(write_voice_message(encode(sound)).waveform, dtype=np.uint8)

    edges = [round(number * len(waveform) / 4) for number in range(5)]
    first, loud, pause, low = (waveform[begin + 1 : end - 1] for begin, end in pairwise(edges))
    assert max(first.max(), pause.max()) < 8
    assert loud.min() > 120
    assert 20 < low.min() <= low.max() < loud.min()
