"""What playback needs of a connection to a voice channel, whoever provides it."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from bot.playback.line import VocalChannel
from bot.playback.player import PacketSource


class VoiceLink(Protocol):
    """A connection to one voice channel."""

    @property
    def sent(self) -> int:
        """Packets handed to the network."""

    @property
    def refused(self) -> int:
        """Packets the network did not take, or that nobody could have decrypted."""

    @property
    def bounced(self) -> int:
        """Times the network brought back word that nobody takes packets there: one before was lost, too."""

    @property
    def last_sent(self) -> float:
        """When the last packet left, on the monotonic clock."""

    @property
    def last_voiced(self) -> float:
        """When the last one left that was not silence, on the same clock."""

    @property
    def channel(self) -> VocalChannel:
        """Where it is now: a moderator may have moved it."""

    @property
    def live_session(self) -> Callable[[], int | None]:
        """In which session a packet sent now would be heard: its number, None where it would not be.

        A session that is resumed is the same. Asked from the pacer's thread.
        """

    @property
    def encrypted(self) -> bool:
        """Whether a packet sent now can be decrypted by those who listen."""

    @property
    def protected(self) -> bool:
        """Whether the call is end-to-end encrypted."""

    @property
    def announced(self) -> bool:
        """Whether Discord was told that we speak."""

    @property
    def parted(self) -> bool:
        """Whether it was left for good, and is not just being renewed."""

    @property
    def expelled(self) -> bool:
        """Whether that was somebody else's doing: a moderator's, or the channel is gone."""

    def rebind(self, channel: VocalChannel) -> None:
        """Take the channel for ours that Discord described anew."""

    def is_connected(self) -> bool:
        """Whether packets leave."""

    async def wait_encrypted(self) -> None:
        """Wait until those who listen can decrypt. Raises PlaybackError where that does not come."""

    def play(self, source: PacketSource, *, after: Callable[[Exception | None], Any]) -> None:
        """Read the source every 20 ms, and call `after` from another thread when it ends, for whatever reason."""

    def wake(self) -> None:
        """Read a source again that had nothing to hand out."""

    def stop(self) -> None:
        """End what plays."""

    async def disconnect(self, *, force: bool) -> None:
        """Leave the channel."""


Connect = Callable[[VocalChannel], Awaitable[VoiceLink]]
"""Joins a channel. Raises PlaybackError, leaving nothing behind."""
