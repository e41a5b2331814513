"""The whole bot in a process of its own, a voice service in another, and a Discord where one member sits everywhere.

The member owns a voice at the service, so that what the bot says costs this machine little: packets come ready-made.
Only the first server's listener decrypts; of the others each packet's arrival is noted.
"""

import asyncio
import io
import itertools
import json
import sys
import tempfile
import uuid
import wave
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.job import open_subject
from bot.models import Voice
from bot.providers.fish import FishProvider
from bot.providers.local.resample import resample
from bot.settings import ProviderName
from bot.store import Store
from playground.demo import synthesize_sample
from playground.discord import Discord, Guild, Member, Tap, open_discord
from playground.services.sound import RATE

_LONG = (
    "{mark}, the old man walked slowly down to the river, and there he found the boat that his brother had built. " * 4
)
"""25 s of speech."""
_SYLLABLES = ("ba", "do", "fi", "ku", "le", "mo", "nu", "ri")
_OTHERS = 2048
"""From which number on names are those of busy members."""
_LONGEST = 60.0
_PATIENCE = 300.0


def make_name(number: int) -> str:
    """Make a name up, another for each number, all of one length: a line with it is none that was said before."""
    return "".join(_SYLLABLES[number >> shift & 7] for shift in (12, 9, 6, 3, 0)).title()


@dataclass(frozen=True, slots=True)
class Seat:
    """The member in one server's call."""

    guild: Guild
    member: Member

    async def say(self, text: str) -> None:
        """Say a line and return once it was heard to its end."""
        spoken = await self.member.slash("say", text=text)
        await spoken.until(lambda answer: " spoke in " in answer.content, _PATIENCE)


@dataclass(frozen=True, slots=True)
class Rig:
    """Who is where."""

    discord: Discord
    tap: Tap
    seats: Sequence[Seat]
    service: Process

    async def tell(self, **told: float | str) -> list[tuple[float, float]]:
        """Tell the service something, and return when what was marked was asked for and answered."""
        if self.service.stdin is None or self.service.stdout is None:
            raise RuntimeError("the service was started without pipes")
        self.service.stdin.write(json.dumps(told).encode() + b"\n")
        return [(came, began) for came, began in json.loads(await self.service.stdout.readline())]

    @asynccontextmanager
    async def busy(self, seats: Sequence[Seat], *, apart: float = 0.1) -> AsyncIterator[None]:
        """Have long lines said at these seats, one after the other; let the last ones end before going on."""
        ending = asyncio.Event()

        async def keep_saying(number: int, seat: Seat) -> None:
            await asyncio.sleep(number * apart)
            for line in itertools.count(_OTHERS + number, len(seats)):
                if ending.is_set():
                    return
                await seat.say(_LONG.format(mark=make_name(line)))

        async with asyncio.TaskGroup() as group:
            for number, seat in enumerate(seats):
                group.create_task(keep_saying(number, seat))
            await asyncio.sleep(len(seats) * apart + 1)
            yield
            ending.set()


@asynccontextmanager
async def open_rig(servers: int, *, provider: ProviderName = "fish") -> AsyncIterator[Rig]:
    """Open everything; `provider` makes new voices."""
    tap = Tap(heard=1)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mynah-bench-")))
        service, hello = await _open_service(stack, folder)
        discord = await stack.enter_async_context(open_discord(tap=tap))
        seats = await _sit_down(discord, servers)
        await _plant_voice(folder, owner_id=seats[0].member.id, remote_id=hello["voice"])
        options = ("--fish", hello["url"], "--provider", provider)
        await stack.enter_async_context(open_subject(discord, *options, data=folder))
        rig = Rig(discord, tap, seats, service)
        await seats[0].say("Good morning.")
        yield rig


async def _open_service(stack: AsyncExitStack, folder: Path) -> tuple[Process, dict[str, str]]:
    path = folder / "speech.wav"
    await asyncio.to_thread(_write_speech, path)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.voice.service", "--speech", str(path), stdin=PIPE, stdout=PIPE, limit=1 << 24
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


async def _sit_down(discord: Discord, servers: int) -> list[Seat]:
    seats: list[Seat] = []
    for number in range(servers):
        guild = discord.add_guild(f"Aviary {number}")
        member = guild.add_member(seats[0].member if seats else "alice")
        await member.joins(guild.add_voice_channel("Lounge"))
        seats.append(Seat(guild, member))
    return seats


async def _plant_voice(folder: Path, *, owner_id: int, remote_id: str) -> None:
    """Let the member own a voice that the service has."""
    now = datetime.now(UTC)
    voice = Voice(
        id=uuid.uuid4().hex,
        owner_id=owner_id,
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
    async with Store(f"sqlite+aiosqlite:///{folder / 'mynah.db'}", key=None) as store:
        await store.add(voice)


def _write_speech(path: Path) -> None:
    """Write what the service is to sound like, one minute of it."""
    with wave.open(io.BytesIO(synthesize_sample())) as clip:
        frames, rate = clip.readframes(clip.getnframes()), clip.getframerate()
    samples = resample((np.frombuffer(frames, dtype="<i2") / 32768).astype(np.float32), rate, RATE)
    minute = np.resize(samples, round(_LONGEST * RATE))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.rint(np.clip(minute, -1, 1) * 32767).astype("<i2").tobytes())
