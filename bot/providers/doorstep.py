"""Where services reach us, if the operator gave us a public address. Knows no service and serves nothing itself."""

from contextlib import AbstractContextManager
from typing import Protocol


class Callback(Protocol):
    """One secret address at which one task may ring. That it rang is all that is believed of it."""

    @property
    def url(self) -> str:
        """The address to hand to the service; not to be logged."""

    def claim(self, task_id: str) -> None:
        """Say which task was given the address, as soon as that is known: rings of any other are refused."""

    async def rings(self, seconds: float) -> bool:
        """Wait until it rings, at most so long; say whether it did."""


class Doorstep(Protocol):
    """What can be laid out for a service to fetch, and where it can ring."""

    def publish(self, data: bytes, media_type: str) -> AbstractContextManager[str]:
        """Serve these bytes at a secret address while entered; the address is not to be logged."""

    def expect(self) -> AbstractContextManager[Callback]:
        """Open a secret address to ring at while entered."""
