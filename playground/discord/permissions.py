"""Permission bits and how roles and overwrites add up (discord.com/developers, Permissions). Knows no state."""

from collections.abc import Iterable
from enum import IntFlag


class Permission(IntFlag):
    """Discord's permission bits, under the names its reference gives them."""

    CREATE_INSTANT_INVITE = 1 << 0
    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_AUDIT_LOG = 1 << 7
    PRIORITY_SPEAKER = 1 << 8
    STREAM = 1 << 9
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    SEND_TTS_MESSAGES = 1 << 12
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    MUTE_MEMBERS = 1 << 22
    DEAFEN_MEMBERS = 1 << 23
    MOVE_MEMBERS = 1 << 24
    USE_VAD = 1 << 25
    CHANGE_NICKNAME = 1 << 26
    MANAGE_NICKNAMES = 1 << 27
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    REQUEST_TO_SPEAK = 1 << 32
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_SOUNDBOARD = 1 << 42
    SEND_VOICE_MESSAGES = 1 << 46


NOBODY = Permission(0)
EVERYTHING = Permission((1 << 53) - 1)

# what @everyone has in a server nobody has configured
EVERYONE = (
    Permission.CREATE_INSTANT_INVITE
    | Permission.ADD_REACTIONS
    | Permission.STREAM
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.MENTION_EVERYONE
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.CONNECT
    | Permission.SPEAK
    | Permission.USE_VAD
    | Permission.CHANGE_NICKNAME
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.REQUEST_TO_SPEAK
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.USE_SOUNDBOARD
    | Permission.SEND_VOICE_MESSAGES
)

_SPEECH = (
    Permission.SEND_TTS_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.MENTION_EVERYONE
    | Permission.SEND_VOICE_MESSAGES
)


def named(*names: str) -> Permission:
    """Return the permissions of these names, in the reference's spelling or in lower case; raises KeyError."""
    return union(Permission[name.upper()] for name in names)


def union(permissions: Iterable[int]) -> Permission:
    """Return all of `permissions` together."""
    total = 0
    for each in permissions:
        total |= each
    return Permission(total)


def in_channel(base: int, steps: Iterable[tuple[int, int]]) -> Permission:
    """Apply the overwrites `steps` (allow, deny: everyone's, the roles' together, the member's) to `base`."""
    if base & Permission.ADMINISTRATOR:
        return EVERYTHING
    total = base
    for allow, deny in steps:
        total = (total & ~deny) | allow
    if not total & Permission.VIEW_CHANNEL:
        return NOBODY
    if not total & Permission.SEND_MESSAGES:
        total &= ~_SPEECH
    return Permission(total)
