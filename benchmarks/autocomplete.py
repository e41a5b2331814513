"""How fast a name is completed as a member types: `Store.search`, end to end, among 100,000 voices.

    python -m benchmarks.autocomplete [--voices 100000] [--searches 5000]

Half of the voices belong to members who own 1,000, the most that MAX_VOICES allows. `p50_ms` and `p99_ms` are of
searches for any voice, `of_1000_...` of searches by those members alone. Prints one JSON line; all it makes is in a
temporary folder and goes with it.
"""

import argparse
import asyncio
import itertools
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine

from benchmarks.machine import describe
from bot.models import SampleReport, Voice
from bot.store import Store
from bot.store._rows import write_row
from bot.store._tables import voices

_BIG, _SMALL = 1000, 5
_SYLLABLES = (
    "a",
    "be",
    "chi",
    "do",
    "el",
    "fa",
    "gri",
    "ho",
    "is",
    "ka",
    "lu",
    "ma",
    "no",
    "or",
    "pe",
    "ra",
    "sé",
    "ti",
)
_BATCH = 5000
_WARM_UP = 200


def draw_name(chance: random.Random) -> str:
    """Draw a name of one to three words."""
    words = ("".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))).title() for _ in range(chance.randint(1, 3)))
    return " ".join(words)


def draw_voices(total: int, chance: random.Random) -> Iterator[Voice]:
    """Draw voices: the first half for members with 1,000 each, the others for members with five."""
    now = datetime.now(UTC)
    report = SampleReport(
        seconds=20.0,
        speech_seconds=18.0,
        loudness=-19.0,
        noise=-60.0,
        clipped=0.0,
        grade="good",
        sentence="Good: 18 s of clear speech.",
        waveform=bytes(256),
    )
    for number in range(total):
        name = f"{draw_name(chance)} {number}"
        yield Voice(
            id=uuid.UUID(int=chance.getrandbits(128)).hex,
            owner_id=number // _BIG if number < total // 2 else 1_000_000 + number // _SMALL,
            name=name,
            provider="imitation",
            remote_id=f"remote-{number}",
            state="trained",
            title=name,
            created_at=now,
            updated_at=now,
            consent="It is my own voice, or I may use it.",
            consented_at=now,
            report=report,
        )


def fill(path: Path, total: int, chance: random.Random) -> list[tuple[int, str]]:
    """Write all voices in one transaction; give who owns which name."""
    owned = []
    drawn = draw_voices(total, chance)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        while batch := [write_row(voice) for voice in itertools.islice(drawn, _BATCH)]:
            connection.execute(voices.insert(), batch)
            owned += [(row["owner_id"], row["name"]) for row in batch]
    engine.dispose()
    return owned


async def measure(store: Store, owned: list[tuple[int, str]], searches: int, chance: random.Random) -> list[float]:
    """Time each search, in milliseconds: what members type who look for a voice of theirs, letter by letter."""
    took = []
    for _ in range(searches + _WARM_UP):
        owner_id, name = chance.choice(owned)
        typed = name[: chance.randint(0, 6)]
        start = time.perf_counter()
        found = await store.search(typed, owner_id=owner_id)
        took.append((time.perf_counter() - start) * 1000)
        assert found
        assert all(voice.owner_id == owner_id for voice in found)
    return took[_WARM_UP:]


async def run(total: int, searches: int) -> dict[str, object]:
    """Build the database, search it, and give the figures."""
    chance = random.Random(2)  # noqa: S311 - the same voices each time
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mynah.db")
        async with Store(f"sqlite+aiosqlite:///{path}", key=None) as store:
            start = time.perf_counter()
            owned = await asyncio.to_thread(fill, path, total, chance)
            built = time.perf_counter() - start
            anybody = await measure(store, owned, searches, chance)
            big = await measure(store, owned[: total // 2], searches, chance)
    return {
        "benchmark": "autocomplete",
        "voices": total,
        "searches": searches,
        **_quantiles("", anybody),
        **_quantiles("of_1000_", big),
        "build_s": round(built, 1),
        "machine": f"{describe()}, SQLite {sqlite3.sqlite_version}",
    }


def _quantiles(prefix: str, took: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(took, n=100)
    return {f"{prefix}p50_ms": round(cuts[49], 2), f"{prefix}p99_ms": round(cuts[98], 2)}


def main() -> None:
    """Print the figures as one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--voices", type=int, default=100_000)
    parser.add_argument("--searches", type=int, default=5000)
    wanted = parser.parse_args()
    json.dump(asyncio.run(run(wanted.voices, wanted.searches)), sys.stdout)
    print()


if __name__ == "__main__":
    main()
