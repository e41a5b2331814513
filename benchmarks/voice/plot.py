"""Draws docs/voice.png from benchmarks/voice.jsonl: how uneven packets become as channels become more, by driver.

python -m benchmarks.voice.plot [--results benchmarks/voice.jsonl] [--out docs/voice.png]
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from benchmarks.voice.drivers import DRIVERS, DriverName
from benchmarks.voice.search import LONGEST_GAP_MS
from benchmarks.voice.suite import RESULTS

_SIZE = (1600, 900)
_FRAME = (130, 100, 1250, 790)
"""Left, top, right and bottom of where the lines are."""
_CHANNELS, _GAPS = (10.0, 2000.0), (18.0, 1000.0)
_CHANNEL_MARKS, _GAP_MARKS = (10, 25, 50, 100, 200, 400, 800, 1600), (20, 50, 100, 200, 500, 1000)
_INK, _PALE, _PAPER = "#24292f", "#d8dee4", "#ffffff"
_COLOURS: dict[DriverName, str] = {
    "mynah": "#0a7d4f",
    "discordpy": "#3b6fd4",
    "ffmpeg-opus": "#b7791f",
    "ffmpeg-pcm": "#c0392b",
}
_NAMES: dict[DriverName, str] = {
    "mynah": "Mynah",
    "discordpy": "AudioPlayer, Opus",
    "ffmpeg-opus": "FFmpegOpusAudio",
    "ffmpeg-pcm": "FFmpegPCMAudio",
}
_LABEL_STEP = 34


@dataclass(frozen=True, slots=True)
class Run:
    """One measured point; `gap` is None where not all channels were joined."""

    driver: DriverName
    channels: int
    gap: float | None


def read_runs(path: Path) -> list[Run]:
    """Read the runs among the results, the fewest channels first."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    runs = [Run(row["driver"], row["channels"], row.get("gap_ms_p99")) for row in rows if "connected" in row]
    return sorted(runs, key=lambda run: run.channels)


def draw(runs: Sequence[Run]) -> Image.Image:
    """Draw the frame, the limit, and a line for each driver."""
    image = Image.new("RGB", _SIZE, _PAPER)
    pen = ImageDraw.Draw(image)
    _draw_frame(pen)
    labels = []
    for driver in DRIVERS:
        own = [run for run in runs if run.driver == driver]
        points = [(_x(run.channels), _y(run.gap)) for run in own if run.gap is not None]
        if not points:
            continue
        pen.line(points, fill=_COLOURS[driver], width=5, joint="curve")
        for x, y in points:
            pen.ellipse((x - 8, y - 8, x + 8, y + 8), fill=_COLOURS[driver], outline=_PAPER, width=2)
        for run in own:
            if run.gap is None:
                _draw_cross(pen, _x(run.channels), _FRAME[1], _COLOURS[driver])
        labels.append((points[-1][1], driver))
    _draw_labels(pen, labels)
    return image


def _draw_frame(pen: ImageDraw.ImageDraw) -> None:
    left, _, right, bottom = _FRAME
    _text(
        pen,
        (left, 40),
        "Gap between two packets of a channel, 99th percentile, ms (20 is even; x: not all joined)",
        28,
        "lm",
    )
    _text(pen, ((left + right) / 2, bottom + 75), "channels spoken in at once, in one process", 26, "mm")
    for mark in _GAP_MARKS:
        pen.line(((left, _y(mark)), (right, _y(mark))), fill=_PALE, width=2)
        _text(pen, (left - 16, _y(mark)), str(mark), 24, "rm")
    for mark in _CHANNEL_MARKS:
        pen.line(((_x(mark), bottom), (_x(mark), bottom + 8)), fill=_INK, width=2)
        _text(pen, (_x(mark), bottom + 28), f"{mark:,}", 24, "mm")
    pen.line(((left, bottom), (right, bottom)), fill=_INK, width=2)
    for start in range(left, right, 24):
        pen.line(((start, _y(LONGEST_GAP_MS)), (start + 12, _y(LONGEST_GAP_MS))), fill=_INK, width=2)
    _text(pen, (left + 8, _y(LONGEST_GAP_MS) - 18), f"{LONGEST_GAP_MS:g} ms", 22, "lm")


def _draw_cross(pen: ImageDraw.ImageDraw, x: float, y: float, colour: str) -> None:
    """Mark a number of channels that could not be joined."""
    for slope in (1, -1):
        pen.line(((x - 10, y - 10 * slope), (x + 10, y + 10 * slope)), fill=colour, width=5)


def _draw_labels(pen: ImageDraw.ImageDraw, labels: list[tuple[float, DriverName]]) -> None:
    """Name the lines at their ends, none over another."""
    below = -math.inf
    for y, driver in sorted(labels):
        below = max(y, below + _LABEL_STEP)
        _text(pen, (_FRAME[2] + 14, below), _NAMES[driver], 24, "lm", colour=_COLOURS[driver])


def _x(channels: float) -> float:
    return _place(channels, _CHANNELS, _FRAME[0], _FRAME[2])


def _y(gap: float) -> float:
    return _place(min(max(gap, _GAPS[0]), _GAPS[1]), _GAPS, _FRAME[3], _FRAME[1])


def _place(value: float, scale: tuple[float, float], start: float, end: float) -> float:
    return start + (end - start) * math.log(value / scale[0]) / math.log(scale[1] / scale[0])


def _text(
    pen: ImageDraw.ImageDraw, at: tuple[float, float], words: str, size: int, anchor: str, *, colour: str = _INK
) -> None:
    pen.text(at, words, font=ImageFont.load_default(size), fill=colour, anchor=anchor)


def main() -> None:
    """Read what is asked, and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice.plot", description="Draw the figures of voice")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=Path("docs/voice.png"))
    asked = parser.parse_args()
    draw(read_runs(asked.results)).quantize(64).save(asked.out, optimize=True)


if __name__ == "__main__":
    main()
