"""A voice as Fish Audio writes it, the ModelEntity. Knows no requests."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any


def now() -> str:
    """Write the time as the service does: microseconds and Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id() -> str:
    """Give 32 hexadecimal digits."""
    return uuid.uuid4().hex


def entity(
    *,
    title: str,
    author: str,
    description: str = "",
    tags: Sequence[str] = (),
    visibility: str = "public",
    languages: Sequence[str] = (),
    has_cover: bool = False,
    state: str = "trained",
    sample_text: str = "",
    **others: Any,
) -> dict[str, Any]:
    """Make a voice; pictures and sounds are paths without a host."""
    remote_id, made = new_id(), now()
    task = new_id()
    sample = {"title": "Default Sample", "text": sample_text, "task_id": task, "audio": f"task/{task}.mp3"}
    return {
        "_id": remote_id,
        "type": "tts",
        "title": title,
        "description": description,
        "cover_image": f"coverimage/{remote_id}" if has_cover else "",
        "train_mode": "fast",
        "state": state,
        "tags": list(tags),
        "samples": [sample] if sample_text else [],
        "created_at": made,
        "updated_at": made,
        "languages": list(languages),
        "visibility": visibility,
        "lock_visibility": False,
        "dmca_taken_down": False,
        "default_text": sample_text,
        "source": None,
        "pvc_release_state": None,
        "pvc_notice_period_months": None,
        "pvc_released_at": None,
        "pvc_retire_requested_at": None,
        "pvc_retire_effective_at": None,
        "quality": None,
        "like_count": 0,
        "mark_count": 0,
        "shared_count": 0,
        "task_count": 0,
        "unliked": False,
        "liked": False,
        "marked": False,
        "author": {"_id": author, "nickname": "Somebody", "avatar": f"avatars/{author}.jpg"},
        **others,
    }


def quality(filenames: Sequence[str], reason: str) -> dict[str, Any]:
    """Write why a voice could not be made from its recordings."""
    return {
        "audios": [
            {
                "filename": filename,
                "duration_ms": 10_000.0,
                "language": "unknown",
                "quality": {"snr": 3.0},
                "quality_passed": False,
                "quality_reason": reason,
            }
            for filename in filenames
        ],
        "created_at": now(),
        "updated_at": now(),
    }
