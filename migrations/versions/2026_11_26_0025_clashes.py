"""What clashes for each line that a plan in force will miss, and what would help, as told once for that plan; up to which
version a plan was told, and up to which the search has looked for a better one.

Revision ID: 0025_clashes
"""

from alembic import op

revision = "0025_clashes"
down_revision = "0024_settled"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE region_plan ADD COLUMN explained bigint NOT NULL DEFAULT 0",
    "ALTER TABLE region_plan ADD COLUMN improved bigint NOT NULL DEFAULT 0",
    # Written anew with each plan, read by its version: what belongs to an older plan is never shown.
    """
    CREATE TABLE plan_clash (
        region text NOT NULL,
        version bigint NOT NULL,
        line text NOT NULL,
        told jsonb NOT NULL,
        PRIMARY KEY (region, line)
    )
    """,
    "GRANT DELETE ON plan_clash TO sparelane_app",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
