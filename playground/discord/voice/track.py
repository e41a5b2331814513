"""What one speaker sent on one SSRC, as one listener received it. Knows RTP's counting and Opus, no keys."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from playground.discord.voice.decoder import RATE, Decoder, Sound
from playground.discord.voice.heard import Frame
from playground.discord.voice.transport import Packet

SILENCE = b"\xf8\xff\xfe"
"""The Opus frame that ends speech; never encrypted end to end."""
FRAME = 960
"""Samples in 20 ms."""
KEPT = 10 * 60 * RATE
"""Samples of sound that are kept."""
_KEPT_FRAMES = KEPT // FRAME
_END = 5
_JUMP = 10 * RATE
_AUDIBLE = 1e-4
_LATEST = 128


@dataclass(frozen=True, slots=True)
class _Frame:
    """An Opus packet, its place in samples since the track began, and when it arrived."""

    at: int
    sequence: int
    arrived: float
    opus: bytes


class Track:
    """Owns the frames of one speaker and what was wrong with the packets they came in."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.lost = self.duplicates = self.wrong_steps = 0
        self.spoken = self.silent = 0
        self.last_spoken_at = 0.0
        self.first_at: float | None = None
        self.gaps: deque[float] = deque(maxlen=_KEPT_FRAMES)
        self.audible = 0.0
        self._frames: deque[_Frame] = deque()
        self._unjudged: deque[bytes] = deque(maxlen=_KEPT_FRAMES)
        self._ear = Decoder()
        self._latest: deque[int] = deque(maxlen=_LATEST)
        self._timestamp: int | None = None
        self._at = 0
        self._arrived = 0.0
        self._silences = 0
        self._broken = False

    @property
    def ended(self) -> bool:
        """Whether the last five frames were silence frames."""
        return self._silences >= _END

    @property
    def unjudged(self) -> int:
        """Frames that nobody has listened to yet."""
        return len(self._unjudged)

    def count(self, packet: Packet, arrived: float) -> bool:
        """Check a packet's sequence number and timestamp and place it; false for one that is not new."""
        if self._timestamp is None:
            self._timestamp, self._arrived = packet.timestamp, arrived
            self._latest.append(packet.sequence)
            return True
        step = (packet.sequence - self._latest[-1]) & 0xFFFF
        if packet.sequence in self._latest or step > 1 << 15:
            self.duplicates += 1
            return False
        passed = (packet.timestamp - self._timestamp) & 0xFFFFFFFF
        self.lost += step - 1
        paused = self.ended and FRAME * step < passed < 1 << 31
        if passed != FRAME * step and not paused:
            self.wrong_steps += 1
        waited = int((arrived - self._arrived) * RATE)
        plausible = passed <= _JUMP or (paused and abs(passed - waited) < RATE)
        self._at += passed if plausible else max(FRAME, waited)
        self._timestamp, self._arrived = packet.timestamp, arrived
        self._latest.append(packet.sequence)
        return True

    def note(self, arrived: float, *, silence: bool, hushed: bool = False) -> None:
        """Note that a frame arrived, heard or not: the gap before it, and whether speech goes on.

        A `hushed` one belongs to no speech; after it the gaps are counted anew.
        """
        if hushed:
            self._silences = self._silences + 1 if silence else 0
            self._broken = True
            return
        if silence:
            self._silences += 1
            self.silent += 1
            return
        if self.last_spoken_at and not self._silences and not self._broken:
            self.gaps.append(arrived - self.last_spoken_at)
        self._silences, self.last_spoken_at, self._broken = 0, arrived, False

    def keep(self, opus: bytes, arrived: float) -> None:
        """Keep a frame that was heard at the place of the packet counted last."""
        if opus != SILENCE:
            self.spoken += 1
            self.first_at = arrived if self.first_at is None else self.first_at
        self._frames.append(_Frame(self._at, self._latest[-1], arrived, opus))
        self._unjudged.append(opus)
        while self._frames[0].at < self._at - KEPT:
            self._frames.popleft()

    def judge(self, most: int) -> None:
        """Listen to up to `most` frames and count the seconds that are not digital silence."""
        for _ in range(min(most, len(self._unjudged))):
            sound = self._ear.decode(self._unjudged.popleft())
            if sound.size and float(np.abs(sound).max()) > _AUDIBLE:
                self.audible += sound.size / RATE

    def frames(self) -> Iterator[Frame]:
        """Give what is kept, in order."""
        for each in self._frames:
            yield Frame(self.user_id, each.sequence, each.arrived, each.opus, silence=each.opus == SILENCE)

    def begins(self) -> float | None:
        """Return when the first frame that is kept arrived, None where there is none."""
        return self._frames[0].arrived if self._frames else None

    def render(self) -> Sound:
        """Decode the track; what is missing between two timestamps is silence."""
        if not self._frames:
            return np.zeros(0, dtype=np.float32)
        first, decoder = self._frames[0].at, Decoder()
        sound = np.zeros(self._frames[-1].at - first + 6 * FRAME, dtype=np.float32)
        end = 0
        for frame in self._frames:
            part, start = decoder.decode(frame.opus), frame.at - first
            sound[start : start + part.size] = part
            end = max(end, start + part.size)
        return sound[:end]
