"""The other side of the speaking process: a Discord with a listener in every channel, and what all of them heard.

Every packet's arrival is noted; the sound of a few channels is decrypted, decoded and compared with what was spoken.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.voice.speech import read_speech
from playground.discord import Discord, Heard, Listener, Tap, open_discord
from playground.discord.voice.decoder import RATE, Decoder, Sound
from playground.discord.wires import authority_pem

_BEHIND = 10
"""Niceness of the far end beside the speaking process: on 2 cores both would wait for each other, and what the kernel
stamps may be read later."""
_ALIKE = 0.8
"""Correlation from which on sound is the same: libopus once more costs 0.03, other words are under 0.3."""
_COMPARED = RATE // 2
"""Samples compared: in the middle of what was heard."""


class FarEndError(Exception):
    """What was heard is not the speech, or the speaking process broke off: there is no figure then."""


class TooBusyError(FarEndError):
    """The far end itself lost packets: that says nothing of the driver."""


@dataclass(frozen=True, slots=True)
class FarEnd:
    """A Discord with `channels` servers, and who listens there."""

    discord: Discord
    tap: Tap
    listeners: Sequence[Listener]

    def check(self, speech: Path) -> int:
        """Return how many channels were heard. Raises FarEndError for a packet lost here and for wrong sound."""
        if dropped := self.tap.dropped:
            raise TooBusyError(f"The far end itself lost {dropped} packets: this machine is too busy to measure on.")
        reference = _decode(read_speech(speech))
        heard = [sample for listener in self.listeners if (sample := listener.heard()).packets]
        for sample in heard:
            _check(sample, reference)
        return len(heard)


@asynccontextmanager
async def open_far_end(channels: int, *, sample: int) -> AsyncIterator[FarEnd]:
    """Open it, with a listener in every channel, `sample` of whom hear."""
    tap = Tap(heard=sample)
    async with open_discord(tap=tap) as discord:
        listeners = []
        for number in range(channels):
            guild = discord.add_guild(f"Aviary {number}")
            room = guild.add_voice_channel("Lounge")
            listeners.append(await guild.add_member(f"bob{number}").joins(room))
        yield FarEnd(discord, tap, listeners)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the speaking process is to do."""

    driver: str
    channels: int
    seconds: float
    speech: Path
    join_seconds: float


async def run_subject(discord: Discord, asked: Asked, patience: float) -> tuple[list[dict[str, Any]], str]:
    """Run the speaking process; return the objects it printed within `patience` seconds, and its last words."""
    authority = asked.speech.with_suffix(".pem")
    await asyncio.to_thread(authority.write_text, authority_pem())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.voice.subject", "--port", str(discord.resolver.port),
        "--authority", str(authority), "--token", discord.token, "--driver", asked.driver,
        "--speech", str(asked.speech), "--channels", str(asked.channels), "--seconds", str(asked.seconds),
        "--join-seconds", str(asked.join_seconds), stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("the subject was started without pipes")
    os.nice(_BEHIND)
    complaints = asyncio.create_task(process.stderr.read())
    objects: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(patience):
            while line := await process.stdout.readline():
                objects.append(json.loads(line))
            await process.wait()
    except TimeoutError:
        process.kill()
    await process.wait()
    return objects, (await complaints).decode(errors="replace").strip()


def _check(heard: Heard, reference: Sound) -> None:
    if heard.clear_packets or heard.undecryptable or heard.reused_nonces or heard.wrong_steps:
        raise FarEndError(
            f"A listener could not hear {heard.clear_packets} packets in clear and {heard.undecryptable} without a key;"
            f" {heard.reused_nonces} nonces were used twice, {heard.wrong_steps} timestamps jump."
        )
    alike = _alike(heard.pcm, reference)
    if alike < _ALIKE:
        raise FarEndError(f"What a listener heard is not the speech: they correlate by {alike:.2f}.")


def _alike(heard: Sound, reference: Sound) -> float:
    """Find the piece out of the middle of what was heard in the speech, which was repeated; 1.0 is the same."""
    middle = min(len(heard), len(reference)) // 2
    piece = heard[middle : middle + _COMPARED]
    around = np.concatenate((reference, reference[:_COMPARED]))
    size = 1 << int(np.ceil(np.log2(len(around) + len(piece))))
    found = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(piece, size)), size)[: len(reference)]
    energy = np.concatenate(([0.0], np.cumsum(around.astype(np.float64) ** 2)))
    power = energy[len(piece) : len(piece) + len(reference)] - energy[: len(reference)]
    return float(np.max(found / np.sqrt(np.maximum(power, 1e-6) * max(float(np.sum(piece**2)), 1e-6))))


def _decode(packets: Sequence[bytes]) -> Sound:
    decoder = Decoder()
    return np.concatenate([decoder.decode(packet) for packet in packets])
