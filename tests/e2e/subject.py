"""`python -m bot` as a process of its own, but for its way to Discord, which leads to a playground.

Settings come from the environment, as in production; `tests.e2e.process` starts it.
"""

import argparse
import sys
from pathlib import Path

from bot.__main__ import main
from playground.discord.wires import Resolver, connector

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--authority", type=Path, required=True)
    given = parser.parse_args()
    authority = given.authority.read_text(encoding="ascii")
    sys.exit(main(["run"], connect=lambda: connector(Resolver(given.port), authority)))
