"""Reports ask for the requests of a month: an index by acceptance.

Revision ID: 0017_report
"""

from alembic import op

revision = "0017_report"
down_revision = "0016_saved_views"
branch_labels = None
depends_on = None

STATEMENTS = ("CREATE INDEX part_request_by_acceptance ON part_request (accepted_at)",)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
