"""The routes below /model: voices are made, read, changed and removed. Knows the house, not how voices speak."""

from typing import Any

from aiohttp import web

from playground.services.fish import _refusals as refusals
from playground.services.fish._entity import entity, now, quality
from playground.services.fish._fields import Fields, read_fields
from playground.services.fish._house import House, account_id
from playground.services.service import Asked, Upload

_CREATE = frozenset({
    "type", "title", "train_mode", "voices", "visibility", "cover_image", "description", "texts", "tags",
    "enhance_audio_quality", "generate_sample",
})  # fmt: skip
_UPDATE = frozenset({"title", "description", "cover_image", "visibility", "tags"})
_VISIBILITIES = ("public", "unlist", "private")
_MOST_VOICES = 20


class Models:
    """Owns what becomes of each voice: how often it was read, and whether it will be trained."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._reads: dict[str, int] = {}
        self._faults: dict[str, dict[str, Any]] = {}

    async def create(self, asked: Asked) -> web.StreamResponse:
        """Make a voice: 201 and all of it."""
        fields = read_fields(asked, _CREATE, "POST /model")
        title, files, visibility, cover = _judge_new(fields)
        house = self._house
        if not house.takes_recordings:
            raise refusals.told(503, "Failed to preprocess audio: no available server")
        voice = entity(
            title=title,
            author=account_id(asked.key),
            description=fields.text("description"),
            tags=fields.texts("tags"),
            visibility=house.forced_visibility or visibility,
            languages=house.languages,
            has_cover=cover,
            state=self._first_state(),
            sample_text=house.transcript if fields.flag("generate_sample", default=False) else "",
            lock_visibility=house.locks_visibility,
        )
        remote_id = voice["_id"]
        if house.training_fault:
            self._faults[remote_id] = quality([file.filename or "upload" for file in files], house.training_fault)
        if voice["state"] == "failed":
            voice["quality"] = self._faults[remote_id]
        house.voices[remote_id] = voice
        house.owners[remote_id] = asked.key
        return web.json_response(voice, status=201)

    async def get(self, asked: Asked) -> web.StreamResponse:
        """Read a voice; one that is not ready comes nearer to it."""
        voice = self._find(asked)
        if voice["visibility"] == "private" and self._house.owners.get(voice["_id"]) != asked.key:
            raise refusals.forbidden()
        self._age(voice)
        return web.json_response(voice)

    async def update(self, asked: Asked) -> web.StreamResponse:
        """Change a voice: 200 and nothing."""
        fields = read_fields(asked, _UPDATE, "PATCH /model/{id}")
        voice = self._own(asked)
        visibility = fields.choice("visibility", _VISIBILITIES, voice["visibility"])
        cover = fields.files("cover_image")
        if visibility == "public" and not (cover or voice["cover_image"]):
            _miss_cover(fields)
        changes: dict[str, Any] = {name: fields.text(name) for name in ("title", "description") if fields.has(name)}
        if fields.came("tags"):
            changes["tags"] = fields.texts("tags")
        fields.settle()
        voice.update(changes)
        if not voice["lock_visibility"]:
            voice["visibility"] = visibility
        if cover:
            voice["cover_image"] = f"coverimage/{voice['_id']}"
        voice["updated_at"] = now()
        return web.Response()

    async def delete(self, asked: Asked) -> web.StreamResponse:
        """Remove a voice."""
        voice = self._own(asked)
        del self._house.voices[voice["_id"]]
        self._house.owners.pop(voice["_id"], None)
        return web.Response(status=self._house.delete_status)

    def _find(self, asked: Asked) -> dict[str, Any]:
        voice = self._house.voices.get(asked.request.match_info["id"])
        if voice is None:
            raise refusals.no_model()
        return voice

    def _own(self, asked: Asked) -> dict[str, Any]:
        voice = self._find(asked)
        if self._house.owners.get(voice["_id"]) != asked.key:
            raise refusals.forbidden()
        return voice

    def _first_state(self) -> str:
        if self._house.trained_after:
            return "created"
        return "failed" if self._house.training_fault else "trained"

    def _age(self, voice: dict[str, Any]) -> None:
        """Count a read; the last one that it takes finds the voice trained, or failed."""
        if voice["state"] not in {"created", "training"}:
            return
        remote_id = voice["_id"]
        self._reads[remote_id] = self._reads.get(remote_id, 0) + 1
        if self._reads[remote_id] < self._house.trained_after:
            voice["state"] = "training"
        elif remote_id in self._faults:
            voice.update(state="failed", quality=self._faults[remote_id])
        else:
            voice["state"] = "trained"
        voice["updated_at"] = now()


def _judge_new(fields: Fields) -> tuple[str, list[Upload], str, bool]:
    """Give title, recordings, visibility and whether there is a picture; refuse what is wrong."""
    fields.need("type", "title", "train_mode", "voices")
    for name, only in (("type", "tts"), ("train_mode", "fast")):
        if fields.has(name):
            fields.choice(name, (only,), only)
    files, texts = fields.files("voices"), fields.texts("texts")
    for name, values in (("voices", len(files)), ("texts", len(texts))):
        if values > _MOST_VOICES:
            fields.complain(
                name, "too_long", f"List should have at most {_MOST_VOICES} items after validation, not {values}"
            )
    if texts and files and len(texts) != len(files):
        fields.complain("texts", "value_error", "Value error, texts must have one item for each of voices")
    visibility = fields.choice("visibility", _VISIBILITIES, "public")
    cover = bool(fields.files("cover_image"))
    if visibility == "public" and not cover:
        _miss_cover(fields)
    title = fields.text("title")
    for name in ("description", "tags"):
        fields.texts(name)
    for name in ("enhance_audio_quality", "generate_sample"):
        fields.flag(name, default=False)
    fields.settle()
    if not all(file.data for file in files):
        raise refusals.told(400, "Failed to preprocess audio: empty file")
    return title, files, visibility, cover


def _miss_cover(fields: Fields) -> None:
    fields.complain("cover_image", "value_error", "Value error, cover_image is required if the model is public")
