"""What tests of the rules for voices share."""

from collections.abc import Awaitable, Callable

from bot.homes import Homes
from bot.models import Voice
from bot.providers.base import VoiceProvider
from bot.samples import SampleService
from bot.speech import SpeechService
from bot.store import Store
from bot.voices import VoiceService
from tests.conftest import ALICE

Clone = Callable[..., Awaitable[Voice]]


async def names(voices: VoiceService, owner_id: int = ALICE) -> list[str]:
    page = await voices.page(owner_id=owner_id, offset=0, limit=50)
    return [voice.name for voice in page.voices]


def speech_from(provider: VoiceProvider, *, store: Store, samples: SampleService, max_text: int = 200) -> SpeechService:
    """Put the rules for speaking together where all voices have one home."""
    return SpeechService(
        store, Homes(store, {provider.name: provider}, default=provider.name), samples, max_text=max_text
    )
