"""The ground: extensions, the app role, events and their seals, idempotency keys.

Revision ID: 0001_ground
"""

from alembic import op

revision = "0001_ground"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    # Roles belong to the whole server: another database of ours may have made it already, or be making it now.
    """
    DO $$ BEGIN
        CREATE ROLE sparelane_app NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
    """,
    "DO $$ BEGIN EXECUTE format('GRANT sparelane_app TO %I', current_user); END $$",
    "GRANT USAGE ON SCHEMA public TO sparelane_app",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO sparelane_app",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO sparelane_app",
    "GRANT SELECT ON alembic_version TO sparelane_app",
    """
    CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TABLE event (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id text NOT NULL UNIQUE,
        type text NOT NULL,
        schema_version bigint NOT NULL DEFAULT 1,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        actor text NOT NULL,
        request_id text NOT NULL,
        subject text NOT NULL,
        subject_version bigint NOT NULL,
        customer text,
        area text,
        place text,
        data jsonb NOT NULL,
        before_hash text,
        after_hash text NOT NULL,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id()
    )
    """,
    "CREATE INDEX event_by_subject ON event (subject, seq)",
    "REVOKE UPDATE ON event FROM sparelane_app",
    """
    CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    """
    CREATE TABLE event_seal (
        n bigint PRIMARY KEY,
        event_seq bigint NOT NULL UNIQUE,
        hash text NOT NULL
    )
    """,
    "REVOKE UPDATE ON event_seal FROM sparelane_app",
    """
    CREATE TRIGGER event_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_seal
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    """
    CREATE TABLE idempotency (
        key text PRIMARY KEY,
        body_hash text NOT NULL,
        status bigint NOT NULL,
        answer bytea NOT NULL,
        kept_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX idempotency_by_age ON idempotency (kept_at)",
    "GRANT DELETE ON idempotency TO sparelane_app",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
