"""What tests of HighwayAPI, MyRouter and Novita AI share: recordings, requests, and an ear."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from pydantic import SecretStr

from bot.models import Sample
from bot.providers.base import CloneRequest
from bot.providers.novita import HighwayProvider, MyRouterProvider, NovitaProvider
from bot.providers.patience import Patience
from bot.settings import NovitaSettings
from playground.services.novita import NovitaService
from playground.services.service import Fault
from playground.services.sound import RATE, babble
from tests.unit.providers.sound import REPORT, to_wav

Reseller = HighwayProvider | MyRouterProvider | NovitaProvider
VOICE_ID = "0123456789abcdef0123456789abcdef"
TEXT = "A line that is long enough to last for a few seconds."
SECONDS = len(babble(TEXT)) / RATE
QUICK = Patience(base=0.001, cap=0.002, connect=5.0, first_byte=5.0, between=5.0, create=5.0)
VOICE, LINE, S2_LINE = "/v4beta/model", "/v4beta/txt2speech", "/v3/fish-audio-s2-pro-text-to-speech"
LINKS = ("https://cdn.example.com/1.wav?sig=1", "https://cdn.example.com/2.wav?sig=2")
"""One for each recording of `CLONE`."""


def sample(*, level: float = 0.25, transcript: str = "") -> Sample:
    return Sample(wav=to_wav(np.full(48_000, level)), report=REPORT, transcript=transcript)


SAMPLES = (sample(transcript="The cat sat by the fire."), sample(level=0.5, transcript="Nobody else was there."))
CLONE = CloneRequest(
    voice_id=VOICE_ID, title="Aki", samples=SAMPLES, links=LINKS, description="A warm voice.", tags=("warm", "low")
)


def reason(status: int, name: str, message: str = "no") -> Fault:
    """Refuse as they do."""
    return Fault(status=status, body={"code": status, "reason": name, "message": message, "metadata": {}})


@asynccontextmanager
async def opened(
    service: NovitaService, brand: type[Reseller] = NovitaProvider, *, key: str = "good-key", **fields: Any
) -> AsyncIterator[Reseller]:
    settings = NovitaSettings(base_url=service.url, api_key=SecretStr(key), **fields)
    async with brand(settings, patience=QUICK) as provider:
        yield provider
