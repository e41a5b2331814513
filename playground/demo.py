"""The whole main job in one command, with no account and no key: clone a recording, say a line, hear it.

A Discord on loopback, the real bot in it, one member who clones and speaks, and one who listens; with a provider other
than the embedded engine, its stand-in on loopback too.

    python -m playground.demo [--provider NAME] [--sample CLIP] [--transcript WORDS] [--text TEXT] [--out FOLDER]
"""

import argparse
import asyncio
import re
import sys
import tempfile
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import get_args

import numpy as np

from bot.__main__ import open_bot, set_up_logging
from bot.providers.local.espeak import Espeak
from bot.providers.local.resample import resample
from bot.settings import ProviderName
from playground.discord import Discord, Heard, Member, Room, Upload, open_discord
from playground.isolation import IsolatedSettings
from playground.services.sound import RATE, Samples
from playground.stand_ins import open_stand_in

_UPLOAD_LIMIT = 500_000_000
"""Alice pays for Nitro, so that the bot's own limit is the one that is met."""
_PATIENCE = 600.0

PROVIDERS: tuple[ProviderName, ...] = get_args(ProviderName)
TEXT = "Hello! You are listening to a voice that was made from a recording a moment ago."
_SAMPLE = (
    "This is a sample of my voice, recorded for a small demonstration. The rainbow is a division of white light into "
    "many beautiful colours. These take the shape of a long round arch, with its path high above, and its two ends "
    "apparently beyond the horizon. When the sunlight strikes raindrops in the air, they act as a prism."
)


@dataclass(frozen=True, slots=True)
class Stage:
    """The server the demonstration happens in, and who is there."""

    discord: Discord
    alice: Member
    bob: Member
    lounge: Room


@dataclass(frozen=True, slots=True)
class Job:
    """What alice does."""

    provider: ProviderName
    sample: Upload
    transcript: str
    text: str


@dataclass(frozen=True, slots=True)
class Take:
    """What came of it."""

    card: bytes | None
    """The waveform on the new voice's card, where one was made."""
    said: bytes
    heard: Heard


def synthesize_sample() -> bytes:
    """Make a clip to clone where none was given: a robot's voice, as WAV."""
    spoken = Espeak().say(_SAMPLE, "en-us+m3", speed=160, pitch=42)
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, spoken.rate, 0, "NONE", "NONE"))
        out.writeframes((np.clip(spoken.samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def speak_for_services(text: str, speed: float) -> Samples:
    """Say a text as a stand-in answers it: a robot's voice, without the tags."""
    spoken = Espeak().say(re.sub(r"[\[(][^\])]*[\])]", " ", text), "en-us+f2", speed=round(160 * speed), pitch=55)
    return resample(spoken.samples, spoken.rate, RATE)


@asynccontextmanager
async def open_stage(provider: ProviderName = "imitation") -> AsyncIterator[Stage]:
    """Open a Discord on loopback with the real bot in it, and the provider's stand-in."""
    with tempfile.TemporaryDirectory(prefix="mynah-demo-") as folder:
        async with (
            open_discord() as discord,
            open_stand_in(provider, speak=speak_for_services, fetches=discord.connector) as stand_in,
        ):
            guild = discord.add_guild("Aviary")
            alice, bob = guild.add_member("alice", upload_limit=_UPLOAD_LIMIT), guild.add_member("bob")
            lounge = guild.add_voice_channel("Lounge")
            settings = IsolatedSettings(data_dir=Path(folder), **stand_in.settings)
            way = discord.connector()
            async with open_bot(settings, connector=way, downloads=stand_in.downloads) as bot:
                running = asyncio.create_task(bot.start(discord.token))
                try:
                    await discord.bot_ready()
                    yield Stage(discord, alice, bob, lounge)
                finally:
                    await bot.close()
                    with suppress(asyncio.CancelledError):
                        await running


async def play(stage: Stage, job: Job) -> Take:
    """Clone where that is possible, list, say as a file, say in a channel."""
    alice, bob, lounge = stage.alice, stage.bob, stage.lounge
    card = await _clone(stage, job)
    await (await alice.slash("voices list")).settled()
    # where nothing can be cloned, the first of the voices that are there
    voice = "Aki" if card is not None else (await alice.autocomplete("say", voice=""))[0][0]
    said = await (await alice.slash("say", text=job.text, voice=voice, where="file")).settled(_PATIENCE)
    if not said.content.startswith("Here is"):
        raise SystemExit(f"The line was not said: {said.content}")
    (file,) = await said.followed()
    await bob.joins(lounge)
    await alice.joins(lounge)
    spoken = await alice.slash("say", text=job.text, voice=voice)
    await spoken.until(lambda answer: " spoke in " in answer.content, _PATIENCE)
    heard = bob.heard(lounge)
    await (await alice.slash("leave")).settled()
    return Take(card, next(iter(file.files.values())), heard)


async def _clone(stage: Stage, job: Job) -> bytes | None:
    """Clone, and return the finished voice's waveform; None where the provider says that it clones none."""
    alice = stage.alice
    if job.transcript:
        asked = await alice.slash("clone", name="Aki", sample=job.sample, transcript=job.transcript)
    else:
        asked = await alice.slash("clone", name="Aki", sample=job.sample)
    draft = await asked.settled(_PATIENCE)
    if "clones none" in draft.content:
        return None
    if not draft.buttons:
        raise SystemExit(f"The recording was not taken: {draft.content}")
    made = await alice.click(draft, draft.buttons[0])
    await made.until(lambda answer: any(name.endswith(".ogg") for name in answer.files), _PATIENCE)
    return made.files["waveform.png"]


def write_wav(path: Path, heard: Heard) -> None:
    """Write what a listener heard: 48 kHz, mono, 16 bit."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 48_000, 0, "NONE", "NONE"))
        out.writeframes((np.clip(heard.pcm, -1, 1) * 32767).astype("<i2").tobytes())


async def demonstrate(job: Job, out: Path) -> None:
    """Run the demonstration and write its results."""
    await asyncio.to_thread(_clear, out)
    async with open_stage(job.provider) as stage:
        take = await play(stage, job)
        transcript = stage.discord.transcript.text()
    await asyncio.to_thread(_write, out, take, transcript)
    print(transcript)
    print(f"{out / 'said.ogg'}        the line as a file")
    print(f"{out / 'heard.wav'}       what bob heard in #Lounge: {take.heard.seconds:.1f} s, decrypted and decoded")
    if take.card is not None:
        print(f"{out / 'card.png'}        the waveform on the voice's card")
    print(f"{out / 'transcript.txt'}  the conversation above")
    if job.provider != "imitation":
        print(
            f"{job.provider} was a stand-in on this machine, with a robot's voice: docs/providers.md tells how to "
            "set the real one up."
        )


def _clear(out: Path) -> None:
    """Take away what an earlier run left."""
    for name in ("said.ogg", "heard.wav", "card.png", "transcript.txt"):
        (out / name).unlink(missing_ok=True)


def _write(out: Path, take: Take, transcript: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "said.ogg").write_bytes(take.said)
    if take.card is not None:
        (out / "card.png").write_bytes(take.card)
    (out / "transcript.txt").write_text(transcript + "\n", encoding="utf-8")
    write_wav(out / "heard.wav", take.heard)


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m playground.demo", description="Hear a cloned voice")
    parser.add_argument("--sample", type=Path, help="a recording of one person speaking; made up where none is given")
    parser.add_argument("--transcript", default="", help="the words spoken in it; fish-speech must know them")
    parser.add_argument("--provider", default="imitation", help=f"who makes the voice: {', '.join(PROVIDERS)}")
    parser.add_argument("--text", default=TEXT, help="what the cloned voice says")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for the results")
    arguments = parser.parse_args()
    if arguments.provider not in PROVIDERS:
        print(f"{arguments.provider} is no voice service: give one of {', '.join(PROVIDERS)}.", file=sys.stderr)
        return 2
    if arguments.sample and not arguments.sample.is_file():
        print(f"{arguments.sample} is not a file: give the path of a recording.", file=sys.stderr)
        return 2
    set_up_logging("WARNING")
    sample = arguments.sample
    upload = Upload(sample.name, sample.read_bytes()) if sample else Upload("sample.wav", synthesize_sample())
    # what is made up is known; the transcript below stays short where nobody needs it
    known = _SAMPLE if arguments.provider == "fish-speech" and not sample else ""
    transcript = arguments.transcript or known
    asyncio.run(demonstrate(Job(arguments.provider, upload, transcript, arguments.text), arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
