"""Lines that wait or are being said."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0003"
down_revision = "0002"


def upgrade(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "lines",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("asker_id", sa.BigInteger, nullable=False),
        sa.Column("voice_id", sa.Text, nullable=False),
        sa.Column("voice_name", sa.Text, nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sa.Column("style", sa.LargeBinary, nullable=False),
        sa.Column("speed", sa.Float, nullable=False),
        sa.Column("sentence", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("restored", sa.Integer, nullable=False),
        sa.Column("panel_channel_id", sa.BigInteger),
        sa.Column("panel_message_id", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_lines"),
    )
