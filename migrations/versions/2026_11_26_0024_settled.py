"""Events by the transaction that wrote them: what is settled since the last look is found without looking at all.

One more index, built while nothing is recorded for a second or two on a million events; the previous release ignores it.

Revision ID: 0024_settled
"""

from alembic import op

revision = "0024_settled"
down_revision = "0023_asker_holds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX event_by_transaction ON event (xid, seq)")


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
