"""The state of the playground's Discord: nouns, and the rules that keep them together. Knows no wire and no actor."""

from playground.discord.world.world import World

__all__ = ["World"]
