"""A voice as Ace Data Cloud writes it, at length and in short. Knows no requests."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_SHORT = (
    "_id", "title", "description", "cover_image", "type", "state", "tags", "languages", "visibility", "created_at",
    "updated_at",
)  # fmt: skip
_SCRIPTS: Sequence[tuple[str, str, str]] = (
    ("ja", "\u3040", "\u30ff"),
    ("ko", "\uac00", "\ud7af"),
    ("zh", "\u4e00", "\u9fff"),
    ("ru", "\u0400", "\u04ff"),
)


def entity(
    *,
    title: str,
    author: str,
    description: str = "",
    cover_image: str = "",
    tags: Sequence[str] = (),
    visibility: str = "private",
    languages: Sequence[str] = ("en",),
    state: str = "trained",
) -> dict[str, Any]:
    """Make a voice."""
    made = now()
    return {
        "_id": uuid.uuid4().hex,
        "type": "tts",
        "title": title,
        "description": description,
        "cover_image": cover_image,
        "train_mode": "fast",
        "state": state,
        "tags": list(tags),
        "samples": [],
        "created_at": made,
        "updated_at": made,
        "languages": list(languages),
        "visibility": visibility,
        "lock_visibility": False,
        "like_count": 0,
        "mark_count": 0,
        "shared_count": 0,
        "task_count": 0,
        "author": {"_id": author, "nickname": "user_nickname", "avatar": "user_avatar"},
    }


def now() -> str:
    """Write the time: milliseconds and Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def short(voice: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields that a listing has."""
    return {name: voice[name] for name in _SHORT}


def thin(voice: Mapping[str, Any]) -> dict[str, Any]:
    """Write a new voice as the OpenAPI example does: without its author, with counts of other names."""
    return {**short(voice), "train_mode": voice["train_mode"], "liked_count": 0, "samples_count": 0}


def detailed(voice: Mapping[str, Any], links: Sequence[str]) -> dict[str, Any]:
    """Write one voice as it is read: with the recordings it was made from, and an author of whom nothing is told."""
    return {
        **voice,
        "default_text": "",
        "default_mode": "",
        "samples": [{"audio": link, "text": ""} for link in links],
        "author": {"_id": voice["author"]["_id"], "nickname": "", "avatar": ""},
    }


def language_of(title: str) -> str:
    """Guess the language of a title from its script; English where nothing speaks for another."""
    return next((code for code, first, last in _SCRIPTS if any(first <= letter <= last for letter in title)), "en")
