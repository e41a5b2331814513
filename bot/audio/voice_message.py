"""A line as a voice message: its file, how long it is heard, and its picture. Does not know where it goes."""

import math
from collections.abc import Sequence

from bot.audio.judge import POINTS, outline
from bot.audio.ogg import write_ogg
from bot.audio.opus import decode_packets
from bot.audio.recording import RATE
from bot.models import VoiceMessage

POINTS_A_SECOND = 10


def write_voice_message(packets: Sequence[bytes]) -> VoiceMessage:
    """Write 20 ms Opus packets as a voice message. Decodes them for their picture: call it in a thread."""
    samples = decode_packets(packets)
    seconds = samples.size / RATE
    points = min(POINTS, math.ceil(seconds * POINTS_A_SECOND))
    return VoiceMessage(ogg=write_ogg(packets), seconds=seconds, waveform=outline(samples, points))
