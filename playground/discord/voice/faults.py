"""What a test wants to go wrong, or to be different, on the voice server. Knows nothing of how it is done."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from playground.discord.voice.transport import GCM, XCHACHA


@dataclass(slots=True)
class Faults:
    """Settings a test may change at any time; the defaults are a Discord on a good day."""

    refuse_identify: deque[int] = field(default_factory=deque)
    """Close codes for the next Identifies, one each: 4006, 4017, 4014 ..."""
    lose_discovery: int = 0
    """So many of the next UDP discoveries stay without an answer."""
    lose_announcements: int = 0
    """So many of the next sessions have all their announcements (opcode 5) lost: nobody hears their packets.

    Discord says that it disconnects whose packets come unannounced, and not with which code; here it is 4020.
    """
    group_delay: float = 0.0
    """Seconds until a client's key package is looked at; `math.inf` for never: there will be no key group."""
    transition_timeout: float = 2.0
    """Seconds the server waits for members to be ready for a transition."""
    committer: Literal["listener", "client"] = "listener"
    """Whose commit wins where a listener and a client could both commit."""
    resume_window: float = 5.0
    """Seconds a session waits for its client after its websocket broke (1006) or was closed with 4015."""
    modes: tuple[str, ...] = (GCM, XCHACHA)
    """Transport encryption modes offered, preferred first."""
    dave_versions: dict[int, int] = field(default_factory=dict)
    """DAVE version by channel id; 0 on a stage. Channels not named here have version 1."""
    endpoint: str = "voice-1.discord.media:443"
    """Where clients expected from now on are told to go."""
    heartbeat_interval: int = 13750
    """Milliseconds between a client's heartbeats; after twice as long without one the session times out (4009)."""

    def dave_version(self, channel_id: int) -> int:
        """Return the DAVE version spoken in a channel."""
        return self.dave_versions.get(channel_id, 1)
