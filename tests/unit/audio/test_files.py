"""Files to download and to keep."""

import io
import wave

import numpy as np
import pytest

from bot.audio import Recording, encode_sample, read_ogg, write_file, write_wav
from bot.audio.loudness import loudness
from bot.audio.opus import encode
from bot.audio.recording import RATE, silence
from bot.models import AudioFormat
from tests.unit.audio.sounds import open_file, speak

SPEECH = speak(2.0)
PACKETS = encode(SPEECH)


def test_a_wav_is_48_khz_mono_16_bit_and_holds_the_samples() -> None:
    data = write_wav(Recording(SPEECH))

    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        assert file.getnframes() == SPEECH.size
    assert np.allclose(open_file(data), SPEECH, atol=1e-4)


def test_a_wav_of_sound_beyond_full_scale_does_not_wrap() -> None:
    loud = np.array([2.0, -2.0, 1.0, -1.0], dtype=np.float32)

    assert np.allclose(open_file(write_wav(Recording(loud))), [1, -1, 1, -1], atol=1e-3)


def test_a_kept_sample_is_as_long_and_as_loud_and_small() -> None:
    data = encode_sample(Recording(SPEECH))

    decoded = open_file(data)
    assert decoded.size == SPEECH.size
    assert loudness(decoded) == pytest.approx(loudness(SPEECH), abs=0.3)
    assert len(data) < 2.0 * 96_000 / 8 + 1_000
    assert len(read_ogg(data)) == 101


@pytest.mark.parametrize(("format", "magic"), [("ogg", b"OggS"), ("mp3", b"ID3"), ("wav", b"RIFF")])
def test_a_file_to_download_plays_as_long_and_as_loud(format: AudioFormat, magic: bytes) -> None:  # noqa: A002 - as in models
    data = write_file(PACKETS, format)

    decoded = open_file(data)
    assert data.startswith(magic)
    assert decoded.size / RATE == pytest.approx(2.0, abs=0.07)
    assert loudness(decoded) == pytest.approx(loudness(SPEECH), abs=1)


def test_an_ogg_to_download_holds_the_very_packets() -> None:
    assert read_ogg(write_file(PACKETS, "ogg")) == PACKETS


@pytest.mark.parametrize("format", ["ogg", "mp3", "wav"])
def test_no_packets_make_an_empty_file(format: AudioFormat) -> None:  # noqa: A002 - as in models
    assert write_file([], format)


def test_a_sample_of_nothing_can_be_kept() -> None:
    assert encode_sample(Recording(silence(0))).startswith(b"OggS")
