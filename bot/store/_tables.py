"""The tables. Knows no query.

Text that is ordered or compared carries collation "C" on PostgreSQL, so that every database sorts by code point.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A point in time: written as UTC, read back time-zone aware whether or not the database keeps zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any aware time into UTC; a naive one is refused, because nobody knows when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be kept")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Mark what was kept as UTC."""
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


voices = Table(
    "voices",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("remote_id", Text),
    Column("state", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("train_mode", String(32), nullable=False),
    Column("languages", JSON, nullable=False),
    Column("cover_image", Text),
    Column("fault", Text, nullable=False, server_default=text("''")),
    Column("use_count", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    Column("consent", Text, nullable=False),
    Column("consented_at", Moment, nullable=False),
    # a SampleReport: its figures and words as JSON, its waveform as bytes; both or neither
    Column("report", JSON(none_as_null=True)),
    Column("waveform", LargeBinary),
    # one index for uniqueness, for pages by name and for the search as the member types
    UniqueConstraint("owner_id", "name_key"),
)
Index(None, voices.c.state)

members = Table(
    "members",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("default_voice_id", String(32), ForeignKey("voices.id", ondelete="SET NULL"), index=True),
)

samples = Table(
    "samples",
    metadata,
    Column("voice_id", String(32), ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    # sealed with AES-256-GCM: a fresh 12-byte nonce, the ciphertext, the tag
    Column("opus", LargeBinary, nullable=False),
    Column("transcript", LargeBinary, nullable=False),
)

lines = Table(
    "lines",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("asker_id", BigInteger, nullable=False),
    # no reference: ready-made voices are no rows, and that a voice is gone is told when the line's turn comes
    Column("voice_id", Text, nullable=False),
    Column("voice_name", Text, nullable=False),
    # sealed as samples are
    Column("text", LargeBinary, nullable=False),
    Column("style", LargeBinary, nullable=False),
    Column("speed", Float, nullable=False),
    Column("sentence", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("restored", Integer, nullable=False),
    Column("panel_channel_id", BigInteger),
    Column("panel_message_id", BigInteger),
)
