"""Steering: lines a dispatcher gave to one courier, regions whose routes stand still, shifts ordered for once.

Revision ID: 0011_steering
"""

from alembic import op

revision = "0011_steering"
down_revision = "0010_people"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE plan_pin (
        line text PRIMARY KEY REFERENCES request_line,
        courier text NOT NULL REFERENCES courier,
        reason text,
        pinned_by text NOT NULL,
        pinned_at timestamptz NOT NULL
    )
    """,
    "GRANT DELETE ON plan_pin TO sparelane_app",
    """
    CREATE TABLE region_freeze (
        region text PRIMARY KEY REFERENCES area,
        reason text,
        frozen_by text NOT NULL,
        frozen_at timestamptz NOT NULL
    )
    """,
    "GRANT DELETE ON region_freeze TO sparelane_app",
    # A shift for once, beside those the network keeps; ordered by a person, never changed.
    """
    CREATE TABLE extra_shift (
        id text PRIMARY KEY,
        courier text NOT NULL REFERENCES courier,
        begins_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        reason text,
        ordered_by text NOT NULL,
        ordered_at timestamptz NOT NULL,
        CONSTRAINT extra_shift_times CHECK (begins_at < ends_at AND ends_at - begins_at <= interval '16 hours')
    )
    """,
    "CREATE INDEX extra_shift_by_courier ON extra_shift (courier, ends_at)",
    "REVOKE UPDATE ON extra_shift FROM sparelane_app",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
