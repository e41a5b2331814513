"""A `Voice` as a row of the voices table, and back. Knows no query."""

from typing import Any

from sqlalchemy import Row

from bot.models import SampleReport, Voice, name_key

_FIGURES = ("seconds", "speech_seconds", "loudness", "noise", "clipped", "grade", "sentence")


def write_row(voice: Voice) -> dict[str, Any]:
    """Spell a voice as column values."""
    report = voice.report
    return {
        "id": voice.id,
        "owner_id": voice.owner_id,
        "name": voice.name,
        "name_key": name_key(voice.name),
        "provider": voice.provider,
        "remote_id": voice.remote_id,
        "state": voice.state,
        "title": voice.title,
        "description": voice.description,
        "tags": list(voice.tags),
        "visibility": voice.visibility,
        "train_mode": voice.train_mode,
        "languages": list(voice.languages),
        "cover_image": voice.cover_image,
        "fault": voice.fault,
        "use_count": voice.use_count,
        "created_at": voice.created_at,
        "updated_at": voice.updated_at,
        "last_used_at": voice.last_used_at,
        "consent": voice.consent,
        "consented_at": voice.consented_at,
        "report": None if report is None else {figure: getattr(report, figure) for figure in _FIGURES},
        "waveform": None if report is None else report.waveform,
    }


def read_row(row: Row[Any]) -> Voice:
    """Build the voice a row spells."""
    return Voice(
        id=row.id,
        owner_id=row.owner_id,
        name=row.name,
        provider=row.provider,
        remote_id=row.remote_id,
        state=row.state,
        title=row.title,
        description=row.description,
        tags=tuple(row.tags),
        visibility=row.visibility,
        train_mode=row.train_mode,
        languages=tuple(row.languages),
        cover_image=row.cover_image,
        fault=row.fault,
        use_count=row.use_count,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_used_at=row.last_used_at,
        consent=row.consent,
        consented_at=row.consented_at,
        report=None if row.report is None else SampleReport(**row.report, waveform=bytes(row.waveform)),
    )
