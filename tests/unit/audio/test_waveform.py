"""The card with the waveform."""

import io

import pytest
from PIL import Image

from bot.audio import draw_waveform

POINTS = bytes((number * 37) % 200 for number in range(256))


def _open(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return picture.convert("RGBA")


def _count(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    counted = picture.convert("RGB").getcolors(1_000_000)
    assert counted is not None
    return sum(count for count, value in counted if value == colour)


def test_the_card_is_1000_by_260_with_round_transparent_corners() -> None:
    picture = _open(draw_waveform(POINTS, 12.0))

    assert picture.size == (1000, 260)
    corner, middle = picture.getpixel((0, 0)), picture.getpixel((500, 250))
    assert isinstance(corner, tuple)
    assert isinstance(middle, tuple)
    assert corner[3] == 0
    assert middle[3] == 255


def test_louder_is_taller() -> None:
    accent = (118, 201, 190)

    quiet = _count(_open(draw_waveform(bytes([60] * 256), 5.0)), accent)
    loud = _count(_open(draw_waveform(bytes([240] * 256), 5.0)), accent)

    assert loud > 1.5 * quiet > 0


def test_clipped_peaks_are_drawn_in_a_warning_colour() -> None:
    hot = (255, 107, 97)

    assert _count(_open(draw_waveform(POINTS, 12.0)), hot) == 0
    assert _count(_open(draw_waveform(POINTS[:200] + b"\xff" * 56, 12.0)), hot) > 500


@pytest.mark.parametrize("seconds", [0.0, 0.03, 0.7, 3.0, 12.0, 75.0, 600.0, 3600.0, 90_000.0])
@pytest.mark.parametrize("waveform", [b"", b"\x80", POINTS])
def test_a_card_is_drawn_of_any_recording(waveform: bytes, seconds: float) -> None:
    assert _open(draw_waveform(waveform, seconds)).size == (1000, 260)


def test_the_axis_changes_with_the_length() -> None:
    assert draw_waveform(POINTS, 12.0) != draw_waveform(POINTS, 120.0)


def test_a_card_is_small_enough_to_send_at_once() -> None:
    assert len(draw_waveform(POINTS, 12.0)) < 60_000
