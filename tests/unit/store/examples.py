"""Voices, samples and lines for the store's tests."""

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.models import KeptSample, SampleReport, SavedLine, Voice

ALICE = 80351110224678912
BOB = 80351110224678913
KEY = bytes(range(32))
MORNING = datetime(2025, 3, 1, 8, 30, 15, 250_000, tzinfo=UTC)

REPORT = SampleReport(
    seconds=20.25,
    speech_seconds=18.0,
    loudness=-19.3,
    noise=-61.2,
    clipped=0.001,
    grade="good",
    sentence="Good: 18 s of clear speech.",
    waveform=bytes(range(256)),
)

SAMPLES = (
    KeptSample(opus=b"OggS first " * 40, transcript="The quick brown fox."),
    KeptSample(opus=b"OggS second " * 40),
)


def file_url(folder: Path) -> str:
    """Give the address of an SQLite file in a folder."""
    return f"sqlite+aiosqlite:///{folder}/mynah.db"


def make_voice(name: str = "Aki", *, owner_id: int = ALICE, **changes: Any) -> Voice:
    """Make a voice that is all defaults but for what a test names."""
    values: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "provider": "imitation",
        "remote_id": None,
        "state": "trained",
        "title": name,
        "created_at": MORNING,
        "updated_at": MORNING,
        "consent": "It is my own voice.",
        "consented_at": MORNING,
    }
    return Voice(name=name, owner_id=owner_id, **(values | changes))


def make_line(text: str = "Good morning, all of you.", **changes: Any) -> SavedLine:
    """Make a line, asked for just now, that is all defaults but for what a test names."""
    values: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "guild_id": ALICE + 10,
        "channel_id": ALICE + 11,
        "asker_id": ALICE,
        "voice_id": uuid.uuid4().hex,
        "voice_name": "Aki",
        "position": 0,
        "asked_at": datetime.now(UTC),
    }
    return SavedLine(text=text, **(values | changes))
