"""A voice as Fish Audio and the resellers of its API spell it: `ModelEntity`, read leniently.

Only its id is needed: resellers leave out much of the rest, and public voices have values that the documents do not
list. Source: https://docs.fish.audio, API reference, GET /model/{id}.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.models import RemoteState, RemoteVoice, Visibility
from bot.providers.faults import Account

_MARK = "mynah:"
_LAST_MARK = re.compile(rf"\s*\({_MARK}[^()]*\)\s*$")
_STATES: Mapping[Any, RemoteState] = {
    "created": "created",
    "training": "training",
    "trained": "trained",
    "failed": "failed",
}
_VISIBILITIES: Mapping[Any, Visibility] = {"private": "private", "unlist": "unlist", "public": "public"}


def mark(description: str, voice_id: str) -> str:
    """Put our id into a description, to find the voice by where the answer to its making is lost."""
    return f"{description} ({_MARK}{voice_id})".strip()


def marked(entity: Mapping[str, Any], voice_id: str) -> bool:
    """Say whether a voice carries our id."""
    return str(entity.get("description") or "").rstrip().endswith(f"({_MARK}{voice_id})")


def read_entity(content: Any, account: Account) -> RemoteVoice:
    """Read one voice. Raises `ProviderError` (`server`) for what is none."""
    if not isinstance(content, Mapping) or not isinstance(content.get("_id"), str) or not content["_id"]:
        raise account.fault("server")
    return RemoteVoice(
        id=content["_id"],
        title=str(content.get("title") or ""),
        state=_STATES.get(str(content.get("state")), "trained"),
        description=_LAST_MARK.sub("", str(content.get("description") or "")),
        tags=_words(content.get("tags")),
        # what says nothing of who sees it may be seen by all
        visibility=_VISIBILITIES.get(str(content.get("visibility")), "public"),
        train_mode=str(content.get("train_mode") or "fast"),
        languages=_words(content.get("languages")),
        cover_image=str(content["cover_image"]) if content.get("cover_image") else None,
        fault=_fault(content),
        created_at=_moment(content.get("created_at")),
        updated_at=_moment(content.get("updated_at")),
        use_count=content["task_count"] if isinstance(content.get("task_count"), int) else 0,
    )


def _words(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def _moment(value: Any) -> datetime | None:
    """Read a time, which is UTC where no zone is written."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _fault(content: Mapping[str, Any]) -> str:
    """Say why a voice failed, as far as the service looked at its recordings."""
    quality = content.get("quality")
    audios = quality.get("audios") if isinstance(quality, Mapping) else None
    reasons = [
        str(audio["quality_reason"])
        for audio in (audios if isinstance(audios, list | tuple) else ())
        if isinstance(audio, Mapping) and not audio.get("quality_passed", True) and audio.get("quality_reason")
    ]
    return " ".join("; ".join(dict.fromkeys(reasons)).split())[:200]
