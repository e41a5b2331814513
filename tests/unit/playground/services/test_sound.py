"""The sound that stand-ins answer with, written whole and bit by bit."""

import io
from typing import get_args

import av
import numpy as np
import pytest

from playground.services.sound import RATE, Encoder, Form, babble, encode

FORMS = get_args(Form)


def decoded(data: bytes) -> tuple[int, float]:
    """Give the rate, and how long it is in seconds."""
    with av.open(io.BytesIO(data), "r") as file:
        rate = file.streams.audio[0].rate
        return rate, sum(frame.samples for frame in file.decode(audio=0)) / rate


def test_sound_differs_from_text_to_text_and_is_faster_where_asked() -> None:
    assert not np.array_equal(babble("one two three"), babble("six two three"))
    assert len(babble("one two three", 2.0)) == pytest.approx(len(babble("one two three")) / 2, abs=RATE // 4)
    assert len(babble("")) == RATE // 2


@pytest.mark.parametrize(("form", "rate"), [("mp3", 32_000), ("mp3", 44_100), ("wav", 8_000), ("opus", 48_000)])
def test_sound_is_written_at_the_rate_that_was_asked(form: Form, rate: int) -> None:
    samples = babble("a line of some length")

    assert decoded(encode(samples, form, rate=rate)) == (rate, pytest.approx(len(samples) / RATE, abs=0.08))


@pytest.mark.parametrize("form", FORMS)
def test_sound_written_bit_by_bit_is_one_stream(form: Form) -> None:
    samples = babble("a line of some length")
    encoder = Encoder(form)

    parts = [encoder.write(samples), encoder.write(samples), encoder.close()]

    assert parts[0]
    assert parts[1]
    data = b"".join(parts)
    if form == "pcm":
        assert data == encode(samples, form) * 2
    else:
        assert decoded(data)[1] == pytest.approx(2 * len(samples) / RATE, abs=0.08)


@pytest.mark.parametrize(("form", "size"), [("opus", 0), ("mp3", 0), ("pcm", 0), ("wav", 44)])
def test_nothing_to_say_is_no_sound(form: Form, size: int) -> None:
    encoder = Encoder(form)

    assert len(encoder.write(np.zeros(0, dtype=np.float32)) + encoder.close()) == size
    assert len(Encoder(form).close()) == size
