"""What is to be spoken: how a line is said, and the line as sentences to be opened. Has never heard of Discord."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from bot.models import Packets

Speech = AbstractAsyncContextManager[Packets]
"""Synthesized audio on its way. Nothing is made before it is entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a line is said, and for whom."""

    style: str = ""
    """A tag for emotion or style, before the line."""
    speed: float = 1.0
    """1 as usual, 2 twice as fast."""
    party: int = 0
    """The server or member whose turn it is at a busy service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A line as sentences, each of which can be spoken by itself. Nothing is made before one is opened."""

    sentences: tuple[str, ...]
    """As they are spoken, for people to read: without markup the model needs."""
    open: Callable[[int], Speech]
    """Speak sentence n, as often as liked."""


PLAINLY = Manner()
