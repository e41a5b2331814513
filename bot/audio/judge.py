"""A recording judged fit or unfit to clone from, in figures and in words for the member. Changes nothing in it."""

from dataclasses import dataclass

import numpy as np

from bot.audio.loudness import loudness
from bot.audio.recording import Recording, Samples, pieces
from bot.audio.speech import find_speech, keep_longer
from bot.models import Grade, SampleReport

POINTS = 256
FULL = 0.985
"""A sample from here on counts as full scale: resampling and mp3 leave clipped tops a little uneven."""
RUN = 5
"""Samples at 48 kHz that make a flat top; a peak that only touches full scale is shorter or rounder."""

SILENCE = -60.0
QUIET, FAINT = -38.0, -50.0
"""LUFS."""
CLEAR, MUFFLED = 22.0, 12.0
"""dB from the pauses up to the speech."""
CLIPPED, TOUCHED = 0.004, 0.0002
ENOUGH, LEAST = 10.0, 5.0
"""Seconds of speech."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    seconds: float
    speech: float
    loudness: float
    contrast: float
    clipped: float


def judge(recording: Recording) -> SampleReport:
    """Say how much speech is heard in a recording, how well, and draw its outline."""
    samples = recording.samples
    activity = find_speech(samples)
    loud, clipped = loudness(samples), measure_clipping(samples)
    contrast = activity.voice - activity.noise
    heard = _Heard(
        seconds=recording.seconds, speech=activity.seconds, loudness=loud, contrast=contrast, clipped=clipped
    )
    grade, sentence = _verdict(heard)
    return SampleReport(
        seconds=round(recording.seconds, 2),
        speech_seconds=round(activity.seconds, 2),
        loudness=round(loud, 1),
        noise=round(activity.noise, 1),
        clipped=round(clipped, 5),
        grade=grade,
        sentence=sentence,
        waveform=outline(samples),
    )


def measure_clipping(samples: Samples) -> float:
    """Measure the share of samples in flat tops at full scale, 0 to 1."""
    clipped = 0
    for piece in pieces(samples):
        high = np.abs(piece) >= FULL
        clipped += int(np.count_nonzero(keep_longer(high, RUN))) if high.any() else 0
    return clipped / max(samples.size, 1)


def outline(samples: Samples, points: int = POINTS) -> bytes:
    """Draw the level over time as up to so many points, 0 (silent) to 255 (full scale)."""
    count = min(points, samples.size)
    if not count:
        return b""
    starts = np.linspace(0, samples.size, count, endpoint=False).astype(np.int64)
    highest, lowest = np.maximum.reduceat(samples, starts), np.minimum.reduceat(samples, starts)
    peaks = np.maximum(highest, -lowest)
    return bytes(np.rint(np.clip(peaks, 0.0, 1.0) * 255).astype(np.uint8))


def _verdict(heard: _Heard) -> tuple[Grade, str]:
    """Say the worst first: what makes the recording unfit, then what makes it less good."""
    spoken = _seconds(heard.speech)
    quiet, noisy = heard.loudness < QUIET, heard.contrast < CLEAR
    muffled = heard.contrast < MUFFLED
    verdicts: tuple[tuple[bool, Grade, str], ...] = (
        (
            not heard.speech and heard.loudness < SILENCE,
            "poor",
            "Silence: nothing was heard. Check the microphone and record again.",
        ),
        (not heard.speech, "poor", "No speech was heard: record one voice speaking, without music."),
        (heard.clipped >= CLIPPED, "poor", "Clipped: turn the microphone down and record again."),
        (heard.loudness < FAINT, "poor", "Very quiet: record closer to the microphone."),
        (
            heard.speech < LEAST,
            "poor",
            f"I hear {spoken} of speech in {_seconds(heard.seconds)}: record at least {LEAST:g} s of speech.",
        ),
        (quiet and noisy, "poor" if muffled else "fair", "Quiet and noisy: record closer to the microphone."),
        (muffled, "poor", "Noisy: record in a quiet room, closer to the microphone."),
        (
            heard.clipped >= TOUCHED,
            "fair",
            f"Fair: {spoken} of speech, slightly clipped. Turn the microphone down a little.",
        ),
        (noisy, "fair", f"Fair: {spoken} of speech with some noise. A quieter room makes a better voice."),
        (quiet, "fair", f"Fair: {spoken} of speech, but quiet. Closer to the microphone makes a better voice."),
        (heard.speech < ENOUGH, "fair", f"Fair: {spoken} of clear speech. {ENOUGH:g} s or more make a better voice."),
    )
    fitting = (verdict[1:] for verdict in verdicts if verdict[0])
    return next(fitting, ("good", f"Good: {spoken} of clear speech."))


def _seconds(speech: float) -> str:
    return f"{int(speech)} s" if speech >= 1 else f"{speech:.1f} s"
