"""What the doctor finds, and the cure for it."""

import base64
import importlib.metadata
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.abc
import av.codec
import pytest

from bot.doctor import Finding, examine, findings
from bot.settings import FishSettings, FishSpeechSettings, Settings
from bot.web import Web
from playground.discord import Discord, open_discord
from playground.services.fish import FishService
from playground.services.fish_speech import FishSpeechService
from tests.ports import free_port


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
async def house() -> AsyncIterator[Discord]:
    async with open_discord() as opened:
        yield opened


class Nowhere(aiohttp.abc.AbstractResolver):
    """Knows no host."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[aiohttp.abc.ResolveResult]:
        raise OSError(host)

    async def close(self) -> None:
        """Hold nothing."""


def settings(folder: Path, **values: Any) -> Settings:
    return Settings(**{"data_dir": folder / "data", **values})


async def find(name: str, wanted: Settings) -> Finding:
    """Look until this finding, and no further: the engine is slow."""
    async with aclosing(findings(wanted)) as found:
        async for finding in found:
            if finding.name.startswith(name):
                return finding
    raise AssertionError(name)


async def test_a_sound_machine_is_well_and_only_the_missing_token_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = await examine(settings(tmp_path))

    said = capsys.readouterr().out
    assert status == 0
    assert "FAIL" not in said
    assert [line.split(":")[0] for line in said.splitlines() if line.startswith("note")] == ["note  Discord token"]
    assert "ok    Voices at basic offline imitation (makes new voices): ready" in said
    assert said.endswith("All is well.\n")


async def test_a_token_that_discord_takes_is_told_with_the_name_of_the_bot(
    house: Discord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = await examine(settings(tmp_path, discord_token=house.token), connector=house.connector())

    said = capsys.readouterr().out
    assert status == 0
    assert "Discord token: accepted, the bot is Mynah" in said
    assert house.token not in said


async def test_every_failure_is_told_with_its_cure_and_counted(
    house: Discord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = settings(tmp_path, discord_token="wrong", sample_key="short", database_url="sqlite:///sync.db")

    status = await examine(wrong, connector=house.connector())

    lines = capsys.readouterr().out.splitlines()
    failed = [number for number, line in enumerate(lines) if line.startswith("FAIL")]
    assert status == 1
    assert [lines[number].split(":")[0] for number in failed] == [
        "FAIL  Sample key",
        "FAIL  Database",
        "FAIL  Discord token",
    ]
    assert all(lines[number + 1].startswith("      cure: ") for number in failed)
    assert lines[-1] == "3 to mend."


async def test_a_discord_out_of_reach_is_told_apart_from_a_wrong_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connector = aiohttp.TCPConnector(resolver=Nowhere())

    assert await examine(settings(tmp_path, discord_token="any"), connector=connector) == 1
    assert "cannot be reached" in capsys.readouterr().out


async def test_a_folder_that_cannot_be_made_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    finding = await find("Data folder", settings(tmp_path))

    assert finding.state == "fail"
    assert "DATA_DIR" in finding.cure


async def test_a_folder_that_others_can_read_is_noted_with_the_command_that_closes_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)

    finding = await find("Data folder", settings(tmp_path))

    assert finding.state == "note"
    assert finding.cure == f"chmod 700 {tmp_path / 'data'}"


async def test_nothing_is_left_behind_in_the_folder_by_looking(tmp_path: Path) -> None:
    finding = await find("Data folder", settings(tmp_path))

    assert finding.state == "ok"
    assert list((tmp_path / "data").iterdir()) == []


async def test_a_key_from_the_settings_is_not_shown(tmp_path: Path) -> None:
    key = base64.urlsafe_b64encode(bytes(32)).decode()

    finding = await find("Sample key", settings(tmp_path, sample_key=key))

    assert (finding.state, finding.detail) == ("ok", "set")


async def test_a_generated_key_is_told_with_its_place(tmp_path: Path) -> None:
    finding = await find("Sample key", settings(tmp_path))

    assert finding.state == "ok"
    assert str(tmp_path / "data" / "sample.key") in finding.detail


async def test_a_database_that_is_none_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "mynah.db").write_bytes(b"no database at all" * 100)

    finding = await find("Database", settings(tmp_path))

    assert finding.state == "fail"
    assert "damaged" in finding.detail


@pytest.mark.parametrize(
    ("library", "name"), [("davey", "End-to-end"), ("nacl.secret", "Transport"), ("av.codec", "Opus")]
)
async def test_a_library_that_cannot_be_loaded_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, name: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)

    finding = await find(name, settings(tmp_path))

    assert finding.state == "fail"
    assert "make setup" in finding.cure


async def test_another_version_of_the_encryption_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "9.9.9")

    finding = await find("End-to-end", settings(tmp_path))

    assert finding.state == "note"
    assert finding.detail.startswith("9.9.9, tested with ")


async def test_a_codec_that_is_missing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Codec:
        def __init__(self, name: str, mode: str) -> None:
            raise ValueError(name)

    monkeypatch.setattr(av.codec, "Codec", Codec)

    finding = await find("Opus", settings(tmp_path))

    assert finding.state == "fail"
    assert "libopus" in finding.detail


# services


@pytest.mark.parametrize(
    ("key", "detail", "cure"),
    [
        ("bad-secret-key", "refuses the key", "put a valid key into FISH_API_KEY"),
        ("poor-key", "credit", "add credit at the service"),
    ],
)
async def test_a_service_that_would_not_speak_is_named_with_its_cure_and_without_its_key(
    tmp_path: Path, key: str, detail: str, cure: str
) -> None:
    async with FishService() as service:
        wanted = settings(tmp_path, fish=FishSettings(api_key=key, base_url=service.url))
        finding = await find("Voices at Fish Audio", wanted)

    assert finding.state == "fail"
    assert detail in finding.detail
    assert cure in finding.cure
    assert key not in finding.detail + finding.cure


async def test_every_service_that_is_set_is_told_with_its_credit_and_how_much_it_does_at_once(tmp_path: Path) -> None:
    async with FishService() as service, FishSpeechService() as own:
        fish = FishSettings(api_key="good-key", base_url=service.url)
        wanted = settings(tmp_path, provider="fish", fish=fish, fishspeech=FishSpeechSettings(base_url=own.url))
        found = [each async for each in findings(wanted) if each.name.startswith("Voices at ")]

    assert [(each.name, each.state) for each in found] == [
        ("Voices at basic offline imitation", "ok"),
        ("Voices at Fish Audio (makes new voices)", "ok"),
        ("Voices at Fish Speech (self-hosted)", "ok"),
    ]
    assert found[1].detail == "key accepted, credit $10.00, 5 at once"


async def test_a_service_that_is_not_there_is_told_with_the_setting_of_its_address(tmp_path: Path) -> None:
    wanted = settings(tmp_path, fish=FishSettings(api_key="good-key", base_url="http://127.0.0.1:9"))

    finding = await find("Voices at Fish Audio", wanted)

    assert finding.state == "fail"
    assert "FISH_BASE_URL" in finding.cure


async def test_the_web_server_is_tried_on_its_port(tmp_path: Path) -> None:
    port = free_port()
    free = await find("Web server", settings(tmp_path, web_port=port))
    async with Web(port, "127.0.0.1", public_url=None, healthy=lambda: True):
        taken = await find("Web server", settings(tmp_path, web_port=port))

    assert (free.state, free.detail) == ("ok", f"port {port} is free")
    assert (taken.state, taken.cure.endswith("into WEB_PORT")) == ("note", True)


async def test_a_public_address_that_does_not_lead_here_is_told(tmp_path: Path) -> None:
    wanted = settings(tmp_path, web_port=free_port(), public_url="https://127.0.0.1:9")

    finding = await find("Web server", wanted)

    assert (finding.state, "PUBLIC_URL" in finding.cure) == ("fail", True)


async def test_without_a_web_server_there_is_nothing_to_try(tmp_path: Path) -> None:
    assert (await find("Web server", settings(tmp_path))).detail.startswith("off")
