"""What a place is kept at of a part, how long it takes to refill, and how fast it is asked for: the price of a piece.

Revision ID: 0020_stock_levels
"""

from alembic import op

revision = "0020_stock_levels"
down_revision = "0019_integrations"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Rates are pieces a day by priority: set by people, or seen in the last 90 days where nobody set them.
    """
    CREATE TABLE stock_level (
        place text NOT NULL REFERENCES place,
        part text NOT NULL REFERENCES part,
        base_stock bigint NOT NULL,
        lead_time_hours bigint NOT NULL,
        emergency_per_day numeric,
        severe_per_day numeric,
        general_per_day numeric,
        seen_emergency numeric NOT NULL DEFAULT 0,
        seen_severe numeric NOT NULL DEFAULT 0,
        seen_general numeric NOT NULL DEFAULT 0,
        set_at timestamptz NOT NULL,
        set_by text NOT NULL,
        version bigint NOT NULL DEFAULT 1,
        PRIMARY KEY (place, part),
        CONSTRAINT stock_level_base_stock CHECK (base_stock BETWEEN 0 AND 1000),
        CONSTRAINT stock_level_lead_time CHECK (lead_time_hours BETWEEN 1 AND 8760),
        CONSTRAINT stock_level_rates CHECK (emergency_per_day >= 0 AND severe_per_day >= 0 AND general_per_day >= 0),
        CONSTRAINT stock_level_rates_together CHECK ((emergency_per_day IS NULL) = (severe_per_day IS NULL)
            AND (severe_per_day IS NULL) = (general_per_day IS NULL)),
        CONSTRAINT stock_level_seen CHECK (seen_emergency >= 0 AND seen_severe >= 0 AND seen_general >= 0)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
