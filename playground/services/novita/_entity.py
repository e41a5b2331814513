"""A voice as the family writes it: the ModelEntity of an older Fish Audio. Knows no requests."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

_ACCOUNT = "7ecad23df62a4174acd6a2a6cb5201ee"
"""All voices live in the one account that the reseller has at Fish Audio."""


def entity(
    *, title: str, description: str, tags: Sequence[str], visibility: str, has_cover: bool, state: str
) -> dict[str, Any]:
    """Make a voice; its picture is a path without a host."""
    remote_id = uuid.uuid4().hex
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "_id": remote_id,
        "type": "tts",
        "title": title,
        "description": description,
        "cover_image": f"coverimage/{remote_id}" if has_cover else "",
        "state": state,
        "tags": list(tags),
        "created_at": made,
        "updated_at": made,
        "visibility": visibility,
        "like_count": 0,
        "mark_count": 0,
        "shared_count": 0,
        "task_count": 0,
        "author": {"_id": _ACCOUNT, "nickname": "Reseller", "avatar": f"avatars/{_ACCOUNT}.jpg"},
        "train_mode": "fast",
        "samples": [],
        "languages": ["en"],
        "lock_visibility": False,
        "unliked": False,
        "liked": False,
        "marked": False,
    }
