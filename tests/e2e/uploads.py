"""Recordings that members send: real speech made with espeak-ng, in every format, and what is wrong with others'."""

import io
import multiprocessing
import struct
import wave
import zipfile
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import av
import numpy as np
from PIL import Image

from bot.providers.local.espeak import Espeak, Utterance
from playground.discord import Upload
from tests.sounds import quiet, to_wav

RATE = 16_000
_BEGINNING = (
    "This is a recording of my voice. The rainbow is a division of white light into many beautiful colours. "
    "These take the shape of a long round arch"
)
_REST = ", with its path high above, and its two ends beyond the horizon."
_FORMATS = {
    "wav": ("wav", "pcm_s16le", "s16", 48_000),
    "mp3": ("mp3", "libmp3lame", "fltp", 44_100),
    "m4a": ("ipod", "aac", "fltp", 44_100),
    "ogg": ("ogg", "libopus", "flt", 48_000),
    "flac": ("flac", "flac", "s16", 48_000),
    "webm": ("webm", "libopus", "flt", 48_000),
}


@cache
def story(voice: str = "en-us+m3", pitch: int = 42, *, whole: bool = False) -> bytes:
    """Speak about 8 s, the whole of it about 12 s, as WAV.

    In a process of its own: how espeak-ng says something hangs on what it said before, in whatever test that was.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        spoken = fresh.submit(_say, _BEGINNING + (_REST if whole else "."), voice, pitch).result()
    return to_wav(np.asarray(spoken.samples, dtype=np.float32), rate=spoken.rate)


def _say(text: str, voice: str, pitch: int) -> Utterance:
    return Espeak().say(text, voice, speed=165, pitch=pitch)


def recording(name: str = "me.wav", *, whole: bool = False) -> Upload:
    """Give a good recording; the whole of it where words are to be understood in the voice that is made of it."""
    return Upload(name, story(whole=whole))


@cache
def encoded(form: str) -> bytes:
    """Give the same recording in another format."""
    container_name, codec, sample_format, rate = _FORMATS[form]
    room = io.BytesIO()
    with av.open(io.BytesIO(story())) as source, av.open(room, "w", format=container_name) as target:
        stream = target.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(format=sample_format, layout="mono", rate=rate, frame_size=stream.frame_size)
        for frame in (*source.decode(audio=0), None):
            for out in resampler.resample(frame):
                target.mux(stream.encode(out))
        target.mux(stream.encode(None))
    return room.getvalue()


def cut(seconds: float) -> bytes:
    """Give the first seconds of it."""
    with wave.open(io.BytesIO(story())) as source:
        rate = source.getframerate()
        frames = source.readframes(round(seconds * rate))
    return to_wav(np.frombuffer(frames, dtype="<i2").astype(np.float32) / 32768, rate=rate)


def picture() -> bytes:
    room = io.BytesIO()
    Image.new("RGB", (320, 200), (20, 90, 200)).save(room, "PNG")
    return room.getvalue()


def archive() -> bytes:
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("voice.wav", story())
    return room.getvalue()


def truncated_header() -> bytes:
    """Give a WAV that ends before its sound begins."""
    return story()[:40]


def truncated_m4a() -> bytes:
    """Give an m4a whose table of contents, which is at its end, never came."""
    data = encoded("m4a")
    return data[: len(data) * 2 // 3]


def endless(seconds: float = 2.0) -> bytes:
    """Give a WAV whose header promises 4 GB, as a stream that never ended writes it, with a little in it."""
    data = bytearray(cut(seconds))
    data[4:8] = data[40:44] = struct.pack("<I", 0xFFFFFFFF)
    return bytes(data)


@cache
def nine_hours() -> bytes:
    """Give 9 hours of sound in under a megabyte: packets of six empty frames of 20 ms (RFC 6716 3.2)."""
    return _ogg_of(b"\xfb\x06", 9 * 3600 * 1000 // 120, step=5760)


def silent(seconds: float = 12.0) -> bytes:
    return to_wav(quiet(seconds, rate=RATE), rate=RATE)


def heavy() -> bytes:
    """Give a WAV of 26 MB."""
    room = io.BytesIO()
    with wave.open(room, "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", "NONE"))
        file.writeframes(bytes(26_000_000))
    return room.getvalue()


def _ogg_of(packet: bytes, count: int, *, step: int) -> bytes:
    """Write Ogg Opus (RFC 7845) that says one short packet of `step` samples over and over: 255 to a page."""
    head = b"OpusHead" + struct.pack("<BBHIHB", 1, 1, 312, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 4) + b"test" + struct.pack("<I", 0)
    pages = [_page([head], 0, 0, 2), _page([tags], 1, 0, 0)]
    for number, start in enumerate(range(0, count, 255), 2):
        amount = min(255, count - start)
        pages.append(_page([packet] * amount, number, (start + amount) * step, 4 if start + amount == count else 0))
    return b"".join(pages)


def _page(packets: list[bytes], number: int, position: int, flags: int) -> bytes:
    lacing = bytes(len(packet) for packet in packets)
    page = bytearray(b"OggS" + struct.pack("<BBqIII", 0, flags, position, 7, number, 0) + bytes([len(lacing)]) + lacing)
    page += b"".join(packets)
    page[22:26] = struct.pack("<I", _checksum(bytes(page)))
    return bytes(page)


def _checksum(data: bytes) -> int:
    value = 0
    for byte in data:
        value = ((value << 8) & 0xFFFFFFFF) ^ _TABLE[(value >> 24) ^ byte]
    return value


def _table_entry(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = ((value << 1) ^ 0x04C11DB7) & 0xFFFFFFFF if value & 0x80000000 else value << 1
    return value


_TABLE = [_table_entry(value) for value in range(256)]
