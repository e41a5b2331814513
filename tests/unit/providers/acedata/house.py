"""What tests of Ace Data Cloud share: its settings, requests, and answers as it words them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from bot.models import Sample
from bot.providers.acedata import AceDataProvider, Pace
from bot.providers.base import CloneRequest, SpeechRequest
from bot.providers.doorstep import Callback, Doorstep
from bot.providers.downloads import Downloads
from bot.providers.patience import Patience
from bot.settings import AceDataSettings
from bot.web import Web
from playground.services.acedata import AceDataService
from playground.services.service import Fault
from playground.services.sound import babble, encode
from tests.unit.providers import sound
from tests.unit.providers.sound import REPORT, to_wav

VOICE_ID = "0123456789abcdef0123456789abcdef"
TEXT = "The first sentence is short. The second one is a little longer than that."
LINK = "https://cdn.example.com/fish/one.mp3?Signature=SECRET"
QUICK = Patience(base=0.001, cap=0.002, connect=5.0, first_byte=5.0, between=5.0, create=5.0)
BRISK = Pace(first=0.001, most=0.002, fallback=0.01, total=5.0)
VOICE = "d" * 32
SOUND = encode(babble(TEXT), "mp3")
LASTS = 0.06 * len(TEXT)


class WatchedDoor(Web):
    """Tells the addresses that are opened to be rung at."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "127.0.0.1", public_url=f"http://127.0.0.1:{port}", healthy=lambda: True)
        self.opened: asyncio.Queue[str] = asyncio.Queue()

    @contextmanager
    def expect(self) -> Iterator[Callback]:
        with super().expect() as bell:
            self.opened.put_nowait(bell.url)
            yield bell


def build(
    service: AceDataService,
    *,
    key: str = "good-key",
    door: Doorstep | None = None,
    pace: Pace = BRISK,
    **fields: Any,
) -> AceDataProvider:
    settings = AceDataSettings.model_validate({"base_url": service.url, "api_key": key, **fields})
    downloads = Downloads(service.downloads_connector(), patience=QUICK)
    return AceDataProvider(settings, downloads=downloads, doorstep=door, patience=QUICK, pace=pace)


async def speak(provider: AceDataProvider, text: str = TEXT, *, remote_id: str = VOICE, speed: float = 1.0) -> float:
    """Say a line in a voice, and give the length of its sound in seconds."""
    return await sound.speak(provider, SpeechRequest(text=text, remote_id=remote_id, speed=speed))


def clone_request(*, clips: int = 1, linked: bool = True, transcript: str = "") -> CloneRequest:
    sample = Sample(wav=to_wav(np.full(4800, 0.25)), report=REPORT, transcript=transcript)
    return CloneRequest(
        voice_id=VOICE_ID,
        title="Aki",
        samples=(sample,) * clips,
        links=tuple(f"https://example.com/{number}.wav?sig=SECRET" for number in range(clips)) if linked else (),
        description="warm",
        tags=("a", "b"),
    )


def done(link: str) -> dict[str, Any]:
    return {"id": "t1", "response": {"success": True, "data": [{"audio_url": link}]}, "finished_at": 2.0}


RUNNING: dict[str, Any] = {"id": "t1", "request": {"prompt": "x"}, "created_at": 1.5}
STARTED: dict[str, Any] = {"task_id": "t1", "started_at": "2026-05-11T01:23:04.742Z"}


def answers(*bodies: Any) -> list[Fault]:
    return [Fault(status=200, body=body) for body in bodies]
