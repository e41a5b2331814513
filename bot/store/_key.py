"""The key for kept samples: the one from the settings, or one made once and kept beside the database.

Knows the file system. Does not know what is encrypted with it.
"""

import base64
import binascii
import logging
import os
import secrets
from pathlib import Path

from bot.errors import StoreError

log = logging.getLogger(__name__)

KEY_BYTES = 32
_FILE = "sample.key"
_RECIPE = 'Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'


def load_key(secret: str | None, folder: Path) -> bytes:
    """Give the 32 bytes that samples are encrypted with; where `secret` is empty, from `folder`, made on first use.

    Blocks on the disk. Raises `StoreError` for a malformed key or a folder that cannot be used.
    """
    if secret and secret.strip():
        return _decode(secret, complaint=f"SAMPLE_KEY is not 32 bytes in base64url. {_RECIPE}")
    path = folder / _FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _generate(path)
        text = path.read_text(encoding="ascii", errors="replace")
        _warn_if_shared(path)
    except OSError as error:
        raise StoreError(
            f"The key for kept samples cannot be read or made in {folder}: make it writable, or set SAMPLE_KEY."
        ) from error
    return _decode(
        text,
        complaint=f"{path} is damaged: restore it from a backup, or move it away and samples kept so far are lost.",
    )


def _decode(text: str, *, complaint: str) -> bytes:
    bare = text.strip().rstrip("=")
    try:
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise StoreError(complaint) from error
    if len(key) != KEY_BYTES:
        raise StoreError(complaint)
    return key


def _generate(path: Path) -> None:
    """Put a whole new key at `path`, unless another start was faster: a link appears at once or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        log.debug("another start made the sample key first")
    finally:
        draft.unlink()


def _warn_if_shared(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        log.warning("others on this machine can read %s: run chmod 600 on it", path)
