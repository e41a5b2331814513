"""Direct messages: the channel that the application shares with one user. Knows no message and no server."""

from dataclasses import dataclass

from playground.discord.permissions import Permission
from playground.discord.refusal import RefusalError
from playground.discord.snowflakes import Snowflakes
from playground.discord.wire import JsonObject
from playground.discord.world.people import User

FILE_LIMIT = 10 << 20
"""How many bytes one file in a direct message may have."""
RIGHTS = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.SEND_VOICE_MESSAGES
)
"""What the application may do there (discord.com/developers, "Permissions": no role has a say in them)."""
TOLD = Permission.ATTACH_FILES | Permission.EMBED_LINKS | Permission.MENTION_EVERYONE | Permission.USE_EXTERNAL_EMOJIS
"""What an interaction says of it, which is less (discord.com/developers, "Interaction Object": app_permissions)."""


@dataclass(frozen=True, slots=True)
class Direct:
    """A channel of the application and one user."""

    id: int
    user: User

    def payload(self) -> JsonObject:
        """Return the channel object, as the application sees it."""
        return {"id": str(self.id), "type": 1, "recipients": [self.user.payload()], "last_message_id": None, "flags": 0}


class Directs:
    """Owns the channels, and who takes no messages there."""

    def __init__(self, snowflakes: Snowflakes) -> None:
        self._snowflakes = snowflakes
        self._by_user: dict[int, Direct] = {}
        self.closed: set[int] = set()
        """The users who let no application write to them."""

    def open(self, user: User) -> Direct:
        """Return the channel shared with a user, the same one every time."""
        if user.id not in self._by_user:
            self._by_user[user.id] = Direct(self._snowflakes.next(), user)
        return self._by_user[user.id]

    def with_user(self, user_id: int) -> Direct | None:
        """Return the channel shared with a user, None where none was opened."""
        return self._by_user.get(user_id)

    def find(self, channel_id: int) -> Direct | None:
        """Return a channel, None where this is no direct one."""
        return next((direct for direct in self._by_user.values() if direct.id == channel_id), None)

    def check(self, direct: Direct) -> None:
        """Raise RefusalError 50007 where the user takes no messages."""
        if direct.user.bot or direct.user.id in self.closed:
            raise RefusalError(403, 50007, "Cannot send messages to this user")
