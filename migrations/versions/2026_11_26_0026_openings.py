"""Places opened for once: when, by whose word.

Revision ID: 0026_openings
"""

from alembic import op

revision = "0026_openings"
down_revision = "0025_clashes"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Beside the hours the network keeps; ordered by a person, never changed.
    """
    CREATE TABLE extra_opening (
        id text PRIMARY KEY,
        place text NOT NULL REFERENCES place,
        begins_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        reason text,
        ordered_by text NOT NULL,
        ordered_at timestamptz NOT NULL,
        CONSTRAINT extra_opening_times CHECK (begins_at < ends_at AND ends_at - begins_at <= interval '16 hours')
    )
    """,
    "CREATE INDEX extra_opening_by_place ON extra_opening (place, ends_at)",
    "REVOKE UPDATE ON extra_opening FROM sparelane_app",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
