"""A picture for a voice, as members send it: checked, made small, and freed of what else was in the file."""

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from bot.errors import VoiceError

_SIDE = 1024
_MOST_PIXELS = 40_000_000
_TOO_LARGE = "That picture is too large: send one of at most 5000 by 5000 pixels."
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


def read_cover(data: bytes) -> bytes:
    """Return a picture as JPEG of at most 1024 by 1024 pixels without metadata. Raises `VoiceError` for none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                if picture.width * picture.height > _MOST_PIXELS:
                    raise VoiceError(_TOO_LARGE)
                upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise VoiceError(_TOO_LARGE) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise VoiceError("That is no picture I can read: send a png, jpg, webp or gif.") from error
    upright.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    upright.save(file, "JPEG", quality=88)
    return file.getvalue()
