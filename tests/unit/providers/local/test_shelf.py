import errno
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import ProviderError
from bot.models import RemoteVoice
from bot.providers.base import VoiceEdit
from bot.providers.local.shelf import Shelf

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VOICE = RemoteVoice(
    id="a1", title="Aki", state="trained", description="d", tags=("x", "y"), created_at=NOW, updated_at=NOW
)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "deep" / "voices")


def test_voice_comes_back_as_it_was_put(shelf: Shelf) -> None:
    shelf.put(VOICE, b"profile")

    assert shelf.get("a1") == VOICE
    assert shelf.profile("a1") == b"profile"


def test_edit_changes_only_what_is_given(shelf: Shelf) -> None:
    shelf.put(VOICE, b"profile")

    edited = shelf.edit("a1", VoiceEdit(title="New", tags=()))

    assert (edited.title, edited.tags, edited.description) == ("New", (), "d")
    assert edited.updated_at is not None
    assert edited.updated_at > NOW
    assert shelf.get("a1") == edited


def test_removed_voice_is_gone_and_removing_it_again_is_fine(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(VOICE, b"profile")

    shelf.remove("a1")
    shelf.remove("a1")

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    with pytest.raises(ProviderError) as caught:
        shelf.get("a1")
    assert caught.value.kind == "not_found"


@pytest.mark.parametrize("voice_id", ["../a1", "a/b", "", ".", "a\0", "a" * 65, "C:a", "a1\n"])
def test_id_that_could_leave_the_folder_is_no_voice(shelf: Shelf, voice_id: str) -> None:
    with pytest.raises(ProviderError) as caught:
        shelf.profile(voice_id)

    assert caught.value.kind == "not_found"


@pytest.mark.parametrize("card", [b"", b"{", b"[]", b"{}", b'{"id": "a1"}', b"\xff\xfe"])
def test_damaged_card_says_so(shelf: Shelf, tmp_path: Path, card: bytes) -> None:
    shelf.put(VOICE, b"profile")
    (tmp_path / "deep" / "voices" / "a1.json").write_bytes(card)

    with pytest.raises(ProviderError, match="damaged") as caught:
        shelf.get("a1")

    assert caught.value.kind == "invalid"


def test_card_without_a_profile_says_so(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(VOICE, b"profile")
    (tmp_path / "deep" / "voices" / "a1.npz").unlink()

    with pytest.raises(ProviderError, match="damaged"):
        shelf.profile("a1")


def test_unreadable_card_says_so(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "deep" / "voices" / "a1.json").mkdir(parents=True)

    with pytest.raises(ProviderError, match="damaged"):
        shelf.get("a1")
    with pytest.raises(ProviderError, match="disk"):
        shelf.remove("a1")


def test_voice_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "voices").write_bytes(b"a file where the folder should be")

    with pytest.raises(ProviderError, match="disk"):
        Shelf(tmp_path / "voices").put(VOICE, b"profile")

    assert [path.name for path in tmp_path.iterdir()] == ["voices"]


class FullDisk(Shelf):
    """A disk that takes the profile and then no more."""

    def _write(self, path: Path, data: bytes) -> None:
        if path.suffix == ".json":
            raise OSError(errno.ENOSPC, "No space left on device")
        super()._write(path, data)


def test_voice_whose_card_cannot_be_written_is_not_there(tmp_path: Path) -> None:
    shelf = FullDisk(tmp_path)

    with pytest.raises(ProviderError, match="disk"):
        shelf.put(VOICE, b"profile")

    with pytest.raises(ProviderError) as caught:
        shelf.get("a1")
    assert caught.value.kind == "not_found"
    with pytest.raises(ProviderError, match="disk"):
        shelf._change(VOICE)
