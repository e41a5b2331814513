from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.lines import LineBook
from bot.store import Store
from tests.unit.lines.desk import NEVER
from tests.unit.store.examples import KEY, file_url


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Give a store that does not wait for a lock."""
    async with Store(f"{file_url(tmp_path)}?timeout=0.01", key=KEY) as opened:
        yield opened


@pytest.fixture
async def book(store: Store) -> AsyncIterator[LineBook]:
    """Give a book that writes when it is asked to, and not before."""
    async with LineBook(store.lines, gather=NEVER, retry=NEVER) as opened:
        yield opened
