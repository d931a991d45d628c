"""Administration: versions of areas and lanes, when a session was proven, and the history of imports.

Revision ID: 0018_administration
"""

from alembic import op

revision = "0018_administration"
down_revision = "0017_report"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE area ADD COLUMN version bigint NOT NULL DEFAULT 1",
    "ALTER TABLE lane ADD COLUMN version bigint NOT NULL DEFAULT 1",
    # A position may leave a model; devices keep the positions that were frozen into them.
    "GRANT DELETE ON model_position TO sparelane_app",
    # When the password was typed last in this session; without a value it was when the session was opened.
    "ALTER TABLE web_session ADD COLUMN proven_at timestamptz",
    # The file is kept until it is loaded, or a week; its hash tells the same file for ever.
    """
    CREATE TABLE import_run (
        id text PRIMARY KEY,
        kind text NOT NULL,
        file_name text NOT NULL,
        file_hash text NOT NULL,
        size_bytes bigint NOT NULL,
        content bytea,
        state text NOT NULL,
        rows bigint NOT NULL DEFAULT 0,
        done bigint NOT NULL DEFAULT 0,
        failed bigint NOT NULL DEFAULT 0,
        bad jsonb NOT NULL DEFAULT '[]',
        refusal jsonb,
        would jsonb NOT NULL DEFAULT '{}',
        created_by text NOT NULL,
        created_at timestamptz NOT NULL,
        beat_at timestamptz NOT NULL,
        loaded_by text,
        loaded_at timestamptz,
        CONSTRAINT import_run_state CHECK (state IN ('checking', 'checked', 'loading', 'loaded', 'refused')),
        CONSTRAINT import_run_loaded CHECK ((state = 'loaded') = (loaded_at IS NOT NULL)),
        CONSTRAINT import_run_counts CHECK (rows >= 0 AND done >= 0 AND failed >= 0 AND failed <= rows)
    )
    """,
    "CREATE INDEX import_run_by_hash ON import_run (file_hash)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
