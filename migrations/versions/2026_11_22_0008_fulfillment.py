"""fulfillment

Revision ID: 0008_fulfillment
"""

revision = "0008_fulfillment"
down_revision = "0007_routing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
