"""Limits that stand in the way of a process with hundreds of connections, and how they are lifted."""

import resource

from discord.gateway import GatewayRatelimiter


def raise_file_limit() -> None:
    """Let this process open as many files as it ever may: a channel needs two at its own end, one at the other."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def lift_join_limit() -> None:
    """Let this process's clients join any number of channels a minute; discord.py has no setting for it.

    It allows itself 110 messages a minute on a gateway connection: joining 1,000 channels would take nine minutes.
    """
    GatewayRatelimiter.__init__.__defaults__ = (1_000_000, 60.0)
