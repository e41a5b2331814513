"""A store on a fresh file, open for the length of a test."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store
from tests.unit.store.examples import KEY, file_url


@pytest.fixture
def url(tmp_path: Path) -> str:
    return file_url(tmp_path)


@pytest.fixture
async def store(blank: Path, url: str, tmp_path: Path) -> AsyncIterator[Store]:
    shutil.copy(blank, tmp_path / "mynah.db")
    async with Store(url, key=KEY) as opened:
        yield opened
