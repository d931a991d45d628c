"""Web: sessions of people signed in to the pages, and the secret their cookies are signed with.

Revision ID: 0009_web
"""

from alembic import op

revision = "0009_web"
down_revision = "0008_fulfillment"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A session stands on a key: a key that is revoked or expires ends its sessions at once, since each request joins both.
    """
    CREATE TABLE web_session (
        id_hash text PRIMARY KEY,
        api_key text NOT NULL REFERENCES api_key,
        created_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        CONSTRAINT web_session_times CHECK (created_at <= last_seen_at AND created_at < expires_at)
    )
    """,
    "CREATE INDEX web_session_by_expiry ON web_session (expires_at)",
    "GRANT DELETE ON web_session TO sparelane_app",
    # Made here, so that every process and every start signs alike; nobody but the owner can change it.
    "CREATE TABLE web_secret (name text PRIMARY KEY, secret text NOT NULL)",
    "REVOKE INSERT, UPDATE ON web_secret FROM sparelane_app",
    """
    INSERT INTO web_secret (name, secret)
    VALUES ('cookies', replace(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, '-', ''))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
