"""Integrations: an outbox beside the events, webhook endpoints and deliveries, connections, tickets and drafts.

Revision ID: 0019_integrations
"""

from alembic import op

revision = "0019_integrations"
down_revision = "0018_administration"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE connection (
        code text PRIMARY KEY,
        name text NOT NULL,
        provider text NOT NULL,
        overrides jsonb NOT NULL,
        base_url text,
        state text NOT NULL DEFAULT 'active',
        language text NOT NULL DEFAULT 'en',
        customers text[],
        areas text[],
        created_by text NOT NULL,
        created_at timestamptz NOT NULL,
        poll_cursor text,
        poll_at timestamptz,
        poll_lease_until timestamptz,
        poll_fence bigint NOT NULL DEFAULT 0,
        poll_failures bigint NOT NULL DEFAULT 0,
        poll_failure text,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT connection_state CHECK (state IN ('active', 'disabled')),
        CONSTRAINT connection_language CHECK (language IN ('en', 'zh-CN'))
    )
    """,
    # Secrets are written, used and ended; no answer, event or log ever holds one.
    """
    CREATE TABLE connection_secret (
        id text PRIMARY KEY,
        connection text NOT NULL REFERENCES connection,
        purpose text NOT NULL,
        secret text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        CONSTRAINT connection_secret_purpose CHECK (purpose IN ('verify', 'write'))
    )
    """,
    "CREATE INDEX connection_secret_by_connection ON connection_secret (connection, purpose)",
    "GRANT DELETE ON connection_secret TO sparelane_app",
    """
    CREATE TABLE webhook_endpoint (
        id text PRIMARY KEY,
        kind text NOT NULL,
        connection text UNIQUE REFERENCES connection,
        url text,
        description text,
        event_types text[],
        language text NOT NULL,
        role text NOT NULL,
        customers text[],
        areas text[],
        places text[],
        owner text NOT NULL,
        state text NOT NULL,
        disabled_reason text,
        failures bigint NOT NULL DEFAULT 0,
        failing_since timestamptz,
        rests_until timestamptz,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT webhook_endpoint_kind CHECK (kind IN ('webhook', 'ticket')),
        CONSTRAINT webhook_endpoint_where CHECK ((kind = 'webhook') = (url IS NOT NULL)
            AND (kind = 'ticket') = (connection IS NOT NULL)),
        CONSTRAINT webhook_endpoint_state CHECK (state IN ('active', 'disabled', 'deleted')),
        CONSTRAINT webhook_endpoint_reason CHECK ((state = 'disabled') = (disabled_reason IS NOT NULL))
    )
    """,
    """
    CREATE TABLE webhook_secret (
        id text PRIMARY KEY,
        endpoint text NOT NULL REFERENCES webhook_endpoint,
        secret text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz
    )
    """,
    "CREATE INDEX webhook_secret_by_endpoint ON webhook_secret (endpoint)",
    "GRANT DELETE ON webhook_secret TO sparelane_app",
    # What is still to be fanned out. Written by the trigger in the event's own transaction, taken out by the duty in the
    # transaction that makes the deliveries: no cursor over numbers, so a late commit with a low one is not passed over.
    "CREATE TABLE event_outbox (event_seq bigint PRIMARY KEY REFERENCES event)",
    "GRANT DELETE ON event_outbox TO sparelane_app",
    """
    CREATE FUNCTION event_to_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM webhook_endpoint WHERE state = 'active') THEN
            INSERT INTO event_outbox (event_seq) VALUES (NEW.seq);
        END IF;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER event_to_outbox AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION event_to_outbox()",
    "CREATE SEQUENCE webhook_fence",
    "GRANT USAGE ON SEQUENCE webhook_fence TO sparelane_app",
    """
    CREATE TABLE webhook_delivery (
        id text PRIMARY KEY,
        endpoint text NOT NULL REFERENCES webhook_endpoint,
        event text NOT NULL,
        call text NOT NULL DEFAULT '',
        event_seq bigint REFERENCES event,
        type text NOT NULL,
        subject text NOT NULL,
        sequence bigint NOT NULL,
        method text NOT NULL DEFAULT 'POST',
        path text,
        body bytea,
        body_hash text,
        state text NOT NULL,
        reason text,
        attempts bigint NOT NULL DEFAULT 0,
        tries bigint NOT NULL DEFAULT 0,
        next_at timestamptz,
        lease_until timestamptz,
        fence bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        last_status bigint,
        CONSTRAINT webhook_delivery_once UNIQUE (endpoint, event, call),
        CONSTRAINT webhook_delivery_sequence UNIQUE (endpoint, subject, sequence),
        CONSTRAINT webhook_delivery_state CHECK (state IN ('pending', 'delivered', 'dead', 'canceled')),
        CONSTRAINT webhook_delivery_next CHECK ((state = 'pending') = (next_at IS NOT NULL)),
        CONSTRAINT webhook_delivery_ended CHECK ((state = 'pending') = (ended_at IS NULL)),
        CONSTRAINT webhook_delivery_body CHECK ((body IS NULL) = (body_hash IS NULL)
            AND (body IS NOT NULL OR state IN ('dead', 'canceled')))
    )
    """,
    "CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint, next_at) WHERE state = 'pending'",
    "CREATE INDEX webhook_delivery_waiting ON webhook_delivery (endpoint, subject, sequence) WHERE state = 'pending'",
    "CREATE INDEX webhook_delivery_log ON webhook_delivery (endpoint, id)",
    """
    CREATE TABLE webhook_attempt (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        delivery text NOT NULL REFERENCES webhook_delivery,
        n bigint NOT NULL,
        fence bigint NOT NULL,
        started_at timestamptz NOT NULL,
        took_ms bigint NOT NULL,
        status bigint,
        failure text,
        body_hash text NOT NULL
    )
    """,
    "CREATE INDEX webhook_attempt_by_delivery ON webhook_attempt (delivery, seq)",
    "REVOKE UPDATE ON webhook_attempt FROM sparelane_app",
    """
    CREATE TRIGGER webhook_attempt_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON webhook_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    # What came in, verified and not yet acted on; kept 30 days, so that the same delivery is known again.
    """
    CREATE TABLE hook_receipt (
        id text PRIMARY KEY,
        connection text NOT NULL REFERENCES connection,
        delivery text NOT NULL,
        event text,
        body bytea NOT NULL,
        content_type text NOT NULL,
        received_at timestamptz NOT NULL,
        state text NOT NULL,
        outcome text,
        facts jsonb NOT NULL DEFAULT '{}',
        ticket text,
        repeats bigint NOT NULL DEFAULT 0,
        tries bigint NOT NULL DEFAULT 0,
        next_at timestamptz,
        lease_until timestamptz,
        fence bigint NOT NULL DEFAULT 0,
        ended_at timestamptz,
        CONSTRAINT hook_receipt_once UNIQUE (connection, delivery),
        CONSTRAINT hook_receipt_state CHECK (state IN ('new', 'done', 'ignored', 'failed')),
        CONSTRAINT hook_receipt_next CHECK ((state = 'new') = (next_at IS NOT NULL))
    )
    """,
    "CREATE INDEX hook_receipt_due ON hook_receipt (next_at, id) WHERE state = 'new'",
    "CREATE INDEX hook_receipt_by_age ON hook_receipt (received_at)",
    "CREATE INDEX hook_receipt_log ON hook_receipt (connection, id)",
    "GRANT DELETE ON hook_receipt TO sparelane_app",
    """
    CREATE TABLE ticket (
        connection text NOT NULL REFERENCES connection,
        number text NOT NULL,
        known jsonb NOT NULL,
        edition numeric,
        status text NOT NULL,
        priority text,
        request text REFERENCES part_request,
        draft text,
        outcome text,
        facts jsonb NOT NULL DEFAULT '{}',
        seen_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 1,
        PRIMARY KEY (connection, number),
        CONSTRAINT ticket_status CHECK (status IN ('open', 'closed', 'canceled')),
        CONSTRAINT ticket_priority CHECK (priority IN ('general', 'severe', 'emergency'))
    )
    """,
    "CREATE INDEX ticket_by_request ON ticket (request) WHERE request IS NOT NULL",
    """
    CREATE TABLE ticket_draft (
        id text PRIMARY KEY,
        connection text NOT NULL,
        number text NOT NULL,
        title text,
        url text,
        known jsonb NOT NULL,
        missing text[] NOT NULL,
        problem jsonb,
        customer text,
        area text,
        state text NOT NULL,
        request text REFERENCES part_request,
        reason text,
        received_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        ended_at timestamptz,
        ended_by text,
        version bigint NOT NULL DEFAULT 1,
        FOREIGN KEY (connection, number) REFERENCES ticket (connection, number),
        CONSTRAINT ticket_draft_state CHECK (state IN ('open', 'completed', 'discarded')),
        CONSTRAINT ticket_draft_ended CHECK ((state = 'open') = (ended_at IS NULL)
            AND (state = 'completed') = (request IS NOT NULL))
    )
    """,
    "CREATE UNIQUE INDEX ticket_draft_one_open ON ticket_draft (connection, number) WHERE state = 'open'",
    "CREATE INDEX ticket_draft_list ON ticket_draft (state, id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
