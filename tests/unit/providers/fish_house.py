"""What tests of Fish Audio share: samples, requests, and an ear for the sound that comes back."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from bot.errors import ProviderError
from bot.models import Sample
from bot.providers.base import CloneRequest, SpeechRequest, VoiceProvider
from bot.providers.fish import FishProvider
from bot.providers.patience import Patience
from bot.settings import FishSettings
from playground.services.fish import FishService
from tests.sounds import babble, quiet, to_wav
from tests.unit.providers.sound import REPORT

KEY = "good-key"
OURS = "0123456789abcdef0123456789abcdef"
TEXT = "The first sentence is short. The second one is a little longer than that!"
SECONDS = 0.06 * len(TEXT)
"""How long the stand-in speaks that."""
HASTY = Patience(base=0.001, cap=0.002, connect=5.0, first_byte=5.0, between=5.0, create=10.0)


@cache
def sample(seconds: float = 2.0, *, transcript: str = "", silent: bool = False) -> Sample:
    """Make a recording as the rules hand it over."""
    sound = quiet(seconds) if silent else babble(seconds)
    return Sample(wav=to_wav(sound), report=REPORT, transcript=transcript)


def clone_request(*samples: Sample, **changes: Any) -> CloneRequest:
    """Ask for a voice of Alice's."""
    asked: dict[str, Any] = {"voice_id": OURS, "title": "Aki", "description": "warm", "tags": ("a", "b")}
    return CloneRequest(samples=samples or (sample(),), **{**asked, **changes})


def fish(service: FishService, *, key: str = KEY, patience: Patience = HASTY, **settings: Any) -> FishProvider:
    """Make a provider that asks the stand-in."""
    return FishProvider(FishSettings(base_url=service.url, api_key=key, **settings), patience=patience)


async def collect(provider: VoiceProvider, request: SpeechRequest) -> tuple[bytes, ProviderError | None]:
    """Say a line, and give the bytes that came and what ended them too early."""
    parts = []
    try:
        async with provider.synthesize(request) as stream:
            async for chunk in stream.chunks:
                parts.append(chunk)  # noqa: PERF401 - what came before the error counts
    except ProviderError as error:
        return b"".join(parts), error
    return b"".join(parts), None


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Go through an error and all that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
