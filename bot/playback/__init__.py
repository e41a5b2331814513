"""Speaking in voice channels: one `Speaker` per server takes turns, joins, plays and leaves.

Takes packets and knows neither who made them nor what they say.
"""

from bot.playback.line import Line, Played, Ticket
from bot.playback.rights import admit
from bot.playback.speakers import Speakers

__all__ = ["Line", "Played", "Speakers", "Ticket", "admit"]
