"""Fish Speech's dialect against its stand-in server, through real sockets; and its questions as values."""

import io
import logging
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
import ormsgpack
import pytest

from bot import audio
from bot.errors import ProviderError
from bot.models import Sample
from bot.providers.base import CloneRequest, SpeechRequest, VoiceEdit, VoiceQuery
from bot.providers.faults import Account, Refusal, understand
from bot.providers.fish_speech import FishSpeechProvider
from bot.providers.fish_speech._questions import read_refusal, speech_question
from bot.providers.fish_speech._reference import join, make_id, read_voice, read_voice_id
from bot.providers.patience import Patience
from bot.settings import FishSpeechSettings
from playground.services.fish_speech import FishSpeechService
from playground.services.service import Fault
from tests.unit.providers.sound import REPORT, heard, to_wav

VOICE_ID = "0123456789abcdef0123456789abcdef"
AKI = f"Aki-{VOICE_ID}"
TEXT = "The first sentence is short. The second one is a little longer than that."
QUICK = Patience(base=0.001, cap=0.002, connect=5.0, first_byte=5.0, between=5.0, create=5.0)
ACCOUNT = Account(label="Fish Speech", key_setting="FISHSPEECH_API_KEY")

Open = Callable[..., Any]


def sample(*, level: float = 0.25, transcript: str = "The cat sat by the fire.", seconds: float = 10.0) -> Sample:
    report = (
        REPORT
        if seconds == 10
        else type(REPORT)(**{**{f: getattr(REPORT, f) for f in REPORT.__slots__}, "seconds": seconds})
    )
    return Sample(wav=to_wav(np.full(4800, level)), report=report, transcript=transcript)


def clone_request(*samples: Sample, title: str = "Aki") -> CloneRequest:
    return CloneRequest(voice_id=VOICE_ID, title=title, samples=samples or (sample(),), description="warm")
