"""Ports for servers that are told where to listen: below those the system hands out, so that nobody takes one."""

import itertools
import os
import socket

_FIRST = 16_000
_EACH = 2_000
"""Ports for one worker of pytest-xdist: two that run side by side never look at the same."""
_WORKERS = 8
_steps = itertools.count()


def free_port() -> int:
    """Give a TCP port of 127.0.0.1 on which nobody listens, each time another."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    for step in itertools.islice(_steps, _EACH):
        port = _FIRST + worker * _EACH + step % _EACH
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("every port for tests is taken")
