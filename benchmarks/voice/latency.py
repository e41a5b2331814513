"""From /say to the first packet of speech at a listener, by the whole bot, which is in the channel already.

    python -m benchmarks.voice.latency [--rounds 50] [--busy 200] [--speed 0]

Prints a JSON line for each figure:

    say      without the service's own time from the request to its first byte; with `--busy`, while long lines are
             said in that many other channels. `before_p50_ms` is from /say to the request at the service,
             `after_p50_ms` from its first byte to the first packet
    cached   the same line again: nothing is subtracted; `asked_again` says how often the service was asked all the same

Times are those between two processes on one machine, by the clock they share; a packet's is when the kernel took it
in. A line is asked for a second after the end of the one before: sooner the bot takes a breath between the two, after
half a minute it sends silence ahead, as listeners have to get used to it.
`--speed` is how fast the service makes sound, 1 being as fast as it is heard; 0: all of it is there at once.
"""

import argparse
import asyncio
import json
import statistics
import time
from dataclasses import dataclass

from benchmarks.machine import describe
from benchmarks.voice.amounts import some, speed
from benchmarks.voice.limits import raise_file_limit
from benchmarks.voice.rig import Rig, make_name, open_rig

_LINE = "{mark}, please remember to close the window."
_WARM_UP = 3
_APART = 1.0


async def measure(rounds: int, busy: int, speed: float) -> None:
    """Say lines one after the other, and print what it took."""
    async with open_rig(1 + busy) as rig:
        await rig.tell(speed=speed)
        async with rig.busy(rig.seats[1:]):
            for number in range(_WARM_UP):
                await _say(rig, make_name(number))
            waits = [await _say(rig, make_name(_WARM_UP + number)) for number in range(rounds)]
            parts = {
                "before_p50_ms": round(statistics.median(wait.before for wait in waits) * 1000, 1),
                "after_p50_ms": round(statistics.median(wait.after for wait in waits) * 1000, 1),
            }
            _print("say", busy, speed, {**_quantiles([wait.before + wait.after for wait in waits]), **parts})
            same = make_name(_WARM_UP)
            before = len(await rig.tell(mark=same))
            again = [(await _say(rig, same)).whole for _ in range(rounds)]
            asked = len(await rig.tell(mark=same)) - before
            _print("cached", busy, speed, {**_quantiles(again), "asked_again": asked})


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a line was waited for, in seconds."""

    whole: float
    """From /say to the first packet."""
    before: float
    """From /say to the request at the service."""
    after: float
    """From the service's first byte to the first packet."""


async def _say(rig: Rig, mark: str) -> Wait:
    """Say a line, and look at the clock; where the service was not asked, all of it is `after`."""
    await asyncio.sleep(_APART)
    ears = rig.seats[0].member.ears()
    ears.reset()
    asked_at = time.monotonic()
    await rig.seats[0].say(_LINE.format(mark=mark))
    first = ears.heard().first_at
    if first is None:
        raise RuntimeError("nothing was heard")
    requests = [request for request in await rig.tell(mark=mark) if request[0] >= asked_at]
    came, began = requests[0] if requests else (asked_at, asked_at)
    return Wait(first - asked_at, came - asked_at, first - began)


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
    parser.add_argument("--rounds", type=lambda typed: some(typed, least=2), default=50)
    parser.add_argument("--busy", type=some, default=0, help="other channels that are spoken in")
    parser.add_argument("--speed", type=speed, default=0.0, help="how fast the service makes sound; 0: at once")
    asked = parser.parse_args()
    raise_file_limit()
    asyncio.run(measure(asked.rounds, asked.busy, asked.speed))


if __name__ == "__main__":
    main()
