"""Stock: bins and where pieces lie, what was ordered at which cost; and who is at a pick just now.

Revision ID: 0014_bins
"""

from alembic import op

revision = "0014_bins"
down_revision = "0013_scanning"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE bin (
        place text NOT NULL REFERENCES place,
        code text NOT NULL,
        note text,
        version bigint NOT NULL DEFAULT 1,
        PRIMARY KEY (place, code)
    )
    """,
    # Additive: the release before this one leaves the column empty, which means that nobody has said where they lie.
    "ALTER TABLE stock_layer ADD COLUMN bin text",
    """
    ALTER TABLE stock_layer ADD CONSTRAINT stock_layer_in_a_bin_of_its_place
        FOREIGN KEY (place, bin) REFERENCES bin (place, code) NOT VALID
    """,
    "ALTER TABLE stock_layer VALIDATE CONSTRAINT stock_layer_in_a_bin_of_its_place",
    "CREATE INDEX stock_layer_by_bin ON stock_layer (place, bin) WHERE bin IS NOT NULL AND quantity > 0",
    # What finance recorded as ordered: who receives it sees no cost, and none is made up.
    """
    CREATE TABLE purchase_line (
        place text NOT NULL REFERENCES place,
        reference text NOT NULL,
        part text NOT NULL REFERENCES part,
        quantity bigint NOT NULL,
        unit_cost text NOT NULL,
        currency text NOT NULL,
        rates jsonb NOT NULL DEFAULT '{}',
        version bigint NOT NULL DEFAULT 1,
        noted_at timestamptz NOT NULL,
        noted_by text NOT NULL,
        PRIMARY KEY (place, reference, part),
        CONSTRAINT purchase_line_quantity CHECK (quantity > 0),
        CONSTRAINT purchase_line_currency CHECK (currency ~ '^[A-Z]{3}$')
    )
    """,
    # A claim warns and never blocks: it says who is at a pick, for as long as that person keeps at it.
    """
    CREATE TABLE pick_claim (
        request text NOT NULL REFERENCES part_request,
        place text NOT NULL REFERENCES place,
        claimed_by text NOT NULL,
        name text NOT NULL,
        claimed_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (request, place, claimed_by),
        CONSTRAINT pick_claim_times CHECK (claimed_at < expires_at)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
