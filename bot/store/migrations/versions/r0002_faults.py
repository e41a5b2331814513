"""Why a voice failed."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0002"
down_revision = "0001"


def upgrade(op: Operations) -> None:
    """Add the column, empty for the voices there are."""
    op.add_column("voices", sa.Column("fault", sa.Text, nullable=False, server_default=sa.text("''")))
