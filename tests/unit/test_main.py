"""The command line: what it says, and the exit status."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from bot.__main__ import is_alive, main, open_rules, run, set_up_logging
from bot.errors import BotError, StoreError
from bot.settings import Settings
from playground.discord import Discord, open_discord
from tests.unit.test_doctor import Nowhere

NOISY = ("discord", "aiosqlite", "sqlalchemy", "PIL", "asyncio")


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    levels = {name: logging.getLogger(name).level for name in NOISY}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
async def house() -> AsyncIterator[Discord]:
    async with open_discord() as opened:
        yield opened


def test_without_a_token_it_says_where_to_put_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "DISCORD_TOKEN is not set" in capsys.readouterr().err


def test_every_wrong_setting_is_named_and_no_value_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAX_TEXT", "tangerine")
    monkeypatch.setenv("MAX_VOICES", "0")

    assert main(["run"]) == 2

    said = capsys.readouterr().err
    assert "MAX_TEXT: " in said
    assert "MAX_VOICES: " in said
    assert "tangerine" not in said
    assert "Traceback" not in said


def test_an_unknown_command_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["sing"])

    assert caught.value.code == 2
    assert "doctor" in capsys.readouterr().err


def test_the_doctor_is_asked_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///sync.db")

    assert main(["doctor"]) == 1
    assert "1 to mend." in capsys.readouterr().out


def test_health_tells_a_living_bot_from_one_that_is_not(tmp_path: Path) -> None:
    mark = tmp_path / "data" / "alive"
    assert main(["health"]) == 1
    mark.parent.mkdir()
    mark.touch()
    assert main(["health"]) == 0
    old = time.time() - 61
    os.utime(mark, (old, old))
    assert main(["health"]) == 1


@pytest.mark.parametrize(
    ("level", "libraries"), [("DEBUG", {"INFO", "WARNING"}), ("INFO", {"INFO", "WARNING"}), ("ERROR", {"ERROR"})]
)
def test_libraries_are_no_louder_than_asked(level: str, libraries: set[str]) -> None:
    set_up_logging(level)

    assert {logging.getLevelName(logging.getLogger(name).level) for name in NOISY} == libraries


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
async def test_queries_and_what_is_in_them_are_not_logged(level: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    set_up_logging(level)

    async with open_rules(Settings()) as rules:
        await rules.voices.search("tangerine", owner_id=1)

    assert "tangerine" not in caplog.text
    assert "SELECT" not in caplog.text


async def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    with pytest.raises(BotError, match="DATA_DIR"):
        async with open_rules(Settings()):
            pass


async def test_a_database_that_cannot_be_opened_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite+aiosqlite:////nowhere/at/all/mynah.db")

    with pytest.raises(StoreError):
        async with open_rules(Settings()):
            pass


async def test_it_runs_until_it_is_told_to_stop_and_leaves_discord(
    house: Discord, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", house.token)
    house.add_guild("Aviary")
    running = asyncio.create_task(run(Settings(), connector=house.connector()))
    await house.bot_ready()
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(is_alive, tmp_path / "data"):
            assert not running.done()

    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(asyncio.CancelledError):
        await running

    assert {command.name for command in house.commands} == {
        "clone",
        "join",
        "leave",
        "pause",
        "queue",
        "replay",
        "resume",
        "say",
        "skip",
        "stop",
        "voices",
        "voicetest",
    }
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


async def test_a_token_that_discord_refuses_is_told_in_a_sentence(
    house: Discord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "wrong")

    with pytest.raises(BotError, match="reset it in the developer portal"):
        await run(Settings(), connector=house.connector())


async def test_a_discord_out_of_reach_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "any")

    with pytest.raises(BotError, match="cannot be reached"):
        await run(Settings(), connector=aiohttp.TCPConnector(resolver=Nowhere()))
