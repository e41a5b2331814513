"""The four ways to speak that are compared: how each joins a channel, and what it plays.

mynah         the bot's own client
discordpy     discord.py's client and its AudioPlayer, with packets from memory that pass through
ffmpeg-pcm    the same with FFmpegPCMAudio: ffmpeg decodes, libopus encodes, as nearly every bot does
ffmpeg-opus   the same with FFmpegOpusAudio, which copies packets out of a file
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, assert_never, get_args

import av
import discord

from benchmarks.voice.sources import Loop
from benchmarks.voice.speech import read_speech
from bot.playback import voice_client
from bot.playback.pacer import Pacer

DriverName = Literal["mynah", "discordpy", "ffmpeg-pcm", "ffmpeg-opus"]
DRIVERS: tuple[DriverName, ...] = get_args(DriverName)

JOIN_SECONDS = 20.0
_ENDLESS = "-stream_loop -1"


class MissingError(Exception):
    """This machine lacks what a driver needs; says what to install."""


@dataclass(frozen=True, slots=True)
class Driver:
    """How to join a channel, and what to play there."""

    join: Callable[[discord.VoiceChannel], Awaitable[discord.VoiceClient]]
    source: Callable[[], discord.AudioSource]
    late: Callable[[], int | None] = lambda: None
    """Packets that it knows it sent late; None where it does not count them."""


@asynccontextmanager
async def open_driver(name: DriverName, speech: Path) -> AsyncIterator[Driver]:
    """Make ready what all channels of a driver share. Raises MissingError."""
    match name:
        case "mynah":
            packets = read_speech(speech)
            async with Pacer() as pacer:
                join = partial(voice_client.connect, pacer=pacer, seconds=JOIN_SECONDS)
                yield Driver(join, lambda: Loop(packets), lambda: pacer.late)
        case "discordpy":
            packets = read_speech(speech)
            yield Driver(_join, lambda: Loop(packets))
        case "ffmpeg-pcm":
            check_ffmpeg()
            discord.opus.load_opus(_libopus())
            yield Driver(_join, lambda: discord.FFmpegPCMAudio(str(speech), before_options=_ENDLESS))
        case "ffmpeg-opus":
            check_ffmpeg()
            yield Driver(_join, lambda: discord.FFmpegOpusAudio(str(speech), codec="copy", before_options=_ENDLESS))
        case _:
            assert_never(name)


def check_ffmpeg() -> None:
    """Raise MissingError where there is no ffmpeg."""
    if shutil.which("ffmpeg") is None:
        raise MissingError("There is no ffmpeg here: apt-get install ffmpeg, or leave out the drivers named after it.")


def _libopus() -> str:
    """Find the libopus that PyAV brings, so that none need be installed."""
    for path in (Path(av.__file__).parent.parent / "av.libs").glob("libopus*"):
        return str(path)
    raise MissingError("PyAV brings no libopus here: apt-get install libopus0, or leave out ffmpeg-pcm.")


async def _join(channel: discord.VoiceChannel) -> discord.VoiceClient:
    return await channel.connect(timeout=JOIN_SECONDS, self_deaf=True)
