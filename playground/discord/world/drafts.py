"""What a message shall say, on its way in. Knows no channel and no author."""

from dataclasses import dataclass
from enum import IntFlag

from playground.discord.wire import JsonObject


class MessageFlag(IntFlag):
    """The message flags the playground acts on."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    VOICE = 1 << 13
    COMPONENTS_V2 = 1 << 15


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in."""

    filename: str
    data: bytes
    description: str | None = None
    duration: float | None = None
    waveform: str | None = None
    content_type: str | None = None
    """What its sender says it is."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a message shall say; None leaves what an edited message said. `kept` are attachment ids an edit keeps."""

    content: str | None = None
    embeds: tuple[JsonObject, ...] | None = None
    components: tuple[JsonObject, ...] | None = None
    uploads: tuple[Upload, ...] = ()
    kept: frozenset[int] | None = None
    flags: int = 0
    mentions: JsonObject | None = None
    nonce: str | None = None
    once: bool = False
    """Where its author has sent a message of this nonce, that is the message."""
    reply_to: int | None = None
    reply_must_exist: bool = True
