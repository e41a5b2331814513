"""The main job from a member's side: how long a clone takes, how soon a line is heard, what it holds and uses.

The bot runs in a process of its own and speaks to the playground through real sockets; prints JSON lines.

    python -m benchmarks.job
"""

import asyncio
import io
import json
import statistics
import sys
import tempfile
import time
import wave
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.machine import describe
from playground.demo import synthesize_sample
from playground.discord import Discord, Member, Room, Upload, open_discord
from playground.discord.wires import authority_pem

_LINE = "Please remember to close the window before you leave, Peter."
_ROUNDS = 10
_SAMPLE_SECONDS = 20


class Subject:
    """Owns the bot's process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def report(self) -> dict[str, float]:
        """Ask what it held and used since the last time."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the bot was started without pipes")
        self._process.stdin.write(b"?\n")
        answer: dict[str, float] = json.loads(await self._process.stdout.readline())
        return answer


@asynccontextmanager
async def open_subject(discord: Discord, *options: str, data: Path | None = None) -> AsyncIterator[Subject]:
    """Run the bot in a process of its own, connected to this playground, with `data` or with nothing yet."""
    with tempfile.TemporaryDirectory(prefix="mynah-bench-") as folder:
        authority = Path(folder, "authority.pem")
        await asyncio.to_thread(authority.write_text, authority_pem())
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.subject", "--port", str(discord.resolver.port), "--authority",
            str(authority), "--token", discord.token, "--data", str(data or Path(folder, "data")), *options,
            stdin=PIPE, stdout=PIPE,
        )  # fmt: skip
        try:
            await discord.bot_ready(60)
            yield Subject(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()


async def clone(alice: Member, sample: bytes) -> float:
    """Clone and return the seconds from the confirmation to the news that it is ready."""
    draft = await (await alice.slash("clone", name="Aki", sample=Upload("sample.wav", sample))).settled()
    began = time.perf_counter()
    made = await alice.click(draft, draft.buttons[0])
    await made.until(lambda answer: "is ready" in answer.content)
    seconds = time.perf_counter() - began
    await made.until(lambda answer: any(name.endswith(".ogg") for name in answer.files))
    return seconds


async def say(alice: Member, bob: Member, lounge: Room) -> tuple[float, float]:
    """Say a line; return the seconds from the command to the first packet heard, and the length of the line."""
    ears = bob.ears(lounge)
    ears.reset()
    began = time.monotonic()
    spoken = await alice.slash("say", text=_LINE)
    await spoken.until(lambda answer: " spoke in " in answer.content)
    heard = ears.heard()
    if heard.first_at is None:
        raise RuntimeError("nothing was heard")
    return heard.first_at - began, heard.seconds


async def measure() -> None:
    """Do the job, look, print."""
    sample = _twenty_seconds(await asyncio.to_thread(synthesize_sample))
    async with open_discord() as discord:
        guild = discord.add_guild("Aviary")
        alice, bob, lounge = guild.add_member("alice"), guild.add_member("bob"), guild.add_voice_channel("Lounge")
        async with open_subject(discord) as subject:
            idle = await subject.report()
            _print("idle", bot_mb=idle["bot_mb"])
            seconds = await clone(alice, sample)
            cloning = await subject.report()
            _print("clone", seconds=round(seconds, 2), sample_seconds=_SAMPLE_SECONDS, **cloning)
            await bob.joins(lounge)
            await alice.joins(lounge)
            first, _ = await say(alice, bob, lounge)
            await subject.report()
            rounds = [await say(alice, bob, lounge) for _ in range(_ROUNDS)]
            speaking = await subject.report()
            waits = sorted(wait for wait, _ in rounds)
            _print(
                "say",
                characters=len(_LINE),
                lines=_ROUNDS,
                first_line_and_joining_ms=round(first * 1000),
                first_packet_ms_p50=round(statistics.median(waits) * 1000),
                first_packet_ms_max=round(waits[-1] * 1000),
                line_seconds=round(statistics.mean(length for _, length in rounds), 2),
                **speaking,
            )


def _twenty_seconds(clip: bytes) -> bytes:
    """Repeat or cut a WAV to 20 s."""
    with wave.open(io.BytesIO(clip)) as source:
        parameters, frames = source.getparams(), source.readframes(source.getnframes())
    size = parameters.framerate * parameters.sampwidth * parameters.nchannels * _SAMPLE_SECONDS
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams(parameters)
        out.writeframes((frames * (size // len(frames) + 1))[:size])
    return file.getvalue()


def _print(figure: str, **values: float) -> None:
    print(json.dumps({"benchmark": "job", "figure": figure, **values, "machine": describe()}), flush=True)


if __name__ == "__main__":
    asyncio.run(measure())
