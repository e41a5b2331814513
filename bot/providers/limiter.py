"""How many requests an account has on their way at once, and whose turn is next. Knows no service."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Limiter:
    """Shares an account's places out. Owns who holds one and who waits.

    A free place goes to the waiting party that holds the fewest, and among those to the one that had none for longest:
    one busy server does not starve the rest.
    """

    def __init__(self, limit: int = 5) -> None:
        self._limit = limit
        self._held: Counter[int] = Counter()
        self._waiting: OrderedDict[int, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def limit(self) -> int:
        """Places there are."""
        return self._limit

    def resize(self, limit: int) -> None:
        """Follow what the service says it allows; at least one."""
        self._limit = max(1, limit)
        self._hand_out()

    @asynccontextmanager
    async def turn(self, party: int) -> AsyncIterator[None]:
        """Wait for a place, and hold it while entered."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(party, deque()).append(place)
        self._hand_out()
        try:
            await place
            yield
        finally:
            self._give_back(party, place)

    def _give_back(self, party: int, place: asyncio.Future[None]) -> None:
        queue = self._waiting.get(party)
        if queue is not None and place in queue:
            queue.remove(place)
            if not queue:
                del self._waiting[party]
        else:
            self._held[party] -= 1
            self._held += Counter()
            if queue is not None:
                self._waiting.move_to_end(party)
            self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self._held.total() < self._limit:
            party = min(self._waiting, key=lambda each: self._held[each])
            queue = self._waiting[party]
            place = queue.popleft()
            del self._waiting[party]
            if queue:
                self._waiting[party] = queue
            self._held[party] += 1
            if not place.done():
                place.set_result(None)
