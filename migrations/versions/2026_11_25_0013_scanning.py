"""Finding by scan: a request by the end of its id and by the serials it fitted and removed, stock by lot.

Revision ID: 0013_scanning
"""

from alembic import op

revision = "0013_scanning"
down_revision = "0012_travel"
branch_labels = None
depends_on = None

STATEMENTS = (
    'CREATE INDEX part_request_by_end ON part_request ("right"(id, 5))',
    "CREATE INDEX request_line_by_fitted ON request_line (fitted_serial) WHERE fitted_serial IS NOT NULL",
    "CREATE INDEX request_line_by_removed ON request_line (removed_serial) WHERE removed_serial IS NOT NULL",
    "CREATE INDEX stock_layer_by_lot ON stock_layer (lot) WHERE lot IS NOT NULL AND quantity > 0",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
