"""The same speech for every driver: a robot's sentences, as Opus packets of 20 ms and as an Ogg file of them."""

from pathlib import Path

from bot import audio
from bot.playback.buffer import SILENCE
from playground.demo import synthesize_sample


def write_speech(path: Path) -> None:
    """Have it spoken, and write it as Ogg Opus, without pauses: a silence frame is how players end, and not counted."""
    packer = audio.Packer("wav")
    packets = [packet for packet in packer.feed(synthesize_sample()) + packer.finish() if packet != SILENCE]
    path.write_bytes(audio.write_ogg(packets))


def read_speech(path: Path) -> tuple[bytes, ...]:
    """Read its packets."""
    return tuple(audio.read_ogg(path.read_bytes()))
