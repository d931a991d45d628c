"""routing

Revision ID: 0007_routing
"""

revision = "0007_routing"
down_revision = "0006_billing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
