"""A reference: all that a Fish Speech server keeps of a voice. One recording, its words, and a telling id."""

import io
import re
import unicodedata
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.errors import ProviderError
from bot.models import RemoteVoice, Sample

_MOST_TITLE = 200
"""Of the 255 signs of an id, with room for ours."""
_MOST_SECONDS = 90.0
"""Of recordings joined: the model has to hold a reference before each line."""
_OURS = re.compile(r"(?:(?P<title>.*)-)?(?P<voice_id>[0-9a-f]{32})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A recording and what is said in it."""

    wav: bytes = field(repr=False)
    """RIFF WAVE, 48 kHz, mono, signed 16 bit."""
    text: str = field(repr=False)


def make_id(title: str, voice_id: str) -> str:
    """Put a title and our id into an id of letters, digits, hyphens, underscores and spaces, at most 255 long."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    slug = " ".join(re.sub(r"[^A-Za-z0-9_-]", " ", plain).split())[:_MOST_TITLE].strip(" -") or "voice"
    return f"{slug}-{voice_id}" if voice_id else slug


def read_voice_id(reference_id: str) -> str:
    """Give our id where a reference carries it, else nothing."""
    found = _OURS.fullmatch(reference_id)
    return found["voice_id"] if found else ""


def read_voice(reference_id: str) -> RemoteVoice:
    """Read what an id says of its voice. What is there can be spoken with, by whoever has the server's key."""
    found = _OURS.fullmatch(reference_id)
    return RemoteVoice(id=reference_id, title=(found["title"] if found else None) or reference_id, state="trained")


def join(samples: Sequence[Sample]) -> Reference:
    """Make one recording of those whose words are known, in order, as long as a reference may be.

    One id takes one recording. Raises `ProviderError` (`invalid`) where no words are known. Blocks.
    """
    known = [sample for sample in samples if sample.transcript.strip()]
    if not known:
        raise ProviderError(
            "Fish Speech needs the words of the recording: send it again with its transcript.", kind="invalid"
        )
    parts, texts, seconds = [_sound(known[0])], [known[0].transcript.strip()], known[0].report.seconds
    for sample in known[1:]:
        seconds += sample.report.seconds
        if seconds > _MOST_SECONDS:
            break
        parts.append(_sound(sample))
        texts.append(sample.transcript.strip())
    return Reference(wav=_write(b"".join(parts)), text=" ".join(texts))


def _sound(sample: Sample) -> bytes:
    try:
        with wave.open(io.BytesIO(sample.wav)) as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2):
                sound: bytes = file.readframes(file.getnframes())
                return sound
    except (wave.Error, EOFError) as error:
        raise ProviderError("This recording cannot be read. Send it in another format.", kind="invalid") from error
    raise ProviderError("This recording is not 48 kHz mono. Send it again.", kind="invalid")


def _write(sound: bytes) -> bytes:
    room = io.BytesIO()
    with wave.open(room, "wb") as file:
        file.setframerate(48_000)
        file.setnchannels(1)
        file.setsampwidth(2)
        file.writeframes(sound)
    return room.getvalue()
