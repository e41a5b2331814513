"""Discord's voice side on loopback: voice gateway 8, UDP, both transport ciphers, and DAVE with listeners who hear."""

from playground.discord.voice.breach import VoiceProtocolError
from playground.discord.voice.faults import Faults
from playground.discord.voice.heard import Announcement, Frame, Heard
from playground.discord.voice.listener import Listener
from playground.discord.voice.server import VoiceServer
from playground.discord.voice.tap import Tap

__all__ = ["Announcement", "Faults", "Frame", "Heard", "Listener", "Tap", "VoiceProtocolError", "VoiceServer"]
