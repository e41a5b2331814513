"""From /say to the first packet of speech at a listener, by the whole bot, which is in the channel already.

    python -m benchmarks.voice.latency [--rounds 50] [--busy 200] [--speed 0]

Prints a JSON line for each figure:

    say      without the service's own time from the request to its first byte; with `--busy`, while long lines are
             said in that many other channels
    cached   the same line again: nothing is subtracted; `asked_again` says how often the service was asked all the same

Times are those between two processes on one machine, by the clock they share; a packet's is when the kernel took it
in. `--speed` is how fast the service makes sound, 1 being as fast as it is heard; 0: all of it is there at once.
"""

import argparse
import asyncio
import json
import statistics
import time

from benchmarks.machine import describe
from benchmarks.voice.limits import raise_file_limit
from benchmarks.voice.rig import Rig, make_name, open_rig

_LINE = "{mark}, please remember to close the window."
_WARM_UP = 3


async def measure(rounds: int, busy: int, speed: float) -> None:
    """Say lines one after the other, and print what it took."""
    async with open_rig(1 + busy) as rig:
        await rig.tell(speed=speed)
        for number in range(_WARM_UP):
            await _say(rig, make_name(number))
        async with rig.busy(rig.seats[1:]):
            taken = [await _say(rig, make_name(_WARM_UP + number)) for number in range(rounds)]
            _print("say", busy, speed, _quantiles([wait - own for wait, own in taken]))
            same = make_name(_WARM_UP)
            before = len(await rig.tell(mark=same))
            waits = [(await _say(rig, same))[0] for _ in range(rounds)]
            asked = len(await rig.tell(mark=same)) - before
            _print("cached", busy, speed, {**_quantiles(waits), "asked_again": asked})


async def _say(rig: Rig, mark: str) -> tuple[float, float]:
    """Say a line; return the seconds to its first packet, and how many of them the service took."""
    ears = rig.seats[0].member.ears()
    ears.reset()
    asked_at = time.monotonic()
    await rig.seats[0].say(_LINE.format(mark=mark))
    first = ears.heard().first_at
    if first is None:
        raise RuntimeError("nothing was heard")
    requests = [(came, began) for came, began in await rig.tell(mark=mark) if came >= asked_at]
    own = requests[0][1] - requests[0][0] if requests else 0.0
    return first - asked_at, own


def _quantiles(waits: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(waits, n=20, method="inclusive")
    return {
        "p50_ms": round(cuts[9] * 1000, 1),
        "p95_ms": round(cuts[18] * 1000, 1),
        "max_ms": round(max(waits) * 1000, 1),
        "rounds": len(waits),
    }


def _print(figure: str, busy: int, speed: float, figures: dict[str, float]) -> None:
    line = {"benchmark": "voice", "figure": figure, "driver": "mynah", "busy": busy, "speed": speed, **figures}
    print(json.dumps({**line, "machine": describe()}), flush=True)


def main() -> None:
    """Read what is asked, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice.latency", description="From /say to the sound")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--busy", type=int, default=0, help="other channels that are spoken in")
    parser.add_argument("--speed", type=float, default=0.0, help="how fast the service makes sound; 0: at once")
    asked = parser.parse_args()
    raise_file_limit()
    asyncio.run(measure(asked.rounds, asked.busy, asked.speed))


if __name__ == "__main__":
    main()
