"""Lines that gave their pieces to a higher priority and wait for stock.

Revision ID: 0027_waiting
"""

from alembic import op

revision = "0027_waiting"
down_revision = "0026_openings"
branch_labels = None
depends_on = None

STATES = """'waiting', 'accepted', 'awaiting_consent', 'picked', 'packed', 'dispatched', 'delivered', 'fitted', 'confirmed',
    'canceled', 'lost'"""

# More states than before: what the previous release writes stays allowed. Checked for new rows only, since old ones were
# checked by the narrower rule; so the locks are short.
STATEMENTS = (
    *(
        statement
        for table in ("part_request", "request_line")
        for statement in (
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_state",
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_state CHECK (state IN ({STATES})) NOT VALID",
        )
    ),
    "CREATE INDEX request_line_waiting ON request_line (request) WHERE state = 'waiting'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
