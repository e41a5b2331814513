"""What Mynah adds to a voice service: time to the first packet, the loop under 50 lines at once, memory over 10,000.

    python -m benchmarks.services [overhead] [streams] [memory] [--lines 300] [--syntheses 10000]

The service is Fish Audio's stand-in in a process of its own (benchmarks/far_end.py), spoken to through real sockets by
what the bot itself uses: settings, store, provider, `SpeechService`. The time of a line begins when the service hands
the first bytes of its sound to its socket, and ends when `SpeechService` hands out the first packet. Prints JSON lines.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
import wave
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.machine import describe, resident_mb
from benchmarks.probe import Probe
from bot import audio
from bot.__main__ import settle
from bot.homes import Homes
from bot.models import Voice
from bot.providers.fish import FishProvider
from bot.providers.local.espeak import Espeak
from bot.providers.local.resample import resample
from bot.samples import SampleService
from bot.settings import FishSettings
from bot.speech import SpeechService
from bot.store import Store
from playground.services.sound import RATE

_PARTS = ("overhead", "streams", "memory")
_FORMS = ("opus", "mp3", "wav", "pcm", "websocket")
_WAYS = {"whole": {"portion": 0, "speed": 0}, "small portions": {"portion": 512, "speed": 0}}
_SPEEDS = (1.0, 2.0, 3.0)
_READ = "The old man walked slowly down to the river, and there he found the boat that his brother had built. "
_LINE = "Please remember to close the window before you leave, Peter."
_LONG = _LINE + " " + _READ
_SHORT = "See you on Sunday."
_AT_ONCE = 50
_ROUNDS = 4
_APART = 0.02
"""Seconds between members who begin."""
_WARM_UP = 20
_IDLE = 5.0
_OWNER = 1


@dataclass(frozen=True, slots=True)
class Rig:
    """A bot's rules of speaking, and the service they speak through."""

    speech: SpeechService
    voice: Voice
    process: Process

    async def tell(self, **told: float) -> list[float]:
        """Say how sound is to be sent; return when each line's began since the last time."""
        return await _tell(self.process, told)

    async def say(self, text: str, *, leave: bool = False) -> tuple[float, int]:
        """Speak a line, or leave it at its first packet; return when that came, and how many there were."""
        first, count = 0.0, 0
        async with self.speech.say(self.voice, text) as packets:
            async for _ in packets:
                first = first or time.monotonic()
                count += 1
                if leave:
                    break
        return first, count


@asynccontextmanager
async def open_rig(form: str) -> AsyncIterator[Rig]:
    """Open a service, and store, provider and rules on it; warmed up by some lines."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mynah-bench-")))
        process, hello = await _open_far_end(stack, folder)
        settings = FishSettings.model_validate(
            {
                "api_key": hello["key"],
                "base_url": hello["url"],
                "transport": "websocket" if form == "websocket" else "http",
                "format": "opus" if form == "websocket" else form,
            }
        )
        store = await stack.enter_async_context(Store(f"sqlite+aiosqlite:///{folder / 'mynah.db'}", key=None))
        fish = await stack.enter_async_context(FishProvider(settings))
        samples = SampleService(audio.Limits(max_bytes=1, max_seconds=1))
        speech = SpeechService(store, Homes(store, {fish.name: fish}, default=fish.name), samples, max_text=1000)
        voice = _voice(hello["voice"])
        await store.add(voice)
        rig = Rig(speech, voice, process)
        for _ in range(_WARM_UP):
            await rig.say(_SHORT)
        await rig.tell()
        yield rig


async def _open_far_end(stack: AsyncExitStack, folder: Path) -> tuple[Process, dict[str, str]]:
    path = folder / "speech.wav"
    await asyncio.to_thread(_write_speech, path)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.far_end", "--speech", str(path), stdin=PIPE, stdout=PIPE, limit=1 << 24
    )
    stack.push_async_callback(_close, process)
    if process.stdout is None:
        raise RuntimeError("the service was started without pipes")
    hello: dict[str, str] = json.loads(await process.stdout.readline())
    return process, hello


async def _close(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()


async def _tell(process: Process, told: dict[str, float]) -> list[float]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the service was started without pipes")
    process.stdin.write(json.dumps(told).encode() + b"\n")
    times: list[float] = json.loads(await process.stdout.readline())
    return times


async def overhead(lines: int) -> None:
    """Print the time from the first bytes of a line to its first packet, one line after the other."""
    for form in _FORMS:
        async with open_rig(form) as rig:
            settle()
            for way, told in _WAYS.items():
                await rig.tell(**told)
                heard = [(await rig.say(_LONG))[0] for _ in range(lines)]
                _print_overhead(form, way, _since(await rig.tell(), heard))
            for speed in _SPEEDS:
                await rig.tell(speed=speed)
                heard = [(await rig.say(_LONG, leave=True))[0] for _ in range(lines)]
                _print_overhead(form, f"as it is made, at {speed:g}x", _since(await rig.tell(speed=0), heard))


def _since(sent: list[float], heard: list[float]) -> list[float]:
    return [(after - before) * 1000 for before, after in zip(sent, heard, strict=True)]


def _print_overhead(form: str, way: str, took: list[float]) -> None:
    cuts = statistics.quantiles(took, n=100)
    _print(
        f"overhead of {form}",
        sent=way,
        lines=len(took),
        p50_ms=round(cuts[49], 1),
        p95_ms=round(cuts[94], 1),
        max_ms=round(max(took), 1),
    )


async def streams(rounds: int) -> None:
    """Print how long the loop was held while 50 lines are spoken at once, and how much sound they make.

    What it is held while nothing is done is the machine's own.
    """
    async with Probe() as probe:
        await asyncio.sleep(_IDLE)
    _print("idle", **_held(probe))
    for form in ("opus", "mp3"):
        async with open_rig(form) as rig:
            settle()
            for way, told in {"small portions": _WAYS["small portions"], "as it is made, at 1x": {"speed": 1}}.items():
                await rig.tell(**told)
                _print(f"{_AT_ONCE} lines at once, {form}", sent=way, **await _crowd(rig, rounds))
                await rig.tell(speed=0)


async def _crowd(rig: Rig, rounds: int) -> dict[str, float]:
    async def speak(number: int) -> int:
        await asyncio.sleep(number * _APART)
        return sum([(await rig.say(_LONG))[1] for _ in range(rounds)])

    async with Probe() as probe:
        began, used = time.perf_counter(), time.process_time()
        counts = await asyncio.gather(*(speak(number) for number in range(_AT_ONCE)))
        taken, used = time.perf_counter() - began, time.process_time() - used
    return {
        "lines": _AT_ONCE * rounds,
        **_held(probe),
        "sound_seconds_per_second": round(sum(counts) * 0.02 / taken, 1),
        "processor_ms_per_sound_second": round(used * 1000 / (sum(counts) * 0.02), 2),
    }


def _held(probe: Probe) -> dict[str, float]:
    held = [hold * 1000 for hold in probe.take()]
    return {"held_ms_max": round(max(held), 1), "held_ms_p99": round(statistics.quantiles(held, n=100)[98], 1)}


async def memory(syntheses: int) -> None:
    """Print what the process holds after each 1,000 short lines, ten at once."""
    async with open_rig("opus") as rig:
        for done in range(0, syntheses + 1, 1000):
            _print(
                "memory",
                syntheses=done,
                resident_mb=round(resident_mb(os.getpid()), 1),
                open_files=len(await asyncio.to_thread(os.listdir, "/proc/self/fd")),
                tasks=len(asyncio.all_tasks()),
            )
            if done < syntheses:
                await asyncio.gather(*(_say_many(rig, 100) for _ in range(10)))


async def _say_many(rig: Rig, count: int) -> None:
    for _ in range(count):
        await rig.say(_SHORT)


def _voice(remote_id: str) -> Voice:
    now = datetime.now(UTC)
    return Voice(
        id=uuid.uuid4().hex,
        owner_id=_OWNER,
        name="Bench",
        provider=FishProvider.name,
        remote_id=remote_id,
        state="trained",
        title="Bench",
        created_at=now,
        updated_at=now,
        consent="It is my own voice, or I may use it.",
        consented_at=now,
    )


def _write_speech(path: Path) -> None:
    """Have espeak-ng read what the service is to sound like."""
    said = Espeak().say(_READ * 2, "en-us+m3", speed=150)
    samples = resample(said.samples, said.rate, RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _print(figure: str, **values: float | str) -> None:
    line = {"benchmark": "services", "figure": figure, **values, "machine": describe()}
    print(json.dumps(line), flush=True)


async def run(parts: list[str], lines: int, syntheses: int) -> None:
    """Measure the parts one after the other."""
    if "overhead" in parts:
        await overhead(lines)
    if "streams" in parts:
        await streams(_ROUNDS)
    if "memory" in parts:
        await memory(syntheses)


def main() -> None:
    """Read what is asked and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(_PARTS)}; all of them if left out")
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--syntheses", type=int, default=10_000)
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(_PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    asyncio.run(run(asked.parts or list(_PARTS), asked.lines, asked.syntheses))


if __name__ == "__main__":
    main()
