"""What one asker's requests hold is counted from the requests that still hold anything, not from all of them.

Revision ID: 0023_asker_holds
"""

from alembic import op

revision = "0023_asker_holds"
down_revision = "0022_workers"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE INDEX part_request_holding ON part_request (created_by) WHERE state IN ('accepted', 'awaiting_consent')
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
