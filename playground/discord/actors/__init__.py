"""Who acts in the playground's Discord, and what they see. Above the world, its wires and the voice server."""

from playground.discord.actors.answer import Answer
from playground.discord.actors.errors import ClientRefusedError, UnansweredError
from playground.discord.actors.guild import Guild
from playground.discord.actors.member import Member
from playground.discord.actors.places import BotUser, RoleHandle, Room
from playground.discord.actors.seen import Seen
from playground.discord.actors.transcript import Transcript

__all__ = [
    "Answer",
    "BotUser",
    "ClientRefusedError",
    "Guild",
    "Member",
    "RoleHandle",
    "Room",
    "Seen",
    "Transcript",
    "UnansweredError",
]
