"""A human in a voice channel who hears: holds a real DAVE session, decrypts, decodes and keeps what was said.

Knows no socket: the call hands it packets after transport decryption and the voice gateway's messages.
"""

import asyncio
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable

import davey
import numpy as np

from playground.discord.bell import Bell
from playground.discord.voice.decoder import RATE, Sound
from playground.discord.voice.heard import Announcement, Heard
from playground.discord.voice.opcodes import Op
from playground.discord.voice.track import FRAME, KEPT, SILENCE, Track
from playground.discord.voice.transport import Packet

_MARKER = b"\xfa\xfa"
_VERSION = 1
_SLICE = 50
_TRACKS = 32
_ANNOUNCEMENTS = 512


class Listener:
    """Owns one human's DAVE session and what was heard with it."""

    remote = False

    def __init__(
        self, *, channel_id: int, user_id: int, dave_version: int, answer: Callable[["Listener", Op, object], None]
    ) -> None:
        self.channel_id, self.user_id = channel_id, user_id
        self.session = davey.DaveSession(_VERSION, user_id, channel_id) if dave_version else None
        self._answer = answer
        self._bell = Bell()
        self._tracks: dict[int, Track] = {}
        self._speaking: dict[int, int] = {}
        self._announcements: deque[Announcement] = deque(maxlen=_ANNOUNCEMENTS)
        self._clear = self._undecryptable = self._reused = self._hushed = 0

    # What others say on the voice gateway

    def tell(self, op: Op, data: dict[str, object] | bytes) -> None:
        """Take a message of the voice gateway as a Discord client does."""
        if self.session is None:
            return
        match op, data:
            case Op.EXTERNAL_SENDER, bytes():
                self.session.set_external_sender(data)
                self._send_key_package(self.session)
            case Op.PROPOSALS, bytes():
                result = self.session.process_proposals(davey.ProposalsOperationType.append, data[1:])
                if result is not None:
                    self._answer(self, Op.COMMIT_WELCOME, result.commit + (result.welcome or b""))
            case Op.ANNOUNCE_COMMIT, bytes():
                self._enter(self.session, self.session.process_commit, data)
            case Op.WELCOME, bytes():
                self._enter(self.session, self.session.process_welcome, data)
            case Op.PREPARE_EPOCH, {"epoch": 1}:
                self._start_over(self.session)
            case _:
                pass
        self._bell.ring()

    def _enter(self, session: davey.DaveSession, process: Callable[[bytes], None], data: bytes) -> None:
        (transition,) = struct.unpack_from(">H", data)
        try:
            process(data[2:])
        except ValueError:
            self._answer(self, Op.INVALID_COMMIT_WELCOME, transition)
            self._start_over(session)
        else:
            self._answer(self, Op.TRANSITION_READY, transition)

    def _start_over(self, session: davey.DaveSession) -> None:
        session.reinit(_VERSION, self.user_id, self.channel_id)
        self._send_key_package(session)

    def _send_key_package(self, session: davey.DaveSession) -> None:
        self._answer(self, Op.KEY_PACKAGE, session.get_serialized_key_package())

    def speaking(self, user_id: int, flags: int) -> None:
        """Take a speaker's announcement; 0 for one that ended."""
        self._announcements.append(Announcement(user_id, flags, time.monotonic()))
        self._speaking[user_id] = flags
        self._bell.ring()

    def gone(self, user_id: int) -> None:
        """Take note that somebody left: whatever they were saying has ended."""
        self._speaking[user_id] = 0
        self._bell.ring()

    def receive(self, user_id: int, packet: Packet, arrived: float, *, hushed: bool = False) -> None:
        """Take a packet; `arrived` is on the monotonic clock. One that is `hushed` is counted and not heard."""
        track = self._track(user_id, packet.ssrc)
        if track.count(packet, arrived):
            silence = packet.payload == SILENCE
            track.note(arrived, silence=silence, hushed=hushed)
            if hushed:
                self._hushed += 1
                self._bell.ring()
                return
            opus = packet.payload if silence else self._decrypt(user_id, packet.payload)
            if opus is not None:
                track.keep(opus, arrived)
        self._bell.ring()

    def miss(self, *, reused: bool) -> None:
        """Count a packet the transport layer refused: its nonce was used before, or it did not decrypt."""
        if reused:
            self._reused += 1
        else:
            self._undecryptable += 1
        self._bell.ring()

    def _track(self, user_id: int, ssrc: int) -> Track:
        if ssrc not in self._tracks:
            while len(self._tracks) >= _TRACKS:
                del self._tracks[next(iter(self._tracks))]
            self._tracks[ssrc] = Track(user_id)
        return self._tracks[ssrc]

    def _decrypt(self, user_id: int, payload: bytes) -> bytes | None:
        if self.session is None:
            return payload
        if not payload.endswith(_MARKER):
            self._clear += 1
            return None
        try:
            return self.session.decrypt(user_id, davey.MediaType.audio, payload)
        except ValueError:
            self._undecryptable += 1
            return None

    # What a test asks

    def heard(self) -> Heard:
        """Decode everything heard; takes about 4 ms for each second of sound."""
        tracks = tuple(self._tracks.values())
        firsts = [track.first_at for track in tracks if track.first_at is not None]
        spoken = sum(track.spoken for track in tracks)
        return Heard(
            pcm=_mix(tracks),
            packets=spoken,
            silence_packets=sum(track.silent for track in tracks),
            clear_packets=self._clear,
            undecryptable=self._undecryptable,
            lost=sum(track.lost for track in tracks),
            duplicates=sum(track.duplicates for track in tracks),
            wrong_steps=sum(track.wrong_steps for track in tracks),
            reused_nonces=self._reused,
            seconds=spoken * FRAME / RATE,
            gaps=tuple(gap for track in tracks for gap in track.gaps),
            first_at=min(firsts) if firsts else None,
            frames=tuple(
                sorted((frame for track in tracks for frame in track.frames()), key=lambda each: each.arrived)
            ),
            hushed=self._hushed,
            announcements=tuple(self._announcements),
        )

    def reset(self) -> None:
        """Forget what was heard; the DAVE session and who is speaking stay."""
        self._tracks.clear()
        self._announcements.clear()
        self._clear = self._undecryptable = self._reused = self._hushed = 0

    async def hears(self, seconds: float = 1.0, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - the tests' words
        """Return once that much was heard that is not digital silence. Raises TimeoutError saying what was heard."""
        try:
            async with asyncio.timeout(timeout):
                while self._judge() < seconds:
                    if self._unjudged():
                        await asyncio.sleep(0)
                    else:
                        await self._bell.until(self._unjudged)
        except TimeoutError as error:
            raise TimeoutError(f"not {seconds:g} s of sound within {timeout:g} s; {self._summary()}") from error

    async def ignores(self, packets: int = 25, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - the tests' words
        """Return once that many packets came that nobody hears, their speaker being muted. Raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                await self._bell.until(lambda: self._hushed >= packets)
        except TimeoutError as error:
            raise TimeoutError(f"{self._hushed} hushed packets within {timeout:g} s; {self._summary()}") from error

    async def announced(self, flags: int, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - the tests' words
        """Return once the latest announcement is this: 0 for the end of speech. Raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                await self._bell.until(lambda: bool(self._announcements) and self._announcements[-1].flags == flags)
        except TimeoutError as error:
            raise TimeoutError(f"nobody announced {flags} within {timeout:g} s; {self._summary()}") from error

    async def secured(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - the tests' words
        """Return once this listener is in a key group. Raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                await self._bell.until(lambda: self.session is not None and self.session.ready)
        except TimeoutError as error:
            raise TimeoutError(f"not in a key group within {timeout:g} s") from error

    async def silence(self, after: float = 0.3, timeout: float = 30.0) -> None:  # noqa: ASYNC109 - the tests' words
        """Return once somebody spoke and has ended: said so, sent five silence frames or left, `after` seconds ago.

        Raises TimeoutError, also where nobody spoke since `reset`.
        """
        try:
            async with asyncio.timeout(timeout):
                while True:
                    await self._bell.until(self._ended)
                    quiet = time.monotonic() - max(track.last_spoken_at for track in self._tracks.values())
                    if quiet >= after:
                        return
                    await asyncio.sleep(after - quiet)
        except TimeoutError as error:
            raise TimeoutError(f"no end of speech within {timeout:g} s; {self._summary()}") from error

    def _unjudged(self) -> bool:
        return any(track.unjudged for track in self._tracks.values())

    def _judge(self) -> float:
        """Listen to some of what nobody listened to yet and return the seconds that were audible so far."""
        for track in self._tracks.values():
            track.judge(_SLICE)
        return sum(track.audible for track in self._tracks.values())

    def _ended(self) -> bool:
        spoke = [track for track in self._tracks.values() if track.last_spoken_at]
        return bool(spoke) and all(track.ended or not self._speaking.get(track.user_id) for track in spoke)

    def _summary(self) -> str:
        tracks = self._tracks.values()
        return (
            f"user {self.user_id} heard {sum(track.spoken for track in tracks)} frames,"
            f" {sum(track.audible for track in tracks):.2f} s of them audible as far as judged,"
            f" {self._clear} clear, {self._undecryptable} undecryptable"
        )


def _mix(tracks: Iterable[Track]) -> Sound:
    """Lay the tracks over each other by their time of arrival; one speaker's follow each other."""
    begins = [(begin, track) for track in tracks if (begin := track.begins()) is not None]
    begins.sort(key=lambda pair: pair[0])
    ends: dict[int, int] = {}
    parts: list[tuple[int, Sound]] = []
    for begin, track in begins:
        sound = track.render()
        start = max(round((begin - begins[0][0]) * RATE), ends.get(track.user_id, 0))
        parts.append((start, sound))
        ends[track.user_id] = start + sound.size
    mixed = np.zeros(max(ends.values(), default=0), dtype=np.float32)
    for start, sound in parts:
        mixed[start : start + sound.size] += sound
    return mixed[-KEPT:]
