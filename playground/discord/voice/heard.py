"""What a listener heard, as a test looks at it: counts, the sound, and every frame with its time of arrival.

Knows no packet and no key.
"""

from dataclasses import dataclass

from playground.discord.voice.decoder import Sound

_HOLE = 0.06


@dataclass(frozen=True, slots=True)
class Frame:
    """Twenty milliseconds that were heard."""

    user_id: int
    sequence: int
    """The RTP sequence number."""
    arrived: float
    """On `time.monotonic`."""
    opus: bytes
    silence: bool
    """Whether it is the Opus silence frame."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A speaker's opcode 5."""

    user_id: int
    flags: int
    """0: does not speak any more."""
    at: float
    """On `time.monotonic`."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What a listener heard since it sat down or since `reset`."""

    pcm: Sound
    """Mono at 48 kHz, everybody mixed; pauses by RTP timestamp within a connection, by the clock between two."""
    packets: int
    """Frames heard: decrypted (or sent in a channel without end-to-end encryption), silence frames not counted."""
    silence_packets: int
    """Frames that were the Opus silence frame."""
    clear_packets: int
    """Frames that came unencrypted though the channel is end-to-end encrypted. Nobody hears them."""
    undecryptable: int
    """Frames that this listener had no key for, and packets not under the session's transport key."""
    lost: int
    """Sequence numbers that never came."""
    duplicates: int
    """Packets whose sequence number was not new; not heard."""
    wrong_steps: int
    """Timestamps that did not go on by 960 for each packet."""
    reused_nonces: int
    """Packets under a transport nonce used before; not heard."""
    seconds: float
    """How long the frames heard are."""
    gaps: tuple[float, ...]
    """Seconds between arrivals of two spoken frames of one speech; 0.02 is even."""
    first_at: float | None
    """When the first frame heard arrived, on `time.monotonic`; None where none was."""
    frames: tuple[Frame, ...]
    """Every frame heard, silence frames too, in the order of arrival; those of the last ten minutes."""
    hushed: int
    """Packets of somebody whom the server had muted or suppressed, or who had muted themselves. Nobody hears them."""
    announcements: tuple[Announcement, ...]
    """What speakers said of themselves, in order; the latest 512."""

    @property
    def late(self) -> tuple[float, ...]:
        """The gaps in which a frame came more than 20 ms late."""
        return tuple(gap for gap in self.gaps if gap > 0.04)

    @property
    def holes(self) -> tuple[float, ...]:
        """The gaps of more than 60 ms inside speech: what a member hears as a break."""
        return tuple(gap for gap in self.gaps if gap > _HOLE)

    @property
    def spoken(self) -> tuple[Frame, ...]:
        """The frames heard that are no silence frames."""
        return tuple(frame for frame in self.frames if not frame.silence)

    @property
    def unannounced(self) -> tuple[Frame, ...]:
        """The frames of speech that came while their speaker had not said to be speaking.

        Opcode 5 and packets come on two ways: a packet may be 60 ms ahead.
        """
        return tuple(frame for frame in self.spoken if not self._announced(frame))

    @property
    def concluded(self) -> bool:
        """Whether everybody who spoke said after their last frame that they do not speak any more."""
        last = {frame.user_id: frame.arrived for frame in self.spoken}
        said = {each.user_id: each for each in self.announcements}
        return all(
            user_id in said and not said[user_id].flags and said[user_id].at + _HOLE >= arrived
            for user_id, arrived in last.items()
        )

    def repeats(self, least: int = 25) -> tuple[Frame, ...]:
        """Return the frames at which the very packets of `least` frames in a row begin a second time."""
        spoken = self.spoken
        seen: dict[tuple[bytes, ...], int] = {}
        found: list[Frame] = []
        for start in range(len(spoken) - least + 1):
            run = tuple(frame.opus for frame in spoken[start : start + least])
            if start - seen.setdefault(run, start) >= least:
                found.append(spoken[start])
        return tuple(found)

    def _announced(self, frame: Frame) -> bool:
        """Whether its speaker was said to be speaking at any time within 60 ms of it."""
        own = [each for each in self.announcements if each.user_id == frame.user_id]
        before = [each for each in own if each.at < frame.arrived - _HOLE]
        around = [each for each in own if abs(each.at - frame.arrived) <= _HOLE]
        return any(each.flags for each in (*before[-1:], *around))
