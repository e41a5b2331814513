"""Voices, the members' default voices, and kept samples."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0001"
down_revision = None


def upgrade(op: Operations) -> None:
    """Make the three tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "voices",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("remote_id", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("visibility", sa.String(16), nullable=False),
        sa.Column("train_mode", sa.String(32), nullable=False),
        sa.Column("languages", sa.JSON, nullable=False),
        sa.Column("cover_image", sa.Text),
        sa.Column("use_count", sa.Integer, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("last_used_at", moment),
        sa.Column("consent", sa.Text, nullable=False),
        sa.Column("consented_at", moment, nullable=False),
        sa.Column("report", sa.JSON),
        sa.Column("waveform", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_voices"),
        sa.UniqueConstraint("owner_id", "name_key", name="uq_voices_owner_id_name_key"),
    )
    op.create_index("ix_voices_state", "voices", ["state"])
    op.create_table(
        "members",
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("default_voice_id", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        sa.ForeignKeyConstraint(
            ["default_voice_id"], ["voices.id"], name="fk_members_default_voice_id_voices", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_members_default_voice_id", "members", ["default_voice_id"])
    op.create_table(
        "samples",
        sa.Column("voice_id", sa.String(32), nullable=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("opus", sa.LargeBinary, nullable=False),
        sa.Column("transcript", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("voice_id", "position", name="pk_samples"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_samples_voice_id_voices", ondelete="CASCADE"),
    )
