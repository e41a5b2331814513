"""A worker process: `python -m bot.providers.local [NICE]`, frames in on standard input, out on standard output."""

import os
import sys
import threading

from bot.providers.local.studio import Studio
from bot.providers.local.worker import Worker

_GRACE_SECONDS = 10.0


def _leave_soon() -> None:
    """End the process even where a step never returns."""
    timer = threading.Timer(_GRACE_SECONDS, os._exit, (1,))
    timer.daemon = True
    timer.start()


def main() -> None:
    """Serve until standard input closes."""
    if len(sys.argv) > 1:
        os.nice(int(sys.argv[1]))
    # frames keep the real standard output to themselves; whatever else is printed goes to the log
    outlet = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        Worker(sys.stdin.buffer, outlet, Studio().begin, _leave_soon).run()
        outlet.close()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
