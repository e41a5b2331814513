"""How even the packets stay while recordings are cloned: lines in many channels, clones by the embedded engine.

    python -m benchmarks.voice.ingest [--channels 50] [--clones 20]

One bot does both: it speaks through the stand-in of a service, whose packets pass through, and clones with its own
engine, for as many members at once. Prints one JSON line; `gap_ms_...` are over all channels from the first member's
click to the last "is ready", `before_gap_ms_p99` over the seconds before. No packet of a channel may be missing
(`holes`) or come twice.
"""

import argparse
import asyncio
import json
import time
from typing import Any

from benchmarks.machine import describe
from benchmarks.voice.amounts import count
from benchmarks.voice.far_end import TooBusyError
from benchmarks.voice.limits import raise_file_limit
from benchmarks.voice.packets import analyse
from benchmarks.voice.rig import Rig, open_rig
from playground.demo import synthesize_sample
from playground.discord import Answer, Member, Upload

_BEFORE = 5.0
_PATIENCE = 600.0


async def measure(channels: int, clones: int) -> dict[str, Any]:
    """Speak everywhere, clone, and look at what came meanwhile. Raises TooBusyError."""
    sample = await asyncio.to_thread(synthesize_sample)
    async with open_rig(channels, provider="imitation") as rig, rig.busy(rig.seats):
        guild = rig.seats[0].guild
        members = [guild.add_member(f"eve{number}") for number in range(clones)]
        drafts = [await _draft(member, sample) for member in members]
        calm = time.time()
        await asyncio.sleep(_BEFORE)
        begin = time.time()
        await asyncio.gather(*map(_clone, members, drafts))
        end = time.time()
        await asyncio.sleep(0.1)
        figures = _figures(rig, calm, begin, end)
    return {"benchmark": "voice", "figure": "ingest", "channels": channels, "clones": clones, **figures}


def _figures(rig: Rig, calm: float, begin: float, end: float) -> dict[str, Any]:
    if dropped := rig.tap.dropped:
        raise TooBusyError(f"The far end itself lost {dropped} packets: this machine is too busy to measure on.")
    notes = rig.tap.notes()
    before, during = analyse(notes, begin=calm, end=begin), analyse(notes, begin=begin, end=end)
    return {
        "seconds": round(end - begin, 1),
        "before_gap_ms_p99": before.quantile(0.99),
        "gap_ms_p50": during.quantile(0.5),
        "gap_ms_p99": during.quantile(0.99),
        "gap_ms_max": during.quantile(1.0),
        "late": during.late,
        "packets": int(during.gaps_ms.size),
        "doubled": during.doubled,
        "holes": during.holes,
        "machine": describe(),
    }


async def _draft(member: Member, sample: bytes) -> Answer:
    asked = await member.slash("clone", name="Aki", sample=Upload("sample.wav", sample))
    return await asked.settled(_PATIENCE)


async def _clone(member: Member, draft: Answer) -> None:
    made = await member.click(draft, draft.buttons[0])
    await made.until(lambda answer: "is ready" in answer.content, _PATIENCE)


def main() -> None:
    """Read what is asked, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice.ingest", description="Gaps while cloning")
    parser.add_argument("--channels", type=count, default=50)
    parser.add_argument("--clones", type=count, default=20)
    asked = parser.parse_args()
    raise_file_limit()
    print(json.dumps(asyncio.run(measure(asked.channels, asked.clones))))


if __name__ == "__main__":
    main()
