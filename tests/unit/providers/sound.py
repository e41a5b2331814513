"""Sound as the rules hand it to a provider, and an ear for what comes back."""

import asyncio
import io
import wave

import numpy as np

from bot.audio import Packer
from bot.models import PACKET_SECONDS, Sample, SampleReport
from bot.providers.base import AudioStream, SpeechRequest, VoiceProvider

REPORT = SampleReport(
    seconds=10, speech_seconds=9, loudness=-20, noise=-60, clipped=0, grade="good", sentence="Good.", waveform=b""
)


def to_pcm(sound: np.ndarray) -> bytes:
    """Write floats as signed 16 bit, clipped as a recorder would."""
    return np.clip(np.round(sound * 32767), -32768, 32767).astype("<i2").tobytes()


def to_wav(sound: np.ndarray, *, rate: int = 48_000, channels: int = 1) -> bytes:
    """Write a RIFF WAVE."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(to_pcm(sound))
    return file.getvalue()


def sample_of(sound: np.ndarray) -> Sample:
    """Make a sample of 48 kHz floats."""
    return Sample(wav=to_wav(sound), report=REPORT)


def heard(pcm: bytes) -> np.ndarray:
    """Read signed 16 bit as floats."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float64) / 32768


async def listen(stream: AudioStream) -> float:
    """Pack all of the sound as the rules do, and give its length in seconds."""
    packer = Packer(stream.encoding, stream.rate)
    packets = [packet async for chunk in stream.chunks for packet in await asyncio.to_thread(packer.feed, chunk)]
    packets += await asyncio.to_thread(packer.finish)
    return len(packets) * PACKET_SECONDS


async def speak(provider: VoiceProvider, request: SpeechRequest) -> float:
    """Say a line, and give the length of its sound in seconds."""
    async with provider.synthesize(request) as stream:
        return await listen(stream)
