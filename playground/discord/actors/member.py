"""A member of a server: what they type and click, what is written to them, and where they sit and listen."""

import asyncio

from playground.discord.actors.errors import ClientRefusedError
from playground.discord.actors.person import Person
from playground.discord.actors.places import Inbox, Room
from playground.discord.actors.seen import Seen
from playground.discord.actors.transcript import Transcript
from playground.discord.switchboard import Switchboard
from playground.discord.voice import Heard, Listener
from playground.discord.world import World


class Member(Person):
    """A person who can also join calls and be written to directly; owns nothing more."""

    def __init__(
        self,
        world: World,
        transcript: Transcript,
        switchboard: Switchboard,
        *,
        guild_id: int,
        user_id: int,
        home: Room,
        upload_limit: int,
    ) -> None:
        super().__init__(world, transcript, guild_id=guild_id, user_id=user_id, home=home, upload_limit=upload_limit)
        self._switchboard = switchboard

    @property
    def inbox(self) -> Inbox:
        """The channel shared with the application alone."""
        return Inbox(self._world, self.id)

    @property
    def direct_messages(self) -> list[Seen]:
        """What the application wrote to them alone, oldest first."""
        direct = self._world.directs.with_user(self.id)
        found = () if direct is None else self._world.messages.in_channel(direct.id)
        return [Seen(self._world, message.id) for message in found]

    async def told(self, count: int = 1, timeout: float = 30.0) -> list[Seen]:  # noqa: ASYNC109 - the tests' words
        """Return the direct messages once there are `count`; raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                await self._world.events.bell.until(lambda: len(self.direct_messages) >= count)
        except TimeoutError as error:
            shown = [seen.text for seen in self.direct_messages]
            raise TimeoutError(f"{self.name} was not told {count} times within {timeout:g} s, only: {shown}") from error
        return self.direct_messages

    def closes_dms(self) -> None:
        """Take direct messages from nobody who is no friend, an application among them."""
        self._world.directs.closed.add(self.id)

    def opens_dms(self) -> None:
        """Take direct messages again."""
        self._world.directs.closed.discard(self.id)

    async def joins(self, room: Room) -> Listener:
        """Join a call; raises ClientRefusedError where it is full or closed to this member."""
        if not self._world.calls.admits(guild_id=self.guild_id, user_id=self.id, channel_id=room.id):
            raise ClientRefusedError(f"{self.name} cannot join {room.name}")
        return self._switchboard.join(guild_id=self.guild_id, user_id=self.id, channel_id=room.id)

    async def moves(self, room: Room) -> Listener:
        """Go over to another call."""
        return await self.joins(room)

    async def leaves(self) -> None:
        """Leave the call."""
        self._switchboard.leave(guild_id=self.guild_id, user_id=self.id)

    def ears(self, room: Room | None = None) -> Listener:
        """Return this member's ears; raises LookupError where they are not in the call (of `room`)."""
        state = self._world.calls.state(self.guild_id, self.id)
        listener = self._switchboard.listener(guild_id=self.guild_id, user_id=self.id)
        if state is None or listener is None or (room is not None and state.channel_id != room.id):
            raise LookupError(f"{self.name} is not in {room.name if room else 'a call'}")
        return listener

    def heard(self, room: Room | None = None) -> Heard:
        """Return what this member heard since they sat down."""
        return self.ears(room).heard()

    async def hears(self, room: Room | None = None, seconds: float = 1.0, timeout: float = 10.0) -> Heard:  # noqa: ASYNC109 - the tests' words
        """Return what was heard once that much sound was; raises TimeoutError."""
        listener = self.ears(room)
        await listener.hears(seconds, timeout)
        return listener.heard()

    async def silence(self, room: Room | None = None, timeout: float = 30.0) -> Heard:  # noqa: ASYNC109
        """Return what was heard once somebody spoke and ended; raises TimeoutError."""
        listener = self.ears(room)
        await listener.silence(timeout=timeout)
        return listener.heard()
