"""Every figure of voice, one after the other: printed, and written to benchmarks/voice.jsonl as they come.

    python -m benchmarks.voice.suite [--quick]

Takes about an hour on two cores, and wants them to itself. With `--quick` everything runs once and small, to see that
it works, and nothing is written. Drivers that need ffmpeg are left out where there is none, and that is told.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.voice.drivers import DRIVERS, MissingError, check_ffmpeg

RESULTS = Path(__file__).parents[1] / "voice.jsonl"
_SECONDS = ("--seconds", "20")


def plan(*, quick: bool) -> Iterator[tuple[str, ...]]:
    """Yield what is run: a module and its arguments."""
    for driver in DRIVERS:
        search = ("--from", "4", "--most", "8", "--seconds", "2") if quick else ("--from", "25", *_SECONDS)
        if not driver.startswith("ffmpeg") or _has_ffmpeg():
            yield ("benchmarks.voice", "--json", "--driver", driver, "--find", *search)
    rounds = ("--rounds", "3" if quick else "50")
    yield ("benchmarks.voice.latency", *rounds)
    yield ("benchmarks.voice.latency", *rounds, "--busy", "4" if quick else "200")
    yield ("benchmarks.voice.latency", *rounds, "--speed", "1")
    yield ("benchmarks.voice.ingest", *(("--channels", "4", "--clones", "1") if quick else ()))
    yield ("benchmarks.voice.soak", *(("--hours", "0.2", "--channels", "6") if quick else ()))


def _has_ffmpeg() -> bool:
    try:
        check_ffmpeg()
    except MissingError as error:
        print(error, file=sys.stderr)
        return False
    return True


def run(*, quick: bool) -> int:
    """Run all; one that fails leaves the others alone. Returns how many failed."""
    lines: list[str] = []
    failed = 0
    for command in plan(quick=quick):
        print(" ".join(command), file=sys.stderr, flush=True)
        done = subprocess.run([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, end="", flush=True)
        failed += done.returncode != 0
        lines += done.stdout.splitlines()
        if not quick:
            RESULTS.write_text("\n".join(lines) + "\n")
    return failed


def main() -> int:
    """Read what is asked, and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice.suite", description="Every figure of voice")
    parser.add_argument("--quick", action="store_true", help="once and small, and nothing is written")
    return min(run(quick=parser.parse_args().quick), 1)


if __name__ == "__main__":
    sys.exit(main())
