"""stock

Revision ID: 0005_stock
"""

revision = "0005_stock"
down_revision = "0004_warranty"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
