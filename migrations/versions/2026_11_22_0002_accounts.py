"""Accounts: API keys, stored hashed, found by their prefix.

Revision ID: 0002_accounts
"""

from alembic import op

revision = "0002_accounts"
down_revision = "0001_ground"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE api_key (
        id text PRIMARY KEY,
        prefix text NOT NULL UNIQUE,
        secret_hash text NOT NULL,
        name text NOT NULL,
        role text NOT NULL,
        customers text[],
        areas text[],
        places text[],
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT api_key_role CHECK
            (role IN ('admin', 'dispatcher', 'warehouse', 'engineer', 'finance', 'integration'))
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
