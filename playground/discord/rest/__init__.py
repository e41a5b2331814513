"""Discord's HTTP API v10 over the world: one projection of the state. Knows no socket of the gateway."""

from playground.discord.rest.service import Rest

__all__ = ["Rest"]
