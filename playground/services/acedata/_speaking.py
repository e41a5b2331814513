"""POST /fish/tts and, older, POST /fish/audios: a line becomes a link, at once or as a task. Fetches no link."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from playground.services.acedata._bodies import Line, OldLine, read_body
from playground.services.acedata._errands import Errands, seek_address
from playground.services.acedata._house import House
from playground.services.acedata._refusals import invalid, problem, told, upstream
from playground.services.acedata._tasks import Task
from playground.services.service import Asked
from playground.services.sound import Form, encode

_MODELS = ("s1", "s2-pro", "s2.1-pro")
_OLD_MODEL = "fish-tts"
_RATES: Mapping[Form, tuple[int, ...]] = {
    "mp3": (32_000, 44_100),
    "wav": (8_000, 16_000, 24_000, 32_000, 44_100),
    "pcm": (8_000, 16_000, 24_000, 32_000, 44_100),
    "opus": (48_000,),
}


class Speaking:
    """Owns nothing; speaks with the house's voices."""

    def __init__(self, house: House, errands: Errands) -> None:
        self._house = house
        self._errands = errands

    async def say(self, asked: Asked) -> web.StreamResponse:
        """Speak a line: its link, or the id of a task where that or a callback is asked for."""
        model = asked.headers.get("model", "s2-pro")
        if model not in _MODELS:
            raise told("bad_request", "model is invalid.")
        wish, request = read_body(Line, asked)
        seek_address(wish.callback_url)
        form = self._form(wish)
        rate = _judge(wish, form, model)
        self._seek_voices(asked, wish.voice_ids)
        references = tuple(each.audio for each in wish.references)
        said = {"model": model, "text": wish.text, "format": form, "speed": wish.prosody.speed}
        self._charge(asked, {**said, "reference_id": wish.reference_id, "references": references})
        sound = self._house.outside.begin(self._sound(wish.text, wish.prosody.speed, form, rate))
        if not wish.detached and wish.callback_url is None:
            return web.json_response({"audio_url": self._house.results.lay_out(await asyncio.shield(sound))})
        address = wish.callback_url
        task = await self._errands.begin(asked, kind="tts", request=request, sound=sound, address=address)
        return await self._errands.answer(asked, task, self._begun(task), address)

    async def say_old(self, asked: Asked) -> web.StreamResponse:
        """Speak a line the old way, as mp3: all in an envelope, or the id of a task where a callback is asked for."""
        wish, request = read_body(OldLine, asked)
        if wish.action != "speech":
            raise told("bad_request", "action is invalid.")
        if wish.model != _OLD_MODEL:
            raise told("bad_request", "model is invalid.")
        seek_address(wish.callback_url)
        self._seek_voices(asked, (wish.voice_id,))
        said = {"model": wish.model, "text": wish.prompt, "format": "mp3", "speed": 1.0}
        self._charge(asked, {**said, "reference_id": wish.voice_id, "references": ()})
        sound = self._house.outside.begin(self._sound(wish.prompt, 1.0, "mp3", 44_100))
        address = wish.callback_url
        task = await self._errands.begin(asked, kind="audios", request=request, sound=sound, address=address)
        if address is not None:
            return await self._errands.answer(asked, task, {"task_id": task.id}, address)
        task.link = self._house.results.lay_out(await asyncio.shield(sound))
        task.finished, task.ending = task.began, "finished"
        return web.json_response(task.result())

    def _form(self, wish: Line) -> Form:
        if wish.format is None and self._house.format_required:
            raise invalid([problem("format", "missing", "Field required", {"text": wish.text})])
        name = wish.format or "mp3"
        for form in self._house.formats:
            if form == name:
                return form
        choices = [f"'{each}'" for each in self._house.formats]
        words = " or ".join([", ".join(choices[:-1]), choices[-1]] if len(choices) > 1 else choices)
        raise invalid([problem("format", "literal_error", f"Input should be {words}", name)])

    def _seek_voices(self, asked: Asked, voice_ids: tuple[str, ...]) -> None:
        """Refuse a voice that is not there or not trained; where none is named, one of Fish Audio's own speaks."""
        for voice_id in voice_ids:
            voice = self._house.visible(asked, voice_id)
            if voice is None or voice["state"] != "trained":
                raise upstream("Reference not found")

    def _charge(self, asked: Asked, said: dict[str, Any]) -> None:
        self._house.keys[asked.key] -= len(said["text"].encode()) * self._house.byte_price
        self._house.spoken.append(said)

    async def _sound(self, text: str, speed: float, form: Form, rate: int) -> bytes:
        form = self._house.content_form or form
        samples = await asyncio.to_thread(self._house.speak, text, speed)
        return await asyncio.to_thread(encode, samples, form, rate=rate if form in {"wav", "pcm"} else 44_100)

    def _begun(self, task: Task) -> dict[str, Any]:
        if self._house.started_at == "number":
            return {"task_id": task.id, "started_at": round(task.began, 3)}
        text = datetime.fromtimestamp(task.began, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"task_id": task.id, "started_at": text}


def _judge(wish: Line, form: Form, model: str) -> int:
    """Refuse what Fish Audio would, and give the samples a second."""
    rate = wish.sample_rate or (48_000 if form == "opus" else 44_100)
    if rate not in _RATES[form]:
        raise upstream(f"Invalid sample rate {rate} for format {form}. Supported: {', '.join(map(str, _RATES[form]))}")
    if not 0.5 <= wish.prosody.speed <= 2.0:
        raise upstream("speed must be in [0.5, 2.0]")
    if model == "s1" and isinstance(wish.reference_id, tuple):
        raise upstream("data did not match any variant of untagged enum MultiSpeakerReference")
    return rate
