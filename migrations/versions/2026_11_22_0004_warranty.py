"""warranty

Revision ID: 0004_warranty
"""

revision = "0004_warranty"
down_revision = "0003_network"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
