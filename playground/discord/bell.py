"""A bell that rings whenever something changed, for those who wait for a state. Knows nothing of the state."""

import asyncio
from collections.abc import Callable


class Bell:
    """Owns the futures of those who wait, and what each waits for."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], Callable[[], bool]] = {}
        self._looking = False

    def ring(self) -> None:
        """Let everybody who waits look again, once for all that rings before the loop's next turn."""
        if self._waiting and not self._looking:
            self._looking = True
            next(iter(self._waiting)).get_loop().call_soon(self._look)

    async def until(self, met: Callable[[], bool]) -> None:
        """Return once `met` is true, looking after the bell rings; raises what it raises."""
        if met():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = met
        try:
            await future
        finally:
            del self._waiting[future]

    def _look(self) -> None:
        self._looking = False
        for future, met in list(self._waiting.items()):
            if future.done():
                continue
            try:
                if met():
                    future.set_result(None)
            except Exception as fault:  # noqa: BLE001 - whoever waits is told what their own question raised
                future.set_exception(fault)
