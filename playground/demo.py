"""The whole main job in one command, with no account and no key: clone a recording, say a line, hear it.

A Discord on loopback, the real bot in it, one member who clones and speaks, and one who listens.

    python -m playground.demo [--sample CLIP] [--text TEXT] [--out FOLDER]
"""

import argparse
import asyncio
import sys
import tempfile
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from bot.__main__ import open_bot, set_up_logging
from bot.providers.local.espeak import Espeak
from playground.discord import Answer, Discord, Heard, Member, Room, Upload, open_discord
from playground.isolation import IsolatedSettings

_UPLOAD_LIMIT = 500_000_000
"""Alice pays for Nitro, so that the bot's own limit is the one that is met."""
_PATIENCE = 600.0

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


def synthesize_sample() -> bytes:
    """Make a clip to clone where none was given: a robot's voice, as WAV."""
    spoken = Espeak().say(_SAMPLE, "en-us+m3", speed=160, pitch=42)
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, spoken.rate, 0, "NONE", "NONE"))
        out.writeframes((np.clip(spoken.samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """Open a Discord on loopback with the real bot in it."""
    with tempfile.TemporaryDirectory(prefix="mynah-demo-") as folder:
        async with open_discord() as discord:
            guild = discord.add_guild("Aviary")
            alice, bob = guild.add_member("alice", upload_limit=_UPLOAD_LIMIT), guild.add_member("bob")
            lounge = guild.add_voice_channel("Lounge")
            settings = IsolatedSettings(data_dir=Path(folder))
            async with open_bot(settings, connector=discord.connector()) as bot:
                running = asyncio.create_task(bot.start(discord.token))
                try:
                    await discord.bot_ready()
                    yield Stage(discord, alice, bob, lounge)
                finally:
                    await bot.close()
                    with suppress(asyncio.CancelledError):
                        await running


async def play(stage: Stage, sample: Upload, text: str) -> tuple[Answer, bytes, Heard]:
    """Clone, list, say as a file, say in a channel; return the finished voice's card, the file, and what was heard."""
    alice, bob, lounge = stage.alice, stage.bob, stage.lounge
    draft = await (await alice.slash("clone", name="Aki", sample=sample)).settled(_PATIENCE)
    if not draft.buttons:
        raise SystemExit(f"The recording was not taken: {draft.content}")
    made = await alice.click(draft, draft.buttons[0])
    await made.until(lambda answer: any(name.endswith(".ogg") for name in answer.files), _PATIENCE)
    await (await alice.slash("voices list")).settled()
    said = await (await alice.slash("say", text=text, voice="Aki", where="file")).settled(_PATIENCE)
    if not said.content.startswith("Here is"):
        raise SystemExit(f"The line was not said: {said.content}")
    (file,) = await said.followed()
    await bob.joins(lounge)
    await alice.joins(lounge)
    spoken = await alice.slash("say", text=text, voice="Aki")
    await spoken.until(lambda answer: " spoke in " in answer.content, _PATIENCE)
    heard = bob.heard(lounge)
    await (await alice.slash("leave")).settled()
    return made, next(iter(file.files.values())), heard


def write_wav(path: Path, heard: Heard) -> None:
    """Write what a listener heard: 48 kHz, mono, 16 bit."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 48_000, 0, "NONE", "NONE"))
        out.writeframes((np.clip(heard.pcm, -1, 1) * 32767).astype("<i2").tobytes())


async def demonstrate(sample: Path | None, text: str, out: Path) -> None:
    """Run the demonstration and write its results."""
    data = await asyncio.to_thread(sample.read_bytes if sample else synthesize_sample)
    upload = Upload(sample.name if sample else "sample.wav", data)
    async with open_stage() as stage:
        made, said, heard = await play(stage, upload, text)
        transcript = stage.discord.transcript.text()
    await asyncio.to_thread(_write, out, made.files["waveform.png"], said, heard, transcript)
    print(transcript)
    print(f"{out / 'said.ogg'}        the line as a file")
    print(f"{out / 'heard.wav'}       what bob heard in #Lounge: {heard.seconds:.1f} s, decrypted and decoded")
    print(f"{out / 'card.png'}        the waveform on the voice's card")
    print(f"{out / 'transcript.txt'}  the conversation above")


def _write(out: Path, card: bytes, said: bytes, heard: Heard, transcript: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "said.ogg").write_bytes(said)
    (out / "card.png").write_bytes(card)
    (out / "transcript.txt").write_text(transcript + "\n", encoding="utf-8")
    write_wav(out / "heard.wav", heard)


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m playground.demo", description="Hear a cloned voice")
    parser.add_argument("--sample", type=Path, help="a recording of one person speaking; made up where none is given")
    parser.add_argument("--text", default=TEXT, help="what the cloned voice says")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for the results")
    arguments = parser.parse_args()
    if arguments.sample and not arguments.sample.is_file():
        print(f"{arguments.sample} is not a file: give the path of a recording.", file=sys.stderr)
        return 2
    set_up_logging("WARNING")
    asyncio.run(demonstrate(arguments.sample, arguments.text, arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
