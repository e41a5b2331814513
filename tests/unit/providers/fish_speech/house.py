"""What tests of Fish Speech share: recordings, requests, and an ear."""

from dataclasses import replace
from typing import Any

import numpy as np

from bot.models import Sample
from bot.providers.base import CloneRequest
from bot.providers.fish_speech import FishSpeechProvider
from bot.providers.patience import Patience
from bot.settings import FishSpeechSettings
from playground.services.fish_speech import FishSpeechService
from tests.unit.providers.sound import REPORT, to_wav

VOICE_ID = "0123456789abcdef0123456789abcdef"
AKI = f"Aki-{VOICE_ID}"
QUICK = Patience(base=0.001, cap=0.002, connect=5.0, first_byte=5.0, between=5.0, create=5.0)


def sample(*, level: float = 0.25, transcript: str = "The cat sat by the fire.", seconds: float = 10.0) -> Sample:
    return Sample(wav=to_wav(np.full(4800, level)), report=replace(REPORT, seconds=seconds), transcript=transcript)


def clone_request(*samples: Sample, title: str = "Aki", voice_id: str = VOICE_ID) -> CloneRequest:
    return CloneRequest(voice_id=voice_id, title=title, samples=samples or (sample(),), description="warm")


def build(service: FishSpeechService, *, key: str = "good-key", **fields: Any) -> FishSpeechProvider:
    settings = FishSpeechSettings.model_validate({"base_url": service.url, "api_key": key, **fields})
    return FishSpeechProvider(settings, patience=QUICK)
