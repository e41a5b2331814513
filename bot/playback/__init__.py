"""Speaking in voice channels: one `Speaker` per server takes turns, joins, plays and leaves.

Takes packets and knows neither who made them nor what they say. The way of a packet, down to the network:

    speakers > speaker        every server's speaker; one server's, which has a queue said where it is
    queue, presence           what is said and what waits; which channel the bot is in, and how it comes back to it
    turn, making              one line's turn; its sentences made, no further ahead than they need to be
    playing, health           a source that plays in a connection; whether it is heard, for all that shows
    buffer, source            packets between the loop and the pacer's thread, and what that thread reads of them
    player, pacer             one source in one channel; the clock of all of them, and whose turn it is
    voice_client, handshake   our connection, and how it is made and kept
    websocket                 its voice websocket: in these two is all that is private of discord.py
    reader, heart, wishes     its UDP socket and heartbeats, without discord.py's threads; what Discord has not answered
    sender, route             one channel's packets sent and counted; what they need of its connection, side by side
    rtp, ciphers              a packet sealed
    outbox, batch             what leaves in each moment, in all channels; datagrams that leave together
    media_socket, aio, native    the system: a socket, many writes in one call, functions that keep Python's lock

    line, link, ledger, limits    what these say to each other
    history, invitations          the last lines of a server; who waits for the bot to come
    rights, stage, background     what is asked of Discord; what is done beside all this
"""

from bot.playback.ledger import Ledger
from bot.playback.limits import Limits
from bot.playback.line import Line, Played, Queued, Tell, Ticket, VocalChannel, VoiceReport, tell_nobody
from bot.playback.rights import admit, is_in_voice, is_muted, label
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
    "is_in_voice",
    "is_muted",
    "label",
    "tell_nobody",
]
