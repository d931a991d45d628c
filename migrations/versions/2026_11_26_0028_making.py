"""How each plan came about, so that it can be made again.

Revision ID: 0028_making
"""

from alembic import op

revision = "0028_making"
down_revision = "0027_waiting"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE plan_history ADD COLUMN making jsonb")


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
