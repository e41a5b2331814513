"""How much and how long a server's speaker bears. Knows no queue."""

from dataclasses import dataclass

UNHEARD_SECONDS = 3.0
SLOW_SECONDS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is the same for every server; times in seconds."""

    max_queue: int = 20
    """Lines that may wait."""
    idle_seconds: float = 300.0
    """Without a line for so long, the channel is left."""
    invitation_seconds: float = 300.0
    """Time to invite the bot back that was thrown out, before what it had to say is given up."""
    unheard_seconds: float = UNHEARD_SECONDS
    """Time that what is said may not be heard for all that shows, before the channel is left and joined again."""
    slow_seconds: float = SLOW_SECONDS
    """Without a sound of the voice for so long, whoever asked is told what is waited for."""
    finish_seconds: float = 8.0
    """Time for the sentence that is being said when the bot is stopped; Docker kills after ten."""
