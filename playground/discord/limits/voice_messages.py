"""The rules of voice messages (discord.com/developers, "Voice Messages"). Knows not who may send them, nor where."""

import base64
import binascii
import mimetypes
from dataclasses import replace

from playground.discord.refusal import Problems, RefusalError
from playground.discord.world.drafts import Draft, MessageFlag, Upload

_MAX_POINTS = 256


def check_voice_message(draft: Draft, *, path: str = "") -> None:
    """Check that a draft with the flag is one piece of sound with its picture and length, and nothing else.

    Raises RefusalError 50159, 50160 or 50161; 50035 for a picture or a length that is none.
    """
    if draft.content or draft.embeds or draft.components:
        raise RefusalError(400, 50159, "Voice messages do not support additional content.")
    if len(draft.uploads) != 1 or draft.kept or not _is_audio(draft.uploads[0]):
        raise RefusalError(400, 50160, "Voice messages must have a single audio attachment.")
    upload = draft.uploads[0]
    if upload.duration is None or upload.waveform is None:
        raise RefusalError(400, 50161, "Voice messages must have supporting metadata.")
    problems = Problems()
    if upload.duration <= 0:
        problems.add(f"{path}attachments.0.duration_secs", "NUMBER_TYPE_MIN", "Value should be greater than 0.")
    problems.count(f"{path}attachments.0.waveform", len(_points(upload.waveform)), 1, _MAX_POINTS)
    problems.raise_if_any()


def silent(draft: Draft) -> Draft:
    """Drop the flag where Discord ignores it: on edits, deferrals and follow-ups (discord-api-docs issue 7158)."""
    return replace(draft, flags=draft.flags & ~MessageFlag.VOICE)


def _is_audio(upload: Upload) -> bool:
    """Tell whether both its sender and its name say that it is sound."""
    named = mimetypes.guess_type(upload.filename)[0] or ""
    return (upload.content_type or "").startswith("audio/") and named.startswith("audio/")


def _points(waveform: str) -> bytes:
    try:
        return base64.b64decode(waveform, validate=True)
    except binascii.Error:
        return b""
