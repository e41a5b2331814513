"""A server with OpenAI's /v1/audio/speech, as platform.openai.com documents it; or the like that Fish Audio has.

Knows ready-made voices and no others. A field or a route it does not know is a breach.
"""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playground.services.service import Asked, Handler, Service, ServiceBreachError
from playground.services.sound import Speak, babble, encode

_TYPES = {"mp3": "audio/mpeg", "opus": "audio/opus", "wav": "audio/wav", "pcm": "audio/pcm"}
_RATE = 24_000
_MOST_INPUT = 4096
_PRICE = 15e-6
"""Dollars a character."""
_MADE = 1_734_000_000
_INVALID = "invalid_request_error"
_NO_CREDIT = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
)


class _Speech(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str
    input: Annotated[str, Field(max_length=_MOST_INPUT)]
    voice: str
    response_format: Literal["mp3", "opus", "wav", "pcm"] | None = None
    speed: Annotated[float, Field(ge=0.25, le=4.0)] = 1.0


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    message: str
    kind: str = _INVALID
    code: str | None = None
    param: str | None = None


class _RefusedError(Exception):
    def __init__(self, refusal: _Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class OpenAIService(Service):
    """Owns the accounts and the names of the voices; its base address is `url` + "/v1"."""

    def __init__(
        self,
        *,
        speak: Speak = babble,
        voices: tuple[str, ...] = ("alloy", "nova"),
        models: tuple[str, ...] = ("gpt-4o-mini-tts",),
    ) -> None:
        super().__init__(speak=speak)
        self.keys: dict[str, float] = {"good-key": 10.0, "poor-key": 0.0}
        """Credit by key, in dollars."""
        self.voices: dict[str, dict[str, Any]] = {name: {} for name in voices}
        self.models = models
        self.busy = 0
        """The next so many lines meet the rate limit."""
        self.retry_after = 1
        """Seconds it tells them to wait."""
        self.fish = False
        """Whether it is Fish Audio's /compat: other errors, raw samples where no format is asked, another header."""
        self.route("GET", "/v1/models", self._guarded(self._list))
        self.route("POST", "/v1/audio/speech", self._guarded(self._speech))

    def unknown(self, asked: Asked) -> web.StreamResponse:
        """Answer a route that does not exist; a breach."""
        self.breach(f"no such route: {asked.method} {asked.path}")
        return self._refuse(_Refusal(404, f"Invalid URL ({asked.method} {asked.path})"))

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(asked: Asked) -> web.StreamResponse:
            if asked.key not in self.keys:
                return self._refuse(_unknown_key(asked.key))
            try:
                return await handler(asked)
            except _RefusedError as refused:
                return self._refuse(refused.refusal)

        return answer

    async def _list(self, _: Asked) -> web.StreamResponse:
        models = [{"id": each, "object": "model", "created": _MADE, "owned_by": "system"} for each in self.models]
        return web.json_response({"object": "list", "data": models})

    async def _speech(self, asked: Asked) -> web.StreamResponse:
        wish = _read(asked)
        self._check(wish, asked.key)
        self.keys[asked.key] -= _PRICE * len(wish.input)
        form = wish.response_format or ("pcm" if self.fish else "mp3")
        samples = await asyncio.to_thread(self.speak, wish.input, wish.speed)
        sound = await asyncio.to_thread(encode, samples, form, rate=_RATE)
        header = "X-Generation-Id" if self.fish else "x-request-id"
        return await self.send_sound(
            asked, sound, content_type=_TYPES[form], headers={header: f"req_{secrets.token_hex(16)}"}
        )

    def _check(self, wish: _Speech, key: str) -> None:
        if wish.model not in self.models:
            message = f"The model `{wish.model}` does not exist or you do not have access to it."
            raise _RefusedError(_Refusal(404, message, code="model_not_found"))
        if not wish.input.strip():
            raise _RefusedError(_Refusal(400, "Invalid 'input': empty string.", param="input"))
        if wish.voice not in self.voices:
            known = ", ".join(f"'{name}'" for name in self.voices)
            message = f"[{{'type': 'enum', 'loc': ('body', 'voice'), 'msg': \"Input should be {known}\"}}]"
            raise _RefusedError(_Refusal(400, message, param="voice"))
        if self.busy:
            self.busy -= 1
            message = f"Rate limit reached for {wish.model} on requests per min (RPM). Please try again later."
            raise _RefusedError(_Refusal(429, message, "requests", "rate_limit_exceeded"))
        if self.keys[key] <= 0:
            raise _RefusedError(_Refusal(429, _NO_CREDIT, "insufficient_quota", "insufficient_quota"))

    def _refuse(self, refusal: _Refusal) -> web.Response:
        """Write a refusal as OpenAI does, or as Fish Audio: its status as the code, and a wait with every 429."""
        status, error = refusal.status, {"message": refusal.message, "type": refusal.kind}
        limited = refusal.code == "rate_limit_exceeded"
        if self.fish:
            # Fish Audio tells an empty account by the status that says so
            status = 402 if refusal.code == "insufficient_quota" else status
            body: dict[str, Any] = {"code": status, **error}
            limited = status == 429
        else:
            body = {**error, "param": refusal.param, "code": refusal.code}
        headers = {"Retry-After": str(self.retry_after)} if limited else {}
        return web.json_response({"error": body}, status=status, headers=headers)


def _unknown_key(key: str) -> _Refusal:
    if not key:
        return _Refusal(401, "You didn't provide an API key. You need to provide it in an Authorization header.")
    shown = f"{key[:3]}***{key[-4:]}"
    return _Refusal(401, f"Incorrect API key provided: {shown}.", code="invalid_api_key")


def _read(asked: Asked) -> _Speech:
    """Read the body; a field that the route does not have is a breach."""
    try:
        return _Speech.model_validate(asked.content())
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        unknown = [fault["loc"] for fault in faults if fault["type"] == "extra_forbidden"]
        if unknown:
            raise ServiceBreachError(f"{asked.method} {asked.path} has no field {unknown}") from error
        raise _RefusedError(_Refusal(400, str(faults))) from error
    except ValueError as error:
        raise _RefusedError(_Refusal(400, "We could not parse the JSON body of your request.")) from error
