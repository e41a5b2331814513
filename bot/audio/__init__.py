"""Sound: decode and judge what a member sends, pack what a provider makes. Knows no member, provider or database."""

from bot.audio.chime import make_chime
from bot.audio.clean import clean
from bot.audio.cover import read_cover
from bot.audio.decode import Limits, decode
from bot.audio.files import encode_sample, write_file, write_wav
from bot.audio.judge import judge
from bot.audio.ogg import read_ogg, write_ogg
from bot.audio.opus import packet_samples
from bot.audio.packer import Packer
from bot.audio.recording import Recording, join
from bot.audio.voice_message import write_voice_message
from bot.audio.waveform import draw_waveform

__all__ = [
    "Limits",
    "Packer",
    "Recording",
    "clean",
    "decode",
    "draw_waveform",
    "encode_sample",
    "join",
    "judge",
    "make_chime",
    "packet_samples",
    "read_cover",
    "read_ogg",
    "write_file",
    "write_ogg",
    "write_voice_message",
    "write_wav",
]
