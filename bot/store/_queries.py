"""The questions that need more than a where clause. Knows the tables; runs nothing."""

from typing import Any

from sqlalchemy import ColumnElement, Select, case, select

from bot.models import name_key
from bot.store._tables import members, voices

_LONGEST_NEEDLE = 500

PREFIX, WORD, INSIDE = range(3)
"""How well a name matches: it starts with the text, one of its words does, or the text is somewhere in it."""


def find_owned(owner_id: int) -> Select[Any]:
    """Ask for all voices of a member, by name."""
    return select(voices).where(voices.c.owner_id == owner_id).order_by(voices.c.name_key)


def find_named(text: str, *, owner_id: int) -> Select[Any] | None:
    """Ask for the voices of a member whose name holds `text`, the best matches first; None where no name can."""
    # a half of a surrogate pair and NUL come from broken clients, and no database keeps them
    needle = name_key(text).encode(errors="ignore").decode().replace("\0", "")
    if len(needle) > _LONGEST_NEEDLE:
        return None
    rank: ColumnElement[int] = case(
        (voices.c.name_key.startswith(needle, autoescape=True), PREFIX),
        (voices.c.name_key.contains(f" {needle}", autoescape=True), WORD),
        else_=INSIDE,
    )
    matching = voices.c.name_key.contains(needle, autoescape=True)
    return select(voices).where(voices.c.owner_id == owner_id, matching).order_by(rank, voices.c.name_key)


def find_chosen(owner_id: int) -> Select[Any]:
    """Ask for the voice a member chose as default."""
    return (
        select(voices)
        .join(members, members.c.default_voice_id == voices.c.id)
        .where(members.c.id == owner_id, voices.c.owner_id == owner_id)
    )
