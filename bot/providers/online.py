"""A provider that is one account at one service. Knows no service."""

from types import TracebackType
from typing import Self

from bot.providers.base import VoiceProvider
from bot.providers.http import Http


class OnlineProvider(VoiceProvider):
    """Owns the session, open while the provider is; subclasses make `_http` in their constructor."""

    _http: Http

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, traceback)
