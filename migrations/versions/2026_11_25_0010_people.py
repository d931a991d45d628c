"""People: accounts with a password, sessions that stand on one of them or on a key, and counted tries to sign in.

Revision ID: 0010_people
"""

from alembic import op

revision = "0010_people"
down_revision = "0009_web"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE user_account (
        id text PRIMARY KEY,
        login text NOT NULL UNIQUE,
        name text NOT NULL,
        role text NOT NULL,
        customers text[],
        areas text[],
        places text[],
        password_hash text,
        must_change boolean NOT NULL DEFAULT false,
        language text,
        epoch bigint NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        disabled_at timestamptz,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT user_account_role CHECK (role IN ('admin', 'dispatcher', 'warehouse', 'engineer', 'finance')),
        CONSTRAINT user_account_language CHECK (language IN ('en', 'zh-CN')),
        CONSTRAINT user_account_password CHECK (password_hash LIKE '$argon2id$%')
    )
    """,
    # A try under way or failed. Counted by address, and by address and login.
    """
    CREATE TABLE sign_in_try (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        address text NOT NULL,
        login_hash text,
        tried_at timestamptz NOT NULL,
        failed boolean NOT NULL DEFAULT false
    )
    """,
    "CREATE INDEX sign_in_try_by_address ON sign_in_try (address, tried_at)",
    "CREATE INDEX sign_in_try_by_age ON sign_in_try (tried_at)",
    "GRANT DELETE ON sign_in_try TO sparelane_app",
    # The release before this one goes on inserting sessions of keys: the new columns may stay empty there.
    "ALTER TABLE web_session ALTER COLUMN api_key DROP NOT NULL",
    """
    ALTER TABLE web_session
        ADD COLUMN user_account text REFERENCES user_account,
        ADD COLUMN epoch bigint,
        ADD COLUMN browser text NOT NULL DEFAULT '',
        ADD CONSTRAINT web_session_stands_on_one CHECK (num_nonnulls(user_account, api_key) = 1),
        ADD CONSTRAINT web_session_epoch CHECK ((user_account IS NULL) = (epoch IS NULL))
    """,
    "CREATE INDEX web_session_by_user ON web_session (user_account) WHERE user_account IS NOT NULL",
    "CREATE INDEX web_session_by_key ON web_session (api_key) WHERE api_key IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
