"""POST /v1/asr: a recording is written down, as the house's switch says. Knows no voices."""

import asyncio
import math
from typing import Any

from aiohttp import web

from playground.services.fish import _refusals as refusals
from playground.services.fish._fields import Fields, read_fields
from playground.services.fish._hearing import Heard, hear
from playground.services.fish._house import House
from playground.services.service import Asked, ServiceBreachError

_KNOWN = frozenset({"audio", "language", "ignore_timestamps"})
_MODELS = {"transcribe-1", "transcribe-1-pro"}
_DOLLARS_A_SECOND = 0.36 / 3600
_MOST_BYTES = 20_000_000
_LONGEST = 3600.0
_SILENT = 0.001


class Transcription:
    """Owns nothing; hears what the house's `transcript` says."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def transcribe(self, asked: Asked) -> web.StreamResponse:
        """Answer with the words, in seconds where they are."""
        self._house.seek_credit(asked.key)
        if asked.form is None and "msgpack" not in asked.media_type:
            raise refusals.unparsed("Expected request with `Content-Type: application/msgpack`")
        if asked.headers.get("model", "transcribe-1") not in _MODELS:
            raise ServiceBreachError("the model header of /v1/asr is transcribe-1 or transcribe-1-pro")
        fields = read_fields(asked, _KNOWN, "POST /v1/asr")
        heard = await self._hear(fields)
        timed = not fields.flag("ignore_timestamps", default=True)
        fields.text("language")
        fields.settle()
        self._house.pay(asked.key, math.ceil(heard.seconds) * _DOLLARS_A_SECOND)
        return web.json_response(
            {
                "text": self._house.transcript,
                "duration": heard.seconds,
                "segments": self._segments(heard.seconds) if timed else [],
                "language_code": "en",
                "language": "English",
            }
        )

    async def _hear(self, fields: Fields) -> Heard:
        fields.need("audio")
        files = fields.files("audio")
        fields.settle()
        data = files[-1].data
        if len(data) > _MOST_BYTES:
            raise refusals.too_large()
        heard = await asyncio.to_thread(hear, data)
        if heard is None or not 1.0 <= heard.seconds <= _LONGEST:
            raise refusals.told(400, "Invalid audio input: failed to detect a supported audio format: unknown")
        if heard.peak < _SILENT:
            raise refusals.told(503, "Failed to transcribe audio: upstream ASR service timed out.")
        return heard

    def _segments(self, seconds: float) -> list[dict[str, Any]]:
        sentences = [part.strip() + "." for part in self._house.transcript.split(".") if part.strip()]
        share = seconds / max(len(sentences), 1)
        return [
            {"text": sentence, "start": place * share, "end": (place + 1) * share}
            for place, sentence in enumerate(sentences)
        ]
