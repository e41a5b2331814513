"""The most channels a driver can speak in at once: twice as many until it is too many, then halving the rest.

A number is good if in one of two runs every channel was joined, no packet was lost or doubled, and 99 of 100 gaps were
not longer than 25 ms. Every run is in processes of its own, and printed; the last line says the most that was good, and
the fewest that were not (null where the search ended before).
"""

import json
import subprocess
import sys
from typing import Any

from benchmarks.machine import describe
from benchmarks.voice.drivers import DriverName

LONGEST_GAP_MS = 25.0
FAILED, IMPOSSIBLE = 1, 3
"""How a run without figures ends: by the driver's fault, or because this machine cannot tell."""
_ATTEMPTS = 2
_STEP = 0.04
"""How exact the answer is, as a share of it."""


def find(driver: DriverName, *, seconds: float, first: int, most: int) -> None:
    """Search, and print each run and the answer as a JSON line."""
    good, bad, channels = 0, None, min(first, most)
    while bad is None or bad - good > max(1, round(good * _STEP)):
        if any(_is_good(_run(driver, channels, seconds)) for _ in range(_ATTEMPTS)):
            good = channels
            if good >= most:
                break
        else:
            bad = channels
        channels = min(2 * good, most) if bad is None else (good + bad) // 2
    answer = {"benchmark": "voice", "figure": "most channels", "driver": driver, "channels": good, "too_many": bad}
    print(json.dumps({**answer, "seconds": seconds, "machine": describe()}), flush=True)


def _run(driver: DriverName, channels: int, seconds: float) -> dict[str, Any]:
    """Measure in processes of their own. A run that the driver broke off is not good, and says why."""
    command = [sys.executable, "-m", "benchmarks.voice", "--driver", driver, "--channels", str(channels)]
    done = subprocess.run([*command, "--seconds", str(seconds), "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{driver}, {channels} channels: {done.stderr.strip()}", file=sys.stderr)
        if done.returncode != FAILED:
            sys.exit(done.returncode)
        return {}
    print(done.stdout, end="", flush=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _is_good(figures: dict[str, Any]) -> bool:
    longest = figures.get("gap_ms_p99")
    whole = figures.get("lost") == figures.get("doubled") == 0
    return longest is not None and longest <= LONGEST_GAP_MS and whole
