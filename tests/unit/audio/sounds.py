"""Sound to test with, made from numbers: speech-like phrases, noise, tones, and files of many kinds."""

import io
import struct
from fractions import Fraction
from functools import cache

import av
import numpy as np
from av.filter import Graph
from discord.oggparse import OggStream
from numpy.typing import NDArray

from bot.audio.recording import RATE, Samples
from bot.audio.resample import to_frame, to_samples

VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (660, 1720, 2410),
)


@cache
def speak(seconds: float, *, seed: int = 1, pitch: float = 120.0, level: float = -22.0) -> Samples:
    """Make vowels that glide, hisses between them and pauses between phrases, at about `level` dBFS."""
    rng = np.random.default_rng(seed)
    parts: list[NDArray[np.float64]] = [np.zeros(RATE // 10)]
    while sum(part.size for part in parts) < seconds * RATE:
        for _ in range(int(rng.integers(4, 8))):
            if rng.random() < 0.4:
                parts.append(_hiss(rng, int(RATE * rng.uniform(0.05, 0.09))))
            parts.append(_vowel(rng, int(RATE * rng.uniform(0.12, 0.22)), pitch))
        parts.append(np.zeros(int(RATE * rng.uniform(0.25, 0.4))))
    sound = np.concatenate(parts)[: round(seconds * RATE)]
    sound = sound / np.sqrt(np.mean(sound**2)) * 10 ** (level / 20)
    sound = np.clip(sound, -1.0, 1.0).astype(np.float32)
    sound.flags.writeable = False  # all who ask for the same get the same
    return sound


def _vowel(rng: np.random.Generator, count: int, pitch: float) -> NDArray[np.float64]:
    first, second = rng.choice(len(VOWELS), 2)
    along = np.linspace(0.0, 1.0, count)
    glide = pitch * (rng.uniform(0.85, 1.25) + rng.uniform(-0.15, 0.15) * along)
    phase = 2 * np.pi * np.cumsum(glide) / RATE
    sound = np.zeros(count)
    for number in range(1, 30):
        strength = np.zeros(count)
        for start, end, width in zip(VOWELS[first], VOWELS[second], (90, 110, 170), strict=True):
            formant = start + (end - start) * along
            strength += 1.0 / (1.0 + ((number * glide - formant) / width) ** 2)
        sound += strength * np.sin(number * phase) / number**0.5
    return sound * np.sin(np.pi * along) ** 0.5 * rng.uniform(0.6, 1.0)


def _hiss(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    return np.diff(rng.standard_normal(count + 1)) * 0.05 * np.sin(np.pi * np.linspace(0.0, 1.0, count))


def noise(seconds: float, level: float, seed: int = 7) -> Samples:
    """Make white noise at a level in dBFS."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(round(seconds * RATE)) * 10 ** (level / 20)).astype(np.float32)


def tone(seconds: float, frequency: float = 440.0, level: float = -12.0) -> Samples:
    """Make a sine at a peak level in dBFS."""
    moments = np.arange(round(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * frequency * moments) * 10 ** (level / 20)).astype(np.float32)


def pcm(samples: Samples) -> bytes:
    """Write bare samples, signed 16 bit."""
    return np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def make_file(
    samples: Samples,
    format: str,  # noqa: A002 - PyAV's own name
    codec: str,
    *,
    rate: int = RATE,
    layout: str = "mono",
    options: dict[str, str] | None = None,
    bit_rate: int = 64_000,
    video: bool = False,
    sound: bool = True,
) -> bytes:
    """Write a file of any kind FFmpeg can write."""
    room = io.BytesIO()
    with av.open(room, "w", format=format) as file:
        if video:
            pictures = file.add_stream("mpeg4", rate=Fraction(10), width=64, height=64)
        if sound:
            stream = file.add_stream(codec, rate=rate, layout=layout, bit_rate=bit_rate, options=options)
        for number in range(10 if video else 0):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number * 20, dtype=np.uint8), format="rgb24")
            file.mux(pictures.encode(picture))
        if video:
            file.mux(pictures.encode(None))
        for start in range(0, samples.size if sound else 0, RATE):
            file.mux(stream.encode(to_frame(samples[start : start + RATE])))
        if sound:
            file.mux(stream.encode(None))
    return room.getvalue()


def open_file(data: bytes) -> Samples:
    """Decode a file with FFmpeg alone, as a player would."""
    with av.open(io.BytesIO(data)) as file:
        frames = list(file.decode(audio=0))
    return np.concatenate([to_samples(frame) for frame in frames])


def measure(samples: Samples) -> float:
    """Measure integrated loudness in LUFS with FFmpeg's own meter."""
    graph = Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="flt", layout="mono")
    graph.link_nodes(source, graph.add("ebur128", "metadata=1"), graph.add("abuffersink")).configure()
    graph.push(to_frame(samples))
    graph.push(None)
    loudness = -70.0
    while True:
        try:
            frame = graph.pull()
        except av.FFmpegError:
            return loudness
        loudness = float(frame.metadata.get("lavfi.r128.I", loudness))


def opus_packets(data: bytes) -> list[bytes]:
    """Read the packets after the headers with the reader of discord.py."""
    return [packet for packet in OggStream(io.BytesIO(data)).iter_packets() if packet][2:]


def ogg_page(flags: int, sequence: int, body: bytes, *, whole: bool = True) -> bytes:
    """Write one page with one packet, or with the beginning of one."""
    table = b"\xff" * (len(body) // 255) + (bytes([len(body) % 255]) if whole else b"")
    page = bytearray(struct.pack("<4sBBqIIIB", b"OggS", 0, flags, 0, 5, sequence, 0, len(table)) + table + body)
    page[22:26] = struct.pack("<I", _slow_crc(bytes(page)))
    return bytes(page)


def _slow_crc(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc
