"""A key group's way into a new epoch: who still has to say that it is ready. Knows user ids, no keys."""

import asyncio
from collections.abc import Callable, Iterable


class Transitions:
    """Owns the transition on its way, if there is one, and its timeout."""

    def __init__(self, execute: Callable[[int], None]) -> None:
        self._execute = execute
        self._id = 0
        self._waiting: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        """Whether members are still being waited for."""
        return self._timer is not None

    def begin(self, members: Iterable[int], timeout: float) -> int:
        """Wait for `members` for at most `timeout` seconds and return the transition's id."""
        self._id = self._id % 0xFFFF + 1
        self._waiting = set(members)
        self._timer = asyncio.get_running_loop().call_later(timeout, self.finish)
        return self._id

    def ready(self, user_id: int, transition_id: int) -> None:
        """Cross off a member that is ready for a transition."""
        if transition_id == self._id:
            self.give_up(user_id)

    def give_up(self, user_id: int) -> None:
        """Do not wait for a member any more."""
        self._waiting.discard(user_id)
        if not self._waiting:
            self.finish()

    def finish(self) -> None:
        """Execute the transition now."""
        if self.cancel():
            self._execute(self._id)

    def cancel(self) -> bool:
        """Forget the transition; false where there was none."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        return timer is not None
