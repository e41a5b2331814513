"""Pictures for voices: small, upright, and with nothing else in them."""

import io
import struct
import zlib

import pytest
from PIL import Image

from bot.audio import read_cover
from bot.errors import VoiceError


def picture(form: str, size: tuple[int, int] = (300, 200), **more: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 90)).save(file, form, **more)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_becomes_a_jpeg_of_its_size_and_colour(form: str) -> None:
    with Image.open(io.BytesIO(read_cover(picture(form)))) as cover:
        assert (cover.format, cover.size, cover.mode) == ("JPEG", (300, 200), "RGB")
        assert cover.getpixel((150, 100)) == pytest.approx((200, 30, 90), abs=8)


def test_a_large_picture_becomes_small_and_keeps_its_shape() -> None:
    with Image.open(io.BytesIO(read_cover(picture("PNG", (3000, 1500))))) as cover:
        assert cover.size == (1024, 512)


def test_what_else_was_in_the_file_is_not_passed_on_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif[0x0112] = 6

    cover = read_cover(picture("JPEG", (300, 200), exif=exif))

    assert b"taken at home" not in cover
    with Image.open(io.BytesIO(cover)) as opened:
        assert opened.size == (200, 300)
        assert not opened.getexif()


@pytest.mark.parametrize(
    "data", [b"", b"no picture", picture("PNG")[:60], picture("BMP")], ids=["", "text", "cut", "bmp"]
)
def test_what_is_no_picture_is_refused_with_what_to_send(data: bytes) -> None:
    with pytest.raises(VoiceError, match="send a png, jpg, webp or gif"):
        read_cover(data)


@pytest.mark.parametrize("size", [(8000, 5001), (20_000, 20_000)])
def test_a_picture_of_too_many_points_is_refused_unread(size: tuple[int, int]) -> None:
    with pytest.raises(VoiceError, match="too large"):
        read_cover(header_of_png(size))


def header_of_png(size: tuple[int, int]) -> bytes:
    """Write a PNG that claims a size and has no more than that."""
    head = b"IHDR" + struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    whole = picture("PNG")
    return whole[:12] + head + struct.pack(">I", zlib.crc32(head)) + whole[33:]
