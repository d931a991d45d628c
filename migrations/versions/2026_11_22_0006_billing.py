"""billing

Revision ID: 0006_billing
"""

revision = "0006_billing"
down_revision = "0005_stock"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
