"""Deliveries know which worker has them, so that a killed one's are free at once; what happens while an endpoint is
disabled is kept for it, so that it can be sent after all.

Revision ID: 0022_workers
"""

from alembic import op

revision = "0022_workers"
down_revision = "0021_call_offs"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE webhook_delivery ADD COLUMN worker bigint",
    "ALTER TABLE webhook_endpoint ADD COLUMN disabled_at timestamptz",
    """
    CREATE OR REPLACE FUNCTION event_to_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM webhook_endpoint
                   WHERE state = 'active' OR state = 'disabled' AND disabled_at > NEW.recorded_at - interval '7 days') THEN
            INSERT INTO event_outbox (event_seq) VALUES (NEW.seq);
        END IF;
        RETURN NULL;
    END $$
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
