"""The key for kept samples: given, or made once."""

import base64
import contextlib
import io
import logging
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from bot.errors import StoreError
from bot.store import load_key


@pytest.mark.parametrize("form", ["{}", "{}=", " {}\n"])
def test_the_key_in_the_settings_is_taken_padded_or_not(tmp_path: Path, form: str) -> None:
    key = secrets.token_bytes(32)
    secret = base64.urlsafe_b64encode(key).decode().rstrip("=")

    assert load_key(form.format(secret), tmp_path / "unused") == key
    assert not (tmp_path / "unused").exists()


def test_a_key_in_the_alphabet_of_openssl_is_taken_too(tmp_path: Path) -> None:
    assert load_key(base64.b64encode(bytes([251, 255] * 16)).decode(), tmp_path) == bytes([251, 255] * 16)


@pytest.mark.parametrize("secret", ["short", "a" * 42, "a" * 44, "schlüssel" * 5, "not a key at all"])
def test_a_malformed_key_is_refused_with_the_way_to_make_one(tmp_path: Path, secret: str) -> None:
    with pytest.raises(StoreError, match=r"SAMPLE_KEY.*secrets\.token_urlsafe\(32\)") as refusal:
        load_key(secret, tmp_path)

    assert secret not in str(refusal.value)


def test_the_recipe_in_the_refusal_makes_a_key_that_is_taken(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as refusal:
        load_key("x", tmp_path)
    program = str(refusal.value).split('"')[1]

    with contextlib.redirect_stdout(io.StringIO()) as made:
        exec(program, {})  # noqa: S102 - our own sentence, as a reader would run it

    assert len(load_key(made.getvalue(), tmp_path)) == 32


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_where_none_is_set_a_key_is_made_and_kept(tmp_path: Path, nothing: str | None) -> None:
    folder = tmp_path / "data"

    key = load_key(nothing, folder)

    assert len(key) == 32
    assert load_key(nothing, folder) == key
    assert load_key((folder / "sample.key").read_text(), tmp_path) == key
    assert [path.name for path in folder.iterdir()] == ["sample.key"]


def test_each_folder_gets_a_key_of_its_own(tmp_path: Path) -> None:
    assert load_key(None, tmp_path / "a") != load_key(None, tmp_path / "b")


def test_nobody_else_can_read_a_key_that_was_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    previous = os.umask(0)
    try:
        load_key(None, tmp_path / "data")
    finally:
        os.umask(previous)

    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "sample.key").stat().st_mode & 0o777 == 0o600
    assert caplog.records == []


def test_a_key_that_others_can_read_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = load_key(None, tmp_path)
    (tmp_path / "sample.key").chmod(0o644)

    with caplog.at_level(logging.WARNING):
        assert load_key(None, tmp_path) == key

    assert "chmod 600" in caplog.text
    assert base64.urlsafe_b64encode(key).decode().rstrip("=") not in caplog.text


def test_many_starts_at_once_get_one_key(tmp_path: Path) -> None:
    for attempt in range(20):
        barrier = Barrier(8)
        folder = tmp_path / str(attempt)

        def start(_: int, folder: Path = folder, barrier: Barrier = barrier) -> bytes:
            barrier.wait()
            return load_key(None, folder)

        with ThreadPoolExecutor(8) as starts:
            assert len(set(starts.map(start, range(8)))) == 1
        assert [path.name for path in folder.iterdir()] == ["sample.key"]


@pytest.mark.parametrize("content", [b"", b"half a ke", b"\xff" * 43])
def test_a_damaged_key_file_is_told_and_not_overwritten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sample.key").write_bytes(content)

    with pytest.raises(StoreError, match=r"sample\.key is damaged"):
        load_key(None, tmp_path)

    assert (tmp_path / "sample.key").read_bytes() == content


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match="make it writable, or set SAMPLE_KEY"):
        load_key(None, tmp_path / "file" / "data")
