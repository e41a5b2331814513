"""Speak in many channels at once and print what became of it as one JSON object; benchmarks.voice.measure says more.

    python -m benchmarks.voice --driver mynah --channels 100 --seconds 20 [--json]
    python -m benchmarks.voice --driver mynah --find [--from 50] [--most 2000] --seconds 20 --json

The second searches for the most channels at once; benchmarks.voice.search says more.
"""

import argparse
import asyncio
import json
import logging
import sys

from benchmarks.voice.amounts import count, length
from benchmarks.voice.drivers import DRIVERS, MissingError
from benchmarks.voice.far_end import FarEndError, TooBusyError
from benchmarks.voice.limits import raise_file_limit
from benchmarks.voice.measure import measure
from benchmarks.voice.search import FAILED, IMPOSSIBLE, find


def main() -> int:
    """Read what is asked, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice", description="Speak in many channels at once")
    parser.add_argument("--driver", choices=DRIVERS, default="mynah")
    parser.add_argument("--channels", type=count, default=100)
    parser.add_argument("--seconds", type=length, default=20.0)
    parser.add_argument("--find", action="store_true", help="search for the most channels with even gaps")
    parser.add_argument("--from", dest="first", type=count, default=50, help="where the search begins")
    parser.add_argument("--most", type=count, default=2000, help="where the search ends")
    parser.add_argument("--json", action="store_true", help="one JSON object in one line; otherwise a line each")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    raise_file_limit()
    if asked.find:
        find(asked.driver, seconds=asked.seconds, first=asked.first, most=asked.most)
        return 0
    try:
        figures = asyncio.run(measure(asked.driver, asked.channels, asked.seconds))
    except (FarEndError, MissingError) as error:
        print(error, file=sys.stderr)
        return FAILED if isinstance(error, FarEndError) and not isinstance(error, TooBusyError) else IMPOSSIBLE
    if asked.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:32} {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
