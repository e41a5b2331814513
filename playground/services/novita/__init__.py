"""HighwayAPI (jiekou.ai), MyRouter and Novita AI on loopback: one family that resells Fish Audio.

Written from what the three document, which contradicts itself: where it does, a switch says which way it goes. They
make voices and speak; no list, no reading and no deleting is documented, so those are answered 404.
"""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from aiohttp import web

from playground.services.novita._bodies import Encoding, OldLine, S2Line, Visibility, read_clone, read_line, seek_rate
from playground.services.novita._entity import entity
from playground.services.novita._refusals import Reason, RefusedError, because, through
from playground.services.service import Asked, Fault, Handler, Service
from playground.services.sound import Form, Speak, babble, encode

__all__ = ["Encoding", "NovitaService", "Reason"]

_S2_ROUTE = "/v3/fish-audio-s2-pro-text-to-speech"
_UNDOCUMENTED = (
    ("GET", "/v4beta/model"),
    ("GET", "/v4beta/model/{id}"),
    ("PATCH", "/v4beta/model/{id}"),
    ("DELETE", "/v4beta/model/{id}"),
)
_TYPES: Mapping[Form, str] = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm", "opus": "audio/opus"}
_DOLLARS_A_BYTE = 15 / 1_000_000


class NovitaService(Service):
    """Owns the accounts, and the voices, which are all in the reseller's one account at Fish Audio."""

    def __init__(
        self,
        *,
        speak: Speak = babble,
        s2_route: bool = True,
        encodings: frozenset[Encoding] = frozenset({"multipart"}),
    ) -> None:
        super().__init__(speak=speak)
        self.keys: dict[str, float] = {"good-key": 10.0, "poor-key": 0.0}
        """Credit in dollars."""
        self.voices: dict[str, dict[str, Any]] = {}
        """ModelEntity by id."""
        self.recordings: dict[str, tuple[bytes | str, ...]] = {}
        """What a voice was made from, by its id: bytes, or the links."""
        self.spoken: list[dict[str, Any]] = []
        """What was synthesized: model, text, format, speed, reference_id, references."""
        self.s2_route = s2_route
        """Whether there is the newer route; MyRouter documents none."""
        self.encodings = encodings
        """How a new voice's recordings may come."""
        self.models: frozenset[str] = frozenset({"s1"})
        """What the older route's header may name."""
        self.create_status: Literal[200, 201] = 200
        self.made_state: Literal["created", "training", "trained", "failed"] = "trained"
        """The state of new voices."""
        self.forced_visibility: Visibility | None = None
        """What a new voice is given whatever was asked."""
        self.missing_key: Literal["FAILED_TO_AUTH", "MISSING_API_KEY"] = "FAILED_TO_AUTH"
        self.bad_key: Literal["FAILED_TO_AUTH", "INVALID_API_KEY"] = "FAILED_TO_AUTH"
        self.no_money: Literal["NOT_ENOUGH_BALANCE", "BILLING_BALANCE_NOT_ENOUGH"] = "NOT_ENOUGH_BALANCE"
        self.unknown_voice: Literal["fish", "MODEL_NOT_FOUND"] = "fish"
        """Whether Fish Audio's own refusal comes through for a voice that is not there."""
        self.barred: dict[str, Reason] = {}
        """Why a key is refused whatever it asks."""
        self.busy = 0
        """The next so many requests meet the rate limit."""
        self.busy_reason: Literal["RATE_LIMIT_EXCEEDED", "TOKEN_LIMIT_EXCEEDED"] = "RATE_LIMIT_EXCEEDED"
        self.route("POST", "/v4beta/model", self._guarded(self._create))
        self.route("POST", "/v4beta/txt2speech", self._guarded(self._speak_old))
        self.route("POST", _S2_ROUTE, self._guarded(self._speak_s2))
        for method, path in _UNDOCUMENTED:
            self.route(method, path, self._guarded(_nowhere))

    def unknown(self, asked: Asked) -> web.StreamResponse:
        """Answer a route that does not exist; a breach."""
        self.breach(f"no such route: {asked.method} {asked.path}")
        return _labelled(because("API_NOT_FOUND").response())

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(asked: Asked) -> web.StreamResponse:
            try:
                self._admit(asked)
                response = await handler(asked)
            except RefusedError as refused:
                response = refused.response()
            return _labelled(response)

        return answer

    def _admit(self, asked: Asked) -> None:
        """Look at the key, before anything that is asked."""
        if "authorization" not in asked.headers:
            raise because(self.missing_key)
        if asked.key not in self.keys:
            raise because(self.bad_key)
        if asked.key in self.barred:
            raise because(self.barred[asked.key])
        if self.busy:
            self.busy -= 1
            raise because(self.busy_reason)

    def _seek_credit(self, asked: Asked) -> None:
        if self.keys[asked.key] <= 0:
            raise because(self.no_money)

    async def _create(self, asked: Asked) -> web.StreamResponse:
        self._seek_credit(asked)
        wish = read_clone(asked, self.encodings)
        recordings: tuple[bytes | str, ...] = await asyncio.to_thread(wish.recordings)
        voice = entity(
            title=wish.title,
            description=wish.description or "",
            tags=wish.tags or (),
            visibility=self.forced_visibility or wish.visibility,
            has_cover=bool(wish.cover_image),
            state=self.made_state,
        )
        self.voices[voice["_id"]] = voice
        self.recordings[voice["_id"]] = recordings or tuple(each for each in wish.voices if isinstance(each, str))
        return web.json_response(voice, status=self.create_status)

    async def _speak_old(self, asked: Asked) -> web.StreamResponse:
        self._seek_credit(asked)
        model = asked.headers.get("model", "s1")
        if model not in self.models:
            raise because("MODEL_NOT_FOUND")
        return await self._speak(asked, read_line(asked, OldLine, packs=True), model)

    async def _speak_s2(self, asked: Asked) -> web.StreamResponse:
        if not self.s2_route:
            return await _nowhere(asked)
        self._seek_credit(asked)
        return await self._speak(asked, read_line(asked, S2Line, packs=False), "s2-pro")

    async def _speak(self, asked: Asked, line: OldLine | S2Line, model: str) -> web.StreamResponse:
        seek_rate(line)
        self._seek_voices(line.reference_id)
        speed = 1.0 if line.prosody is None else line.prosody.speed
        self.keys[asked.key] -= len(line.text.encode()) * _DOLLARS_A_BYTE
        self.spoken.append(
            {
                "model": model,
                "text": line.text,
                "format": line.format,
                "speed": speed,
                "reference_id": line.reference_id,
                "references": tuple(each.audio for each in line.references or ()),
            }
        )
        samples = await asyncio.to_thread(self.speak, line.text, speed)
        data = await asyncio.to_thread(encode, samples, line.format, rate=line.rate)
        headers = {"x-request-id": uuid.uuid4().hex}
        return await self.send_sound(asked, data, content_type=_TYPES[line.format], headers=headers)

    def _seek_voices(self, wanted: str | tuple[str, ...] | None) -> None:
        """Refuse a voice that is not there or not trained; where none is named, one of Fish Audio's own speaks."""
        for voice_id in (wanted,) if isinstance(wanted, str) else wanted or ():
            voice = self.voices.get(voice_id)
            if voice is None or voice["state"] != "trained":
                shape = self.unknown_voice
                raise through("Reference not found") if shape == "fish" else because(shape)

    async def _fail(self, asked: Asked, fault: Fault) -> web.StreamResponse:
        return _labelled(await super()._fail(asked, fault))


async def _nowhere(_: Asked) -> web.StreamResponse:
    raise because("API_NOT_FOUND")


def _labelled(response: web.StreamResponse) -> web.StreamResponse:
    """Add the header that goes with every answer, to one that is not on its way yet."""
    if not response.prepared:
        response.headers["x-request-id"] = uuid.uuid4().hex
    return response
