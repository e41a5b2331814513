"""Speaking in voice channels: one `Speaker` per server takes turns, joins, plays and leaves.

Takes packets and knows neither who made them nor what they say.
"""

from bot.playback.ledger import Ledger
from bot.playback.limits import Limits
from bot.playback.line import Line, Played, Queued, Tell, Ticket, VocalChannel, VoiceReport, tell_nobody
from bot.playback.rights import admit, label
from bot.playback.speakers import Speakers

__all__ = [
    "Ledger",
    "Limits",
    "Line",
    "Played",
    "Queued",
    "Speakers",
    "Tell",
    "Ticket",
    "VocalChannel",
    "VoiceReport",
    "admit",
    "label",
    "tell_nobody",
]
