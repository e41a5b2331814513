"""GET /model: the voices of one account, or everybody's public ones, filtered, sorted and in pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from playground.services.fish import _refusals as refusals
from playground.services.fish._fields import Fields, read_query
from playground.services.fish._house import House
from playground.services.service import Asked

_KNOWN = frozenset({
    "page_size", "page_number", "title", "tag", "self", "author_id", "language", "title_language", "sort_by",
    "liked", "marked",
})  # fmt: skip
_SORTS = ("score", "task_count", "created_at")
_WINDOW = 1000
_SCRIPTS: Sequence[tuple[str, str, str]] = (
    ("ja", "\u3040", "\u30ff"),
    ("ko", "\uac00", "\ud7af"),
    ("zh", "\u4e00", "\u9fff"),
    ("ru", "\u0400", "\u04ff"),
)


class Listing:
    """Owns nothing; reads the house's voices."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def page(self, asked: Asked) -> web.StreamResponse:
        """Give one page; nothing beyond the first thousand of a query."""
        fields = read_query(asked, _KNOWN, "GET /model")
        size = fields.whole("page_size", 10, least=1, most=100)
        number = fields.whole("page_number", 1, least=1)
        mine = fields.flag("self", default=False)
        sort = fields.choice("sort_by", _SORTS, "score")
        if mine and asked.key not in self._house.keys:
            raise refusals.no_permission()
        fields.settle()
        found = [
            voice
            for voice in self._sorted(sort)
            if (self._house.owners.get(voice["_id"]) == asked.key if mine else voice["visibility"] == "public")
            and _fits(voice, fields, mine=mine)
        ]
        start = (number - 1) * size
        within = found[:_WINDOW]
        limited = len(found) > _WINDOW
        return web.json_response(
            {
                "total": len(within),
                "items": within[start : start + size],
                "has_more": start + size < len(within),
                "max_offset": _WINDOW if limited else None,
                "accessible_upper_bound": _WINDOW if limited else None,
                "window_limited": limited,
                "total_is_exact": not limited,
            }
        )

    def _sorted(self, sort: str) -> list[Mapping[str, Any]]:
        """Most used first, or newest first; of equals the one made later."""
        newest_first = list(reversed(self._house.voices.values()))
        key = "created_at" if sort == "created_at" else "task_count"
        return sorted(newest_first, key=lambda voice: voice[key], reverse=True)


def _fits(voice: Mapping[str, Any], fields: Fields, *, mine: bool) -> bool:
    """Say whether a voice passes every filter; those of one name are alternatives but for tags."""
    title, author = fields.text("title").casefold(), fields.text("author_id")
    languages, title_languages = fields.texts("language"), fields.texts("title_language")
    return (
        title in voice["title"].casefold()
        and set(fields.texts("tag")) <= set(voice["tags"])
        and (mine or not author or voice["author"]["_id"] == author)
        and (not languages or not set(languages).isdisjoint(voice["languages"]))
        and (not title_languages or language_of(voice["title"]) in title_languages)
    )


def language_of(title: str) -> str:
    """Guess the language of a title from its script; English where nothing speaks for another."""
    return next((code for code, first, last in _SCRIPTS if any(first <= letter <= last for letter in title)), "en")
