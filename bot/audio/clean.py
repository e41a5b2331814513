"""A recording made better to clone from: less rumble, less noise, one loudness, no long pauses. Judges nothing."""

import numpy as np
from av import AudioFrame, FFmpegError
from av.filter import Graph

from bot.audio.level import level
from bot.audio.recording import RATE, Recording, Samples, chain, silence
from bot.audio.resample import to_frame, to_samples
from bot.audio.speech import Mask, find_speech, runs, widen

TARGET = -18.0
"""LUFS."""
RUMBLE = 70
"""Hz."""
CLEAN_CONTRAST = 40.0
"""dB from pauses to speech: better than this is left alone by the noise filter."""
QUIET_NOISE = -78.0
REDUCTION = 24.0
"""dB."""
OVER_NOISE = 10.0
"""dB by which the filter's floor lies over the noise as measured in the pauses."""
DELAY = RATE // 40
"""Samples by which `afftdn` comes late at 48 kHz."""
MARGIN = 15
"""Frames of 10 ms kept around speech."""
LONG_PAUSE = 80
KEPT_PAUSE = 40
FADE = RATE // 100


def clean(recording: Recording) -> Recording:
    """Filter rumble and noise, trim silence at both ends, shorten long pauses and bring it to -18 LUFS.

    Where no speech is found nothing is cut. Blocks: call it in a thread.
    """
    if not recording.samples.size:
        return recording
    activity = find_speech(recording.samples)
    samples = _filter(recording.samples, [("highpass", f"f={RUMBLE}:poles=2")])
    if activity.noise > QUIET_NOISE and activity.voice - activity.noise < CLEAN_CONTRAST:
        samples = _denoise(samples, activity.noise)
    if activity.speech.any():
        samples = _cut(samples, _keep(activity.speech))
    return Recording(level(samples, TARGET))


def _denoise(samples: Samples, noise: float) -> Samples:
    floor = min(max(noise + OVER_NOISE, -80.0), -20.0)
    options = f"noise_reduction={REDUCTION}:noise_floor={floor:.1f}"
    return _filter(chain([samples, silence(DELAY)]), [("afftdn", options)])[DELAY:]


def _filter(samples: Samples, filters: list[tuple[str, str]]) -> Samples:
    graph = Graph()
    nodes = [graph.add_abuffer(sample_rate=RATE, format="flt", layout="mono")]
    nodes += [graph.add(name, options) for name, options in filters]
    nodes += [graph.add("aformat", "sample_fmts=flt:channel_layouts=mono"), graph.add("abuffersink")]
    graph.link_nodes(*nodes).configure()
    parts: list[Samples] = []
    for start in range(0, samples.size, RATE):
        graph.push(to_frame(samples[start : start + RATE]))
        parts += _drain(graph)
    graph.push(None)
    parts += _drain(graph)
    return _fit(chain(parts), samples.size)


def _drain(graph: Graph) -> list[Samples]:
    parts: list[Samples] = []
    while True:
        try:
            frame = graph.pull()
        except FFmpegError:
            return parts
        if isinstance(frame, AudioFrame):
            parts.append(to_samples(frame))


def _fit(samples: Samples, size: int) -> Samples:
    return samples[:size] if samples.size >= size else np.pad(samples, (0, size - samples.size))


def _keep(speech: Mask) -> Mask:
    """Choose the frames to keep: speech with a margin, and of each pause no more than `KEPT_PAUSE`."""
    kept = widen(speech, MARGIN)
    first, last = np.flatnonzero(kept)[[0, -1]]
    for start, after in runs(~kept):
        inside = first < start and after <= last
        if inside and after - start + 2 * MARGIN <= LONG_PAUSE:
            kept[start:after] = True
        elif inside:
            half = (KEPT_PAUSE - 2 * MARGIN) // 2
            kept[start : start + half] = True
            kept[after - half : after] = True
    return kept


def _cut(samples: Samples, kept: Mask) -> Samples:
    """Join the pieces that are kept, each faded in and out so that no cut clicks."""
    size = samples.size
    frame = RATE // 100
    rise = np.linspace(0.0, 1.0, FADE, dtype=np.float32)
    pieces: list[Samples] = []
    for start, after in runs(kept):
        end = size if after == kept.size else min(after * frame, size)
        piece = samples[start * frame : end].copy()
        fade = min(FADE, piece.size // 2)
        piece[:fade] *= rise[:fade]
        piece[piece.size - fade :] *= rise[:fade][::-1]
        pieces.append(piece)
    return chain(pieces)
