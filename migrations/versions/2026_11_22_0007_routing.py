"""Routing: each region's standing plan, what made it dirty, and every plan that was in force.

Revision ID: 0007_routing
"""

from alembic import op

revision = "0007_routing"
down_revision = "0006_billing"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX courier_by_area ON courier (area)",
    "CREATE INDEX courier_by_place ON courier (place)",
    # The planning region of each area: its own if it has couriers, else that of the couriers who start from one of its
    # sources, so that areas which share couriers are planned together.
    """
    CREATE VIEW area_region AS
    SELECT a.code AS area, CASE
        WHEN EXISTS (SELECT FROM courier c WHERE c.area = a.code) THEN a.code
        ELSE coalesce((SELECT min(c.area) FROM area_source s JOIN courier c ON c.place = s.place WHERE s.area = a.code), a.code)
    END AS region
    FROM area a
    """,
    """
    CREATE TABLE region_plan (
        region text PRIMARY KEY,
        version bigint NOT NULL DEFAULT 0,
        planned_at timestamptz,
        problem jsonb,
        plan jsonb,
        fence bigint NOT NULL DEFAULT 0,
        lease_until timestamptz
    )
    """,
    # Marks are only ever inserted, so that requests of one region never wait for each other's plan row.
    """
    CREATE TABLE region_dirty (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        region text NOT NULL,
        why text NOT NULL,
        marked_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX region_dirty_by_region ON region_dirty (region, seq)",
    "GRANT DELETE ON region_dirty TO sparelane_app",
    """
    CREATE TABLE plan_history (
        id text PRIMARY KEY,
        region text NOT NULL,
        version bigint NOT NULL,
        planned_at timestamptz NOT NULL,
        problem jsonb NOT NULL,
        plan jsonb NOT NULL,
        CONSTRAINT plan_history_version UNIQUE (region, version)
    )
    """,
    "REVOKE UPDATE ON plan_history FROM sparelane_app",
    """
    CREATE TRIGGER plan_history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_history
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
