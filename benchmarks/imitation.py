"""The embedded engine: how fast it clones and speaks, what memory it takes, and sound for the judge.

    python -m benchmarks.imitation
    python -m benchmarks.imitation --samples FOLDER --out FOLDER [--single] [--gender NAME=f ...] [--line TEXT ...]

The first prints times as JSON lines, measured on a sample that espeak-ng reads. The second clones every speaker in a
folder of clips (the speaker is the file's name up to its first hyphen), has each say some lines, and writes them as
the Ogg Opus that a member gets, with a CASES.json for the judge. All clips of a speaker make one voice (at most 24 s
are used), or each clip its own with --single. The gender is guessed by pitch where it is not given.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from benchmarks.machine import children, describe, resident_mb
from bot.audio import Limits, Packer, Recording, decode, encode_sample, judge, write_ogg, write_wav
from bot.models import Sample
from bot.providers.base import CloneRequest, SpeechRequest
from bot.providers.imitation import ImitationProvider
from bot.providers.local.espeak import Espeak
from bot.providers.local.resample import resample
from bot.providers.local.vocoder import find_range

LINES = (
    "The captain promised to wait for us until the storm was over.",
    "Every Thursday my neighbor plays the piano with the windows open.",
    "There is fresh bread on the table, so help yourself before it gets cold.",
    "Our teacher showed us a short film about the moon.",
    "You can leave your bag in the kitchen next to the door.",
    "My father always drinks a glass of cold water before dinner.",
    "The road was closed because a tree had fallen during the storm.",
    "We should call them again if nobody answers by noon.",
    "She found an old picture of her family in the attic.",
)
_LIMITS = Limits(max_bytes=25_000_000, max_seconds=600)
_SHORT = "Please remember to close the window before you go to sleep."
_READ = "The old man walked slowly down to the river, and there he found the boat that his brother had built. " * 5
_MALE_BELOW = 165.0


def _sample(recording: Recording) -> Sample:
    """Make a sample as the rules do: from the Opus that is kept."""
    kept = decode(encode_sample(recording), _LIMITS)
    return Sample(wav=write_wav(kept), report=judge(kept))


def _seconds(began: float) -> float:
    return round(time.perf_counter() - began, 3)


@asynccontextmanager
async def _engine() -> AsyncIterator[ImitationProvider]:
    with tempfile.TemporaryDirectory(prefix="mynah-bench-") as folder:
        async with ImitationProvider(Path(folder)) as provider:
            yield provider


async def _speak(provider: ImitationProvider, voice_id: str, text: str) -> tuple[float, float, float]:
    """Say a line; gives seconds to the first chunk, seconds to the last, seconds of sound."""
    began = time.perf_counter()
    first, size = 0.0, 0
    async with provider.synthesize(SpeechRequest(text=text, remote_id=voice_id)) as stream:
        async for chunk in stream.chunks:
            first = first or _seconds(began)
            size += len(chunk)
    return first, _seconds(began), size / 2 / stream.rate


async def time_it() -> None:
    """Print how long things take, as JSON lines."""
    said = Espeak().say(_READ, "en-us+m3", speed=150)
    sample = _sample(Recording(resample(said.samples, said.rate, 48_000)[: 48_000 * 20]))
    machine = describe()
    async with _engine() as provider:
        began = time.perf_counter()
        await provider.check()
        start = _seconds(began)
        clones = []
        for number in range(4):
            began = time.perf_counter()
            await provider.create(CloneRequest(voice_id=f"v{number}", title="x", samples=(sample,)))
            clones.append(_seconds(began))
        short = [await _speak(provider, "v0", _SHORT) for _ in range(10)]
        _, taken, spoken = await _speak(provider, "v0", " ".join(LINES))
        memory = [resident_mb(pid) for pid in children(os.getpid())]
    for figure in (
        {"what": "worker ready", "seconds": start},
        {"what": "clone of 20 s", "first_seconds": clones[0], "seconds": float(np.median(clones[1:]))},
        {
            "what": f"first sound of {len(_SHORT)} characters",
            "seconds": round(float(np.median([s[0] for s in short])), 3),
        },
        {"what": "speech", "seconds_per_second": round(taken / spoken, 3)},
        {"what": "memory of both workers", "mb": round(sum(memory), 1)},
    ):
        print(json.dumps({"benchmark": "imitation", **figure, "machine": machine}), flush=True)


def _gender(recording: Recording) -> str:
    low, high = find_range(resample(recording.samples, 48_000, 24_000))
    return "m" if np.sqrt(low * high) < _MALE_BELOW else "f"


async def _say(provider: ImitationProvider, voice_id: str, text: str, path: Path) -> None:
    async with provider.synthesize(SpeechRequest(text=text, remote_id=voice_id)) as stream:
        packer = Packer(stream.encoding, stream.rate)
        packets = [packet async for chunk in stream.chunks for packet in packer.feed(chunk)]
    await asyncio.to_thread(path.write_bytes, write_ogg([*packets, *packer.finish()]))


def _find_clips(folder: Path) -> dict[str, list[Path]]:
    """List a folder's clips by speaker."""
    clips: dict[str, list[Path]] = {}
    for path in sorted(folder.resolve().iterdir()):
        if path.suffix in {".flac", ".wav", ".ogg", ".mp3", ".m4a"}:
            clips.setdefault(path.name.split("-")[0], []).append(path)
    return clips


async def write_cases(
    samples: Path, out: Path, *, single: bool, genders: dict[str, str], lines: Iterable[str]
) -> dict[str, object]:
    """Clone the speakers in a folder and write what they say; gives the cases for the judge."""
    speakers, cases = {}, []
    async with _engine() as provider:
        for name, paths in _find_clips(samples).items():
            recordings = [decode(path.read_bytes(), _LIMITS) for path in paths]
            gender = genders.get(name) or _gender(recordings[0])
            speakers[name] = {"gender": gender, "clips": [str(path) for path in paths]}
            sets = [[recording] for recording in recordings] if single else [recordings]
            for number, chosen in enumerate(sets):
                voice = f"{name}_{number}"
                given = tuple(_sample(recording) for recording in chosen)
                await provider.create(CloneRequest(voice_id=voice, title=name, samples=given))
                for place, line in enumerate(lines):
                    path = out / f"{voice}_{place}.ogg"
                    await _say(provider, voice, line, path)
                    cases.append({"audio": str(path), "speaker": name, "text": line})
    return {"speakers": speakers, "lines": cases}


def main() -> None:
    """Read what is asked and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--single", action="store_true", help="make one voice of each clip")
    parser.add_argument("--gender", action="append", default=[], metavar="NAME=f", help="of a speaker")
    parser.add_argument("--line", action="append", help="to say instead of the usual nine")
    asked = parser.parse_args()
    if asked.samples is None:
        asyncio.run(time_it())
        return
    if asked.out is None:
        parser.error("--samples needs --out")
    genders = dict(pair.split("=", 1) for pair in asked.gender)
    lines = tuple(asked.line or LINES)
    out = asked.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    cases = asyncio.run(write_cases(asked.samples, out, single=asked.single, genders=genders, lines=lines))
    (out / "CASES.json").write_text(json.dumps(cases, indent=1))
    print(out / "CASES.json")


if __name__ == "__main__":
    main()
