"""The nouns of Mynah as frozen values. Knows nothing but the standard library."""

import unicodedata
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

AudioFormat = Literal["ogg", "mp3", "wav"]
Visibility = Literal["private", "unlist", "public"]
RemoteState = Literal["created", "training", "trained", "failed"]
VoiceState = Literal["unknown", "created", "training", "trained", "failed"]
"""`unknown`: a create was sent and no answer seen; the voice is looked for before anything is sent again."""
UNFINISHED: tuple[VoiceState, ...] = ("unknown", "created", "training")
HOUSE = 0
"""Owner of the ready-made voices that everybody may speak with."""
Grade = Literal["good", "fair", "poor"]


def name_key(name: str) -> str:
    """Fold a voice's name so that names that look alike compare equal: NFKC, case-folded, white space joined."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.split())


PACKET_SECONDS = 0.02
"""Above the providers sound is always 48 kHz Opus in packets of exactly 20 ms."""
Packets = AsyncIterator[Sequence[bytes]]
"""Such packets as they are made, some at a time: one by one, those of hundreds of lines would keep a core busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReport:
    """What was heard in a recording."""

    seconds: float
    """Length as recorded."""
    speech_seconds: float
    """Of which somebody speaks."""
    loudness: float
    """Integrated loudness in LUFS (ITU-R BS.1770); -70 for silence."""
    noise: float
    """Level of the pauses in dBFS."""
    clipped: float
    """Share of samples at full scale, 0 to 1."""
    grade: Grade
    sentence: str
    """The verdict in words for the member: 'Good: 18 s of clear speech.'"""
    waveform: bytes
    """Picture of the level over time: up to 256 points, 0 (silent) to 255 (full scale), evenly spaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A recording to clone from, decoded and judged."""

    wav: bytes
    """RIFF WAVE, 48 kHz, mono, signed 16 bit."""
    report: SampleReport
    transcript: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSample:
    """A sample as it is kept, so that a voice can be rebuilt elsewhere."""

    opus: bytes
    """Ogg Opus, 48 kHz, mono, 20 ms packets."""
    transcript: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteVoice:
    """A voice as its provider reports it."""

    id: str
    title: str
    state: RemoteState
    description: str = ""
    tags: tuple[str, ...] = ()
    visibility: Visibility = "private"
    train_mode: str = "fast"
    languages: tuple[str, ...] = ()
    """BCP 47 codes."""
    cover_image: str | None = None
    fault: str = ""
    """Why it failed, where its provider says so."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    use_count: int = 0
    """How often it was spoken with, as the provider counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A cloned voice, remembered. It belongs to one member."""

    id: str
    """Ours: 32 hexadecimal digits."""
    owner_id: int
    name: str
    """As the owner wrote it; unique per owner when compared with `name_key`."""
    provider: str
    remote_id: str | None
    """The id at the provider; None until it answered."""
    state: VoiceState
    title: str
    description: str = ""
    tags: tuple[str, ...] = ()
    visibility: Visibility = "private"
    train_mode: str = "fast"
    languages: tuple[str, ...] = ()
    cover_image: str | None = None
    fault: str = ""
    """Why it failed, in a sentence for its owner."""
    use_count: int = 0
    """Lines spoken with it through Mynah."""
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None = None
    consent: str
    """The very sentence the owner confirmed."""
    consented_at: datetime
    report: SampleReport | None = None
    """What was heard in the sample it was made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceMessage:
    """A line as a chat plays it in place: the sound, and what its player draws before it is loaded."""

    ogg: bytes
    """Ogg Opus, 48 kHz, 20 ms packets."""
    seconds: float
    waveform: bytes
    """Level over time: a point for every 100 ms, at most 256; 0 (silent) to 255 (full scale), evenly spaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicePage:
    """One page of a member's voices, by name."""

    voices: tuple[Voice, ...] = field(default=())
    total: int = 0
    default_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLine:
    """A line that waits or is being said, as it is written down for the case that the process ends."""

    id: str
    """Ours: 32 hexadecimal digits."""
    guild_id: int
    channel_id: int
    """The voice channel it is for."""
    asker_id: int
    voice_id: str
    voice_name: str
    text: str
    """The words as they were asked for."""
    style: str = ""
    speed: float = 1.0
    sentence: int = 0
    """Index of the first sentence that was not yet said whole."""
    position: int
    """Its place in the server's queue: decides between lines that were asked for at one moment."""
    asked_at: datetime
    restored: int = 0
    """How often it was taken up again after a stop since a sentence of it was said whole."""
    panel_channel_id: int | None = None
    panel_message_id: int | None = None
    """The public announcement with the buttons, where there is one."""
