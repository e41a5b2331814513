"""POST /v1/tts and what both ways of speaking share: whose voice, at what price, in which form."""

import asyncio
from typing import Any

from aiohttp import web

from playground.services.fish import _refusals as refusals
from playground.services.fish._hearing import hear
from playground.services.fish._house import House
from playground.services.fish._line import MIME, Line, model_of, read_line
from playground.services.service import Asked

_DOLLARS_A_BYTE = 15 / 1_000_000
_LONGEST_REFERENCE = 377.0


class Speaking:
    """Owns nothing; speaks with the house's voices."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def say(self, asked: Asked) -> web.StreamResponse:
        """Speak a text whole: raw sound, chunked, without its length."""
        self.seek_credit(asked.key, model_of(asked))
        line = read_line(asked)
        await self.take(asked.key, line)
        self.charge(asked.key, line, line.text)
        samples = await asyncio.to_thread(self._house.speak, line.text, line.speed)
        data = await asyncio.to_thread(self._house.encode, samples, line.form, rate=line.rate)
        headers = self._house.labels(asked.key)
        return await self._house.send_sound(asked, data, content_type=MIME[line.form], headers=headers)

    def seek_credit(self, key: str, model: str) -> None:
        """Refuse an empty wallet, but for the model that is free."""
        if model != "s2.1-pro-free" or self._house.free_needs_credit:
            self._house.seek_credit(key)

    async def take(self, key: str, line: Line) -> None:
        """Refuse voices and references that cannot be spoken with."""
        for voice_id in line.voice_ids:
            voice = self._house.voices.get(voice_id)
            if voice is None or not self._may(key, voice):
                raise refusals.no_reference()
        for reference in line.references:
            heard = await asyncio.to_thread(hear, reference)
            if heard is None:
                raise refusals.told(400, "Reference Audio is not valid, please check your reference audio")
            if heard.seconds > _LONGEST_REFERENCE:
                raise refusals.told(400, "Reference audio too long")

    def charge(self, key: str, line: Line, text: str) -> None:
        """Write down what is said, and take its price."""
        if line.model != "s2.1-pro-free":
            self._house.pay(key, len(text.encode()) * _DOLLARS_A_BYTE)
        for voice_id in line.voice_ids:
            self._house.voices[voice_id]["task_count"] += 1
        self._house.spoken.append(
            {
                "model": line.model,
                "text": text,
                "format": line.form,
                "speed": line.speed,
                "reference_id": line.asked.get("reference_id"),
                "references": line.references,
            }
        )

    def _may(self, key: str, voice: dict[str, Any]) -> bool:
        mine = self._house.owners.get(voice["_id"]) == key
        return voice["state"] == "trained" and (mine or voice["visibility"] != "private")
