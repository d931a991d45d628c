"""Travel: times and lines along roads as they were asked, by their source and part of the day.

Revision ID: 0012_travel
"""

from alembic import op

revision = "0012_travel"
down_revision = "0011_steering"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE travel_source (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        version text NOT NULL UNIQUE,
        by_hour boolean NOT NULL,
        in_force boolean NOT NULL,
        since timestamptz NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX travel_source_one_in_force ON travel_source (in_force) WHERE in_force",
    # Points are numbers: degrees to five decimals, latitude before longitude. Null seconds: asked, and there is no road.
    """
    CREATE TABLE travel_time (
        source bigint NOT NULL REFERENCES travel_source ON DELETE CASCADE,
        bucket bigint NOT NULL,
        origin bigint NOT NULL,
        target bigint NOT NULL,
        seconds bigint,
        asked_at timestamptz NOT NULL,
        PRIMARY KEY (source, bucket, origin, target),
        CONSTRAINT travel_time_not_negative CHECK (seconds >= 0)
    )
    """,
    "CREATE INDEX travel_time_by_age ON travel_time (asked_at)",
    """
    CREATE TABLE travel_line (
        source bigint NOT NULL REFERENCES travel_source ON DELETE CASCADE,
        origin bigint NOT NULL,
        target bigint NOT NULL,
        line text,
        asked_at timestamptz NOT NULL,
        PRIMARY KEY (source, origin, target),
        CONSTRAINT travel_line_short CHECK (length(line) <= 2000)
    )
    """,
    "CREATE INDEX travel_line_by_age ON travel_line (asked_at)",
    "GRANT DELETE ON travel_source, travel_time, travel_line TO sparelane_app",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
