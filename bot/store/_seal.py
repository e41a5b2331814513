"""Kept samples and the words of lines, encrypted: AES-256-GCM (NIST SP 800-38D) with a fresh nonce for each text.

Knows bytes. Does not know the database.
"""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import StoreError
from bot.models import KeptSample

_NONCE_BYTES = 12

Sealed = tuple[int, bytes, bytes]
"""Position, Opus and transcript of one sample, the latter two sealed."""


def seal_samples(key: bytes, voice_id: str, samples: Sequence[KeptSample]) -> list[Sealed]:
    """Encrypt the samples of a voice, each bound to its voice and its place."""
    cipher = AESGCM(key)
    return [
        (
            position,
            _seal(cipher, sample.opus, _place(voice_id, position, "opus")),
            _seal(cipher, sample.transcript.encode(), _place(voice_id, position, "transcript")),
        )
        for position, sample in enumerate(samples)
    ]


def open_samples(key: bytes, voice_id: str, sealed: Sequence[Sealed]) -> tuple[KeptSample, ...]:
    """Decrypt the samples of a voice; `StoreError` where the key is not theirs or a byte was changed."""
    cipher = AESGCM(key)
    try:
        return tuple(
            KeptSample(
                opus=_open(cipher, opus, _place(voice_id, position, "opus")),
                transcript=_open(cipher, transcript, _place(voice_id, position, "transcript")).decode(),
            )
            for position, opus, transcript in sealed
        )
    except InvalidTag as error:
        raise StoreError(
            "The kept samples of this voice do not open with the present key: whoever runs this bot must set "
            "SAMPLE_KEY to the one they were kept with."
        ) from error


def seal_words(key: bytes, line_id: str, part: str, words: str) -> bytes:
    """Encrypt words of a line, bound to it and to the part of it that they are."""
    return _seal(AESGCM(key), words.encode(errors="surrogatepass"), f"line/{line_id}/{part}".encode())


def open_words(key: bytes, line_id: str, part: str, sealed: bytes) -> str | None:
    """Decrypt words of a line; None where the key is not theirs or a byte was changed."""
    try:
        return _open(AESGCM(key), sealed, f"line/{line_id}/{part}".encode()).decode(errors="surrogatepass")
    except InvalidTag:
        return None


def _place(voice_id: str, position: int, part: str) -> bytes:
    return f"{voice_id}/{position}/{part}".encode()


def _seal(cipher: AESGCM, text: bytes, place: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, text, place)


def _open(cipher: AESGCM, sealed: bytes, place: bytes) -> bytes:
    if len(sealed) < _NONCE_BYTES:
        raise InvalidTag
    return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
