"""Speak in many channels at once and print what became of it as one JSON object; benchmarks.voice.measure says more.

python -m benchmarks.voice --driver mynah --channels 100 --seconds 20 [--json]
"""

import argparse
import asyncio
import json
import logging
import resource
import sys

from benchmarks.voice.drivers import DRIVERS, MissingError
from benchmarks.voice.far_end import FarEndError
from benchmarks.voice.measure import measure


def raise_file_limit() -> None:
    """Let this process open as many files as it may: each channel needs some."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Read what is asked, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice", description="Speak in many channels at once")
    parser.add_argument("--driver", choices=DRIVERS, default="mynah")
    parser.add_argument("--channels", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true", help="one JSON object in one line; otherwise a line each")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    raise_file_limit()
    try:
        figures = asyncio.run(measure(asked.driver, asked.channels, asked.seconds))
    except (FarEndError, MissingError) as error:
        print(error, file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:32} {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
