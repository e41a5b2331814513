"""Sound as files: what a member downloads and what is kept. Does not know where they go."""

import io
import wave
from collections.abc import Sequence
from typing import assert_never

import av
import numpy as np

from bot.audio.ogg import write_ogg
from bot.audio.opus import decode_packets, encode
from bot.audio.recording import RATE, Recording, Samples, silence
from bot.audio.resample import to_frame
from bot.models import AudioFormat

SAMPLE_BIT_RATE = 80_000
MP3_BIT_RATE = 96_000
MP3_BLOCK = RATE


def write_wav(recording: Recording) -> bytes:
    """Write RIFF WAVE: 48 kHz, mono, signed 16 bit."""
    return _wav(recording.samples)


def encode_sample(recording: Recording) -> bytes:
    """Write Ogg Opus for keeping: 48 kHz, mono, 20 ms packets, its length to the sample."""
    packets = encode(recording.samples, bit_rate=SAMPLE_BIT_RATE, application="audio")
    return write_ogg(packets, samples=recording.samples.size)


def write_file(packets: Sequence[bytes], format: AudioFormat) -> bytes:  # noqa: A002 - the name members and models use
    """Write 20 ms Opus packets as a file to download."""
    match format:
        case "ogg":
            return write_ogg(packets)
        case "mp3":
            return _mp3(decode_packets(packets or encode(silence(0))))
        case "wav":
            return _wav(decode_packets(packets))
        case _:
            assert_never(format)


def _wav(samples: Samples) -> bytes:
    room = io.BytesIO()
    with wave.open(room, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        whole = np.rint(np.clip(samples, -1.0, 1.0) * 32767)
        file.writeframes(whole.astype("<i2").tobytes())
    return room.getvalue()


def _mp3(samples: Samples) -> bytes:
    room = io.BytesIO()
    with av.open(room, "w", format="mp3") as file:
        stream = file.add_stream("libmp3lame", rate=RATE, layout="mono", bit_rate=MP3_BIT_RATE)
        for start in range(0, samples.size, MP3_BLOCK):
            file.mux(stream.encode(to_frame(samples[start : start + MP3_BLOCK])))
        file.mux(stream.encode(None))
    return room.getvalue()
