"""The picture of a recording: its level over time as a card. Measures nothing.

Pillow is imported where it draws: an idle bot does without its memory.
"""

import io
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont
    from PIL.ImageFont import ImageFont as BitmapFont

WIDTH, HEIGHT = 1000, 260
SCALE = 3
"""Drawn so many times larger and shrunk, which smooths every edge."""

CARD = (24, 26, 32)
RIM = (46, 49, 58)
ACCENT = (118, 201, 190)
DIM = (62, 92, 94)
HOT = (255, 107, 97)
LINE = (70, 75, 88)
LABEL = (160, 166, 180)

LEFT, RIGHT = 36, 964
TOP, BOTTOM = 28, 204
BARS = 116
"""Eight pixels each, so that their edges are sharp."""
CLIPPING = 251
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
MOST_TICKS = 10


def draw_waveform(waveform: bytes, seconds: float) -> bytes:
    """Draw up to 256 points of level, 0 to 255, as a PNG of 1000 by 260 that suits a dark and a light page."""
    from PIL import Image, ImageDraw

    image = Image.new("RGBA", (WIDTH * SCALE, HEIGHT * SCALE), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle(_scaled(0, 0, WIDTH, HEIGHT), radius=22 * SCALE, fill=CARD, outline=RIM, width=2 * SCALE)
    _draw_bars(pen, waveform)
    small = image.reduce(SCALE)
    _draw_axis(small, max(seconds, 0.0))
    room = io.BytesIO()
    small.save(room, "PNG", optimize=True)
    return room.getvalue()


def _draw_bars(pen: "ImageDraw", waveform: bytes) -> None:
    levels = _bars(waveform)
    pitch = (RIGHT - LEFT) / len(levels)
    width = min(max(2.0, round(pitch * 0.62)), 12.0)
    middle, reach = (TOP + BOTTOM) / 2, (BOTTOM - TOP) / 2
    for number, value in enumerate(levels):
        left = LEFT + pitch * number + (pitch - width) // 2
        half = max(width / 2, _height(value) * reach)
        box = _scaled(left, middle - half, left + width, middle + half)
        pen.rounded_rectangle(box, radius=width * SCALE / 2, fill=_colour(value))


def _bars(waveform: bytes) -> list[int]:
    if not waveform:
        return [0] * BARS
    count = min(BARS, len(waveform))
    edges = [round(number * len(waveform) / count) for number in range(count + 1)]
    return [max(waveform[first:after]) for first, after in pairwise(edges)]


def _height(value: int) -> float:
    """Turn a level into a height, 0 to 1."""
    return float((value / 255) ** 0.6)


def _colour(value: int) -> tuple[int, int, int]:
    if value >= CLIPPING:
        return HOT
    share = min(1.0, value / 40)
    return (
        round(DIM[0] + (ACCENT[0] - DIM[0]) * share),
        round(DIM[1] + (ACCENT[1] - DIM[1]) * share),
        round(DIM[2] + (ACCENT[2] - DIM[2]) * share),
    )


def _draw_axis(image: "Image", seconds: float) -> None:
    from PIL import ImageDraw

    pen = ImageDraw.Draw(image)
    pen.line((LEFT, 216, RIGHT, 216), fill=LINE, width=1)
    step = next((step for step in STEPS if seconds / step <= MOST_TICKS), STEPS[-1])
    count = int(seconds / step + 1e-9) if seconds else 0
    for number in range(count + 1):
        x = LEFT + (RIGHT - LEFT) * (number * step / seconds if seconds else 0.0)
        pen.line((x, 216, x, 221), fill=LINE, width=1)
        anchor = "la" if number == 0 else "ra" if x > RIGHT - 16 else "ma"
        pen.text((x, 226), _label(number * step, step), fill=LABEL, font=_font(), anchor=anchor)


def _label(moment: float, step: float) -> str:
    if step >= 60:
        return f"{moment / 60:g} min" if moment else "0"
    if step >= 15 and moment >= 60:
        return f"{int(moment) // 60}:{int(moment) % 60:02d}"
    return f"{moment:.1f} s" if step < 1 else f"{moment:g} s"


@cache
def _font() -> "FreeTypeFont | BitmapFont":
    from PIL import ImageFont

    return ImageFont.load_default(15)


def _scaled(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    return (left * SCALE, top * SCALE, right * SCALE - 1, bottom * SCALE - 1)
