"""Discord's main gateway over the world: the other projection of the state. Knows no HTTP route."""

from playground.discord.gateway.gateway import Gateway, GatewayFaults

__all__ = ["Gateway", "GatewayFaults"]
