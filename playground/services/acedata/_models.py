"""The routes below /fish/model: voices are made from links, listed and read. There is no changing and no removing."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from playground.services.acedata._bodies import Clone, Listing, read_body, read_query
from playground.services.acedata._entity import detailed, entity, language_of, now, short, thin
from playground.services.acedata._errands import is_link, seek_address
from playground.services.acedata._house import AUTHOR, House
from playground.services.acedata._outside import UnreachableError
from playground.services.acedata._refusals import invalid, problem, told, upstream
from playground.services.service import Asked


class Models:
    """Owns how often each voice was read."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._reads: dict[str, int] = {}

    async def create(self, asked: Asked) -> web.StreamResponse:
        """Make a voice from recordings that are fetched while this runs."""
        wish, _ = read_body(Clone, asked)
        self._judge(wish)
        house = self._house
        recordings = [await self._fetch(link) for link in wish.links]
        voice = entity(
            title=wish.title,
            author=AUTHOR,
            description=wish.description,
            cover_image=wish.cover_image,
            tags=wish.tags,
            visibility=house.forced_visibility or wish.visibility,
            state=self._first_state(),
        )
        voice_id = voice["_id"]
        house.voices[voice_id], house.owners[voice_id] = voice, asked.key
        house.links[voice_id], house.recordings[voice_id] = wish.links, tuple(recordings)
        house.keys[asked.key] -= house.clone_price
        return web.json_response(thin(voice) if house.thin_create else voice)

    async def page(self, asked: Asked) -> web.StreamResponse:
        """List voices in short, newest first: one's own, or those and everybody's public ones."""
        wish = read_query(Listing, asked)
        found = [
            short(voice)
            for voice in reversed(self._house.voices.values())
            if self._listed(asked, voice, wish) and _fits(voice, wish)
        ]
        start = (wish.page_number - 1) * wish.page_size
        return web.json_response({"items": found[start : start + wish.page_size], "total": len(found)})

    async def get(self, asked: Asked) -> web.StreamResponse:
        """Read a voice; one that is not ready comes nearer to it."""
        voice = self._house.visible(asked, asked.request.match_info["id"])
        if voice is None:
            raise told("not_found")
        self._age(voice)
        return web.json_response(detailed(voice, self._house.links.get(voice["_id"], ())))

    def _judge(self, wish: Clone) -> None:
        accepted = self._house.voices_accepts
        if accepted not in {"both", "string" if isinstance(wish.voices, str) else "list"}:
            wanted = "a single URL string" if accepted == "string" else "a list of URLs"
            raise told("bad_request", f"voices must be {wanted}.")
        if not all(map(is_link, wish.links)):
            raise told("bad_request", "voices must be URLs.")
        if wish.cover_image and not is_link(wish.cover_image):
            raise told("bad_request", "cover_image must be a URL.")
        seek_address(wish.callback_url)
        if wish.texts and len(wish.texts) != len(wish.links):
            message = "Value error, texts must have one item for each of voices"
            raise invalid([problem("texts", "value_error", message, wish.texts)])

    async def _fetch(self, link: str) -> bytes:
        try:
            recording = await self._house.outside.fetch(link)
        except UnreachableError as error:
            raise told("api_error", "fetch failed") from error
        if not recording:
            raise upstream("Failed to preprocess audio: empty file")
        return recording

    def _listed(self, asked: Asked, voice: Mapping[str, Any], wish: Listing) -> bool:
        mine = self._house.owners.get(voice["_id"]) == asked.key
        return mine or (not wish.mine and voice["visibility"] == "public")

    def _first_state(self) -> str:
        if self._house.trained_after:
            return "created"
        return "failed" if self._house.fails_training else "trained"

    def _age(self, voice: dict[str, Any]) -> None:
        """Count a read; the last one that it takes finds the voice trained, or failed."""
        if voice["state"] not in {"created", "training"}:
            return
        reads = self._reads[voice["_id"]] = self._reads.get(voice["_id"], 0) + 1
        if reads < self._house.trained_after:
            voice["state"] = "training"
        else:
            voice["state"] = "failed" if self._house.fails_training else "trained"
        voice["updated_at"] = now()


def _fits(voice: Mapping[str, Any], wish: Listing) -> bool:
    """Say whether a voice passes every filter; several languages are alternatives, several tags are not."""
    return (
        wish.title.casefold() in voice["title"].casefold()
        and set(wish.tag) <= set(voice["tags"])
        and (wish.mine or not wish.author_id or voice["author"]["_id"] == wish.author_id)
        and (not wish.language or not set(wish.language).isdisjoint(voice["languages"]))
        and (not wish.title_language or language_of(voice["title"]) == wish.title_language)
    )
