"""A small Discord on loopback that the real, unpatched discord.py talks to through its `connector=`.

    actors              members, servers, answers, the transcript: they act, a test looks
    rest    gateway     two projections of one state; the CDN beside them
    switchboard voice   calls: voice states, and the media side where members really hear
    world               the one state: every change made through it is told as an event
    limits              what Discord accepts

Imports nothing from the bot, and nothing from discord.py.
"""

from playground.discord.actors import (
    Answer,
    BotUser,
    ClientRefusedError,
    Guild,
    Member,
    RoleHandle,
    Room,
    Seen,
    Transcript,
    UnansweredError,
)
from playground.discord.breaches import PlaygroundError
from playground.discord.cdn import Cut, Refused, Slow
from playground.discord.opening import Discord, open_discord
from playground.discord.voice import Heard, Listener, Tap
from playground.discord.world.drafts import Upload

ClientRefused = ClientRefusedError

__all__ = [
    "Answer",
    "BotUser",
    "ClientRefused",
    "ClientRefusedError",
    "Cut",
    "Discord",
    "Guild",
    "Heard",
    "Listener",
    "Member",
    "PlaygroundError",
    "Refused",
    "RoleHandle",
    "Room",
    "Seen",
    "Slow",
    "Tap",
    "Transcript",
    "UnansweredError",
    "Upload",
    "open_discord",
]
