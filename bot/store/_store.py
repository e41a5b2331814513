"""`Store`, the door of the room: one method per question, one transaction each.

Knows the tables and how to ask. Does not know connections, keys in settings, or providers.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select
from sqlalchemy.exc import IntegrityError

from bot.errors import StoreError, VoiceError
from bot.models import UNFINISHED, KeptSample, Voice, VoicePage, name_key
from bot.store import _tables as tables
from bot.store._database import Database
from bot.store._dialect import WRITE
from bot.store._faults import translated
from bot.store._lines import Lines
from bot.store._queries import find_chosen, find_named, find_owned
from bot.store._rows import read_row, write_row
from bot.store._seal import open_samples, seal_samples

_NEVER_SAVED = frozenset({"id", "owner_id", "use_count", "last_used_at"})
_NOT_YOURS = "You have no such voice any more: see /voices list."


class Store:
    """Owns one database with all that is kept in it, opened and brought to the present schema by `async with`.

    Every method raises `StoreError` where the database is locked, read-only, full or gone, and then nothing was
    changed. Every question about a voice names its owner: somebody else's voice does not exist.
    """

    def __init__(self, url: str, *, key: bytes | None) -> None:
        """`url` as SQLAlchemy writes it, with an async driver. Without a `key` no samples and no lines are kept."""
        self._database = Database(url)
        self._key = key
        self.lines = Lines(self._database, key=key)
        """The lines that wait or are being said."""

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._database.__aexit__(kind, error, traceback)

    async def add(self, voice: Voice, samples: Sequence[KeptSample] = ()) -> None:
        """Remember a new voice together with the samples it was made from. Raises `VoiceError` for a taken name."""
        with translated():
            sealed = [] if self._key is None else await asyncio.to_thread(seal_samples, self._key, voice.id, samples)
        with _names_unique(voice):
            async with self._database.transaction(WRITE) as connection:
                await connection.execute(tables.voices.insert().values(write_row(voice)))
                if sealed:
                    await connection.execute(
                        tables.samples.insert(),
                        [
                            {"voice_id": voice.id, "position": position, "opus": opus, "transcript": transcript}
                            for position, opus, transcript in sealed
                        ],
                    )

    async def save(self, voice: Voice) -> None:
        """Keep the new values of a voice, but for `use_count` and `last_used_at`, which are counted.

        Raises `VoiceError` for a taken name or a voice that is gone.
        """
        values = {column: value for column, value in write_row(voice).items() if column not in _NEVER_SAVED}
        mine = _is(voice.id, owner_id=voice.owner_id)
        with _names_unique(voice):
            async with self._database.transaction(WRITE) as connection:
                result = await connection.execute(tables.voices.update().where(mine).values(values))
        if not result.rowcount:
            raise VoiceError(_NOT_YOURS)

    async def delete(self, voice_id: str, *, owner_id: int) -> bool:
        """Forget a voice with its samples, leaving no trace in the file; tell whether there was one."""
        async with self._database.transaction(WRITE) as connection:
            result = await connection.execute(tables.voices.delete().where(_is(voice_id, owner_id=owner_id)))
        if result.rowcount:
            await self._database.scrub()
        return bool(result.rowcount)

    async def get(self, voice_id: str, *, owner_id: int) -> Voice | None:
        """Read one voice."""
        return await self._first(select(tables.voices).where(_is(voice_id, owner_id=owner_id)))

    async def by_name(self, name: str, *, owner_id: int) -> Voice | None:
        """Read the voice of this name, compared with `name_key`."""
        return await self._first(find_owned(owner_id).where(tables.voices.c.name_key == name_key(name)))

    async def find(self, wanted: str, *, owner_id: int) -> Voice | None:
        """Read the voice of this id, else the one of this name, with one question."""
        either = or_(tables.voices.c.id == wanted, tables.voices.c.name_key == name_key(wanted))
        found = await self._all(find_owned(owner_id).where(either).limit(2))
        return next((voice for voice in found if voice.id == wanted), found[0] if found else None)

    async def count(self, owner_id: int) -> int:
        """Count the voices of a member."""
        return await self._database.read(lambda connection: _count(connection, owner_id))

    async def page(self, *, owner_id: int, offset: int, limit: int) -> VoicePage:
        """Read one page of a member's voices, by name, and which of all of them `default` gives."""

        def ask(connection: Connection) -> VoicePage:
            rows = connection.execute(find_owned(owner_id).offset(offset).limit(limit))
            default = _default(connection, owner_id)
            return VoicePage(
                voices=tuple(map(read_row, rows)),
                total=_count(connection, owner_id),
                default_id=None if default is None else default.id,
            )

        return await self._database.read(ask)

    async def search(self, text: str, *, owner_id: int, limit: int = 25) -> tuple[Voice, ...]:
        """Find a member's voices while they type: names that start so, then words that do, then any that hold it."""
        question = find_named(text, owner_id=owner_id)
        return () if question is None else await self._all(question.limit(limit))

    async def default(self, owner_id: int) -> Voice | None:
        """Read the voice that speaks when none is named: the one chosen, else the only one, else None."""
        return await self._database.read(lambda connection: _default(connection, owner_id))

    async def set_default(self, voice_id: str, *, owner_id: int) -> None:
        """Choose the voice that speaks when none is named. Raises `VoiceError` where it is not there."""
        member, choice = tables.members.c.id == owner_id, {"default_voice_id": voice_id}
        async with self._database.transaction(WRITE) as connection:
            # locking all of them makes two choices at once take turns on databases with several writers
            owned = await connection.execute(
                select(tables.voices.c.id).where(tables.voices.c.owner_id == owner_id).order_by("id").with_for_update()
            )
            if voice_id not in owned.scalars().all():
                raise VoiceError(_NOT_YOURS)
            result = await connection.execute(tables.members.update().where(member).values(choice))
            if not result.rowcount:
                await connection.execute(tables.members.insert().values(id=owner_id, **choice))

    async def count_use(self, voice_id: str, *, at: datetime) -> None:
        """Count one line spoken with a voice. A voice that is gone meanwhile is not an error."""
        spoken = {"use_count": tables.voices.c.use_count + 1, "last_used_at": at}
        async with self._database.transaction(WRITE) as connection:
            await connection.execute(tables.voices.update().where(tables.voices.c.id == voice_id).values(spoken))

    async def samples(self, voice_id: str, *, owner_id: int) -> tuple[KeptSample, ...]:
        """Decrypt the samples a voice was made from, in order. `StoreError` where the key is not the one they need."""
        question = (
            select(tables.samples.c.position, tables.samples.c.opus, tables.samples.c.transcript)
            .join(tables.voices, tables.voices.c.id == tables.samples.c.voice_id)
            .where(_is(voice_id, owner_id=owner_id))
            .order_by(tables.samples.c.position)
        )
        sealed = await self._database.read(
            lambda connection: [(row.position, row.opus, row.transcript) for row in connection.execute(question)]
        )
        if not sealed:
            return ()
        if self._key is None:
            raise StoreError("The kept samples need their key: whoever runs this bot must set SAMPLE_KEY to it again.")
        return await asyncio.to_thread(open_samples, self._key, voice_id, sealed)

    async def unfinished(self) -> tuple[Voice, ...]:
        """Read every member's voices whose making has not ended, the oldest first."""
        return await self._all(
            select(tables.voices).where(tables.voices.c.state.in_(UNFINISHED)).order_by("created_at", "id")
        )

    async def check(self) -> None:
        """Prove that the database takes a change, and take it back."""
        async with self._database.transaction(WRITE) as connection:
            await connection.execute(tables.members.insert().values(id=-1))
            await connection.rollback()

    async def _all(self, question: Select[Any]) -> tuple[Voice, ...]:
        return await self._database.read(lambda connection: tuple(map(read_row, connection.execute(question))))

    async def _first(self, question: Select[Any]) -> Voice | None:
        found = await self._all(question.limit(1))
        return found[0] if found else None


@contextmanager
def _names_unique(voice: Voice) -> Iterator[None]:
    """Say what a broken uniqueness of names means; anything else that breaks is a bug."""
    try:
        yield
    except IntegrityError as error:
        # SQLite names the column, other databases the constraint, whose name holds the column's
        if "name_key" not in str(error.orig):
            raise
        raise VoiceError(f"You already have a voice called {voice.name}: choose another name.") from error


def _is(voice_id: str, *, owner_id: int) -> ColumnElement[bool]:
    return and_(tables.voices.c.id == voice_id, tables.voices.c.owner_id == owner_id)


def _count(connection: Connection, owner_id: int) -> int:
    mine = tables.voices.c.owner_id == owner_id
    return connection.execute(select(func.count()).select_from(tables.voices).where(mine)).scalar_one()


def _default(connection: Connection, owner_id: int) -> Voice | None:
    chosen = connection.execute(find_chosen(owner_id)).one_or_none()
    if chosen is not None:
        return read_row(chosen)
    two = connection.execute(find_owned(owner_id).limit(2)).all()
    return read_row(two[0]) if len(two) == 1 else None
