"""Views of a list that its reader saved: a name for what an address says.

Revision ID: 0016_saved_views
"""

from alembic import op

revision = "0016_saved_views"
down_revision = "0015_photos"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The owner is whoever signed in, by the id that events name; a view outlives nothing and proves nothing, so it may go.
    """
    CREATE TABLE saved_view (
        id text PRIMARY KEY,
        owner text NOT NULL,
        page text NOT NULL,
        name text NOT NULL,
        query text NOT NULL,
        is_default boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL,
        CONSTRAINT saved_view_named UNIQUE (owner, page, name),
        CONSTRAINT saved_view_lengths CHECK (length(name) BETWEEN 1 AND 60 AND length(query) <= 4000)
    )
    """,
    "CREATE UNIQUE INDEX saved_view_one_default ON saved_view (owner, page) WHERE is_default",
    "GRANT DELETE ON saved_view TO sparelane_app",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
