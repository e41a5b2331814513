"""Recordings as members send them, turned into samples: decoded, judged, cleaned, kept small. Knows no voices."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bot import audio
from bot.errors import SampleError
from bot.models import KeptSample, Sample, SampleReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One to five recordings that were listened to, held as they are kept: small."""

    kept: tuple[KeptSample, ...]
    report: SampleReport
    """What was heard in all of them together."""


class SampleService:
    """Listens to recordings in worker threads. Owns the limits, and how many are held and decoded at once."""

    def __init__(self, limits: audio.Limits, *, at_once: int = 2) -> None:
        self._limits = limits
        self._turns = asyncio.Semaphore(at_once)
        self._rooms = asyncio.Semaphore(2 * at_once)

    @property
    def max_bytes(self) -> int:
        """Largest recording taken."""
        return self._limits.max_bytes

    @asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        """Wait until there is room for one more command's files; to be held from fetching to the end of listening."""
        async with self._rooms:
            yield

    async def listen(self, clips: Sequence[bytes], *, transcript: str = "", clean_up: bool = False) -> Take:
        """Decode and judge recordings; the transcript belongs to the first. Raises `SampleError`."""
        if not clips:
            raise SampleError("There is no recording: attach one to the command.")
        async with self._turns:
            return await asyncio.to_thread(self._take, tuple(clips), transcript, clean_up)

    def _take(self, clips: tuple[bytes, ...], transcript: str, clean_up: bool) -> Take:
        recordings = self._decode(clips)
        if clean_up:
            recordings = [audio.clean(recording) for recording in recordings]
        report = audio.judge(audio.join(recordings))
        texts = [transcript] + [""] * (len(clips) - 1)
        kept = tuple(
            KeptSample(opus=audio.encode_sample(recording), transcript=text)
            for recording, text in zip(recordings, texts, strict=True)
        )
        return Take(kept=kept, report=report)

    def _decode(self, clips: tuple[bytes, ...]) -> list[audio.Recording]:
        recordings: list[audio.Recording] = []
        for number, clip in enumerate(clips, 1):
            try:
                recordings.append(audio.decode(clip, self._limits))
            except SampleError as error:
                raise SampleError(f"Recording {number}: {error}" if len(clips) > 1 else str(error)) from error
            most = self._limits.max_seconds
            if number > 1 and sum(recording.seconds for recording in recordings) > most:
                raise SampleError(f"Together they are longer than {most:.0f} s: send fewer or shorter recordings.")
        return recordings

    async def restore(self, kept: Sequence[KeptSample], report: SampleReport) -> tuple[Sample, ...]:
        """Give kept samples back as providers take them."""
        return await asyncio.to_thread(lambda: tuple(self._restore(sample, report) for sample in kept))

    def _restore(self, kept: KeptSample, report: SampleReport) -> Sample:
        # what was taken small may be kept larger: the limit on bytes is for what members send
        recording = audio.decode(kept.opus, replace(self._limits, max_bytes=len(kept.opus)))
        return Sample(wav=audio.write_wav(recording), report=report, transcript=kept.transcript)

    async def cover(self, data: bytes) -> bytes:
        """Read a picture for a voice, as JPEG. Raises `VoiceError` for what is none."""
        async with self._turns:
            return await asyncio.to_thread(audio.read_cover, data)

    async def picture(self, report: SampleReport) -> bytes:
        """Draw the waveform of what was heard, as PNG."""
        return await asyncio.to_thread(audio.draw_waveform, report.waveform, report.seconds)
