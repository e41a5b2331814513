"""What tests of the rules for voices share."""

from collections.abc import Awaitable, Callable

from bot.models import Voice
from bot.voices import VoiceService
from tests.conftest import ALICE

Clone = Callable[..., Awaitable[Voice]]


async def names(voices: VoiceService, owner_id: int = ALICE) -> list[str]:
    page = await voices.page(owner_id=owner_id, offset=0, limit=50)
    return [voice.name for voice in page.voices]
