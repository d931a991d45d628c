"""Call-offs: a partner or supplier is asked to confirm reported stock, by a signed link and within a time.

Revision ID: 0021_call_offs
"""

from alembic import op

revision = "0021_call_offs"
down_revision = "0020_stock_levels"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Null: our own stock, nobody has to confirm it. Lines of an earlier release stay null, since nobody was asked.
    "ALTER TABLE request_line ADD COLUMN confirmed boolean",
    """
    CREATE TABLE call_off (
        id text PRIMARY KEY,
        request text NOT NULL REFERENCES part_request,
        line text NOT NULL REFERENCES request_line,
        place text NOT NULL REFERENCES place,
        part text NOT NULL REFERENCES part,
        quantity bigint NOT NULL,
        state text NOT NULL DEFAULT 'open',
        asked_at timestamptz NOT NULL,
        answer_due_at timestamptz NOT NULL,
        answered_at timestamptz,
        answered_by text,
        available_at timestamptz,
        note text,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT call_off_state CHECK (state IN ('open', 'confirmed', 'declined', 'expired', 'withdrawn')),
        CONSTRAINT call_off_answered CHECK ((state = 'open') = (answered_at IS NULL)),
        CONSTRAINT call_off_times CHECK (asked_at < answer_due_at),
        CONSTRAINT call_off_quantity CHECK (quantity > 0)
    )
    """,
    "CREATE UNIQUE INDEX call_off_one_open ON call_off (line) WHERE state = 'open'",
    "CREATE INDEX call_off_by_line ON call_off (line)",
    "CREATE INDEX call_off_due ON call_off (answer_due_at) WHERE state = 'open'",
    "CREATE INDEX request_line_unconfirmed ON request_line (id) WHERE confirmed = false",
    # Made here, so that every process signs links alike; nobody but the owner can change it.
    "CREATE TABLE call_off_secret (name text PRIMARY KEY, secret text NOT NULL)",
    "REVOKE INSERT, UPDATE ON call_off_secret FROM sparelane_app",
    """
    INSERT INTO call_off_secret (name, secret)
    VALUES ('links', replace(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, '-', ''))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
