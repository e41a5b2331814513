"""A store on a fresh file, open for the length of a test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store
from tests.unit.store.examples import KEY, file_url


@pytest.fixture
def url(tmp_path: Path) -> str:
    return file_url(tmp_path)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with Store(url, key=KEY) as opened:
        yield opened
