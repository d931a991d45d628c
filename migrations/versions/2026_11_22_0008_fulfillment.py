"""Fulfillment: part requests, their lines, the steps of their journey, their clocks, and demand that was refused.

Revision ID: 0008_fulfillment
"""

from alembic import op

revision = "0008_fulfillment"
down_revision = "0007_routing"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE part_request (
        id text PRIMARY KEY,
        device_serial text,
        installation text,
        model text NOT NULL,
        customer text NOT NULL REFERENCES customer,
        contract text NOT NULL REFERENCES contract,
        site text NOT NULL REFERENCES site,
        area text REFERENCES area,
        currency text NOT NULL,
        state text NOT NULL,
        priority text NOT NULL,
        asked_priority text NOT NULL,
        cause text NOT NULL,
        system_stopped boolean NOT NULL,
        found_on text NOT NULL,
        description text,
        failed_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        accepted_at timestamptz NOT NULL,
        appointment_at timestamptz,
        accept_substitutes boolean NOT NULL,
        allow_split boolean NOT NULL,
        ticket_system text,
        ticket_number text,
        ticket_url text,
        timing jsonb NOT NULL,
        reasons jsonb NOT NULL,
        created_by text NOT NULL,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT part_request_priority CHECK (priority IN ('general', 'severe', 'emergency')),
        CONSTRAINT part_request_state CHECK (state IN ('accepted', 'awaiting_consent', 'picked', 'packed', 'dispatched',
            'delivered', 'fitted', 'confirmed', 'canceled', 'lost')),
        CONSTRAINT part_request_found_on CHECK (found_on IN ('use', 'opening')),
        CONSTRAINT part_request_times CHECK (failed_at <= received_at AND received_at <= accepted_at)
    )
    """,
    "CREATE INDEX part_request_by_ticket ON part_request (ticket_system, ticket_number) WHERE ticket_number IS NOT NULL",
    "CREATE INDEX part_request_open ON part_request (area, id) WHERE state NOT IN ('confirmed', 'canceled', 'lost')",
    "CREATE INDEX part_request_by_customer ON part_request (customer, id)",
    "CREATE INDEX part_request_by_installation ON part_request (installation) WHERE installation IS NOT NULL",
    """
    CREATE TABLE request_line (
        id text PRIMARY KEY,
        request text NOT NULL REFERENCES part_request,
        n bigint NOT NULL,
        state text NOT NULL,
        part_number text NOT NULL REFERENCES part,
        supplied_part_number text NOT NULL REFERENCES part,
        quantity bigint NOT NULL,
        position text,
        source text NOT NULL REFERENCES place,
        mode text,
        eta timestamptz,
        verdict text NOT NULL REFERENCES verdict,
        covered boolean NOT NULL,
        payer text,
        net_minor bigint NOT NULL,
        tax_minor bigint NOT NULL,
        gross_minor bigint NOT NULL,
        price_terms jsonb NOT NULL,
        provisional boolean NOT NULL,
        kind text NOT NULL,
        committed_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        commitment_reasons jsonb NOT NULL,
        sourcing jsonb NOT NULL,
        courier text,
        carrier text,
        waybill text,
        handover_at timestamptz,
        fitted_serial text,
        removed_serial text,
        old_part text,
        replaces text REFERENCES request_line,
        ticket_key text,
        CONSTRAINT request_line_n UNIQUE (request, n),
        CONSTRAINT request_line_state CHECK (state IN ('accepted', 'awaiting_consent', 'picked', 'packed', 'dispatched',
            'delivered', 'fitted', 'confirmed', 'canceled', 'lost')),
        CONSTRAINT request_line_kind CHECK (kind IN ('local', 'national')),
        CONSTRAINT request_line_mode CHECK (mode IN ('courier', 'pickup', 'lane')),
        CONSTRAINT request_line_quantity CHECK (quantity > 0 AND (position IS NULL OR quantity = 1)),
        CONSTRAINT request_line_money CHECK (net_minor >= 0 AND tax_minor >= 0 AND gross_minor = net_minor + tax_minor
            AND (NOT covered OR gross_minor = 0))
    )
    """,
    "CREATE INDEX request_line_open ON request_line (source, state) WHERE state NOT IN ('confirmed', 'canceled', 'lost')",
    # One open request per ticket, device and part; `additional` and requests without a ticket leave the key empty.
    """
    CREATE UNIQUE INDEX request_line_one_per_ticket ON request_line (ticket_key, part_number)
    WHERE ticket_key IS NOT NULL AND state NOT IN ('confirmed', 'canceled', 'lost')
    """,
    """
    CREATE TABLE request_step (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        request text NOT NULL REFERENCES part_request,
        line text REFERENCES request_line,
        verb text NOT NULL,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        actor text NOT NULL,
        details jsonb NOT NULL,
        CONSTRAINT request_step_times CHECK (occurred_at <= recorded_at)
    )
    """,
    "CREATE INDEX request_step_by_request ON request_step (request, seq)",
    # An escalation's step exists once, whatever restarts (C5).
    """
    CREATE UNIQUE INDEX request_step_escalated_once
    ON request_step (request, (details ->> 'clock'), (details ->> 'clock_line'), (details ->> 'level'))
    NULLS NOT DISTINCT WHERE verb = 'escalated'
    """,
    "REVOKE UPDATE ON request_step FROM sparelane_app",
    """
    CREATE TRIGGER request_step_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON request_step
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    # When to look at a request's clocks next, and what the plan must know of them. Derived from the steps; `check`
    # derives it again.
    """
    CREATE TABLE request_watch (
        request text PRIMARY KEY REFERENCES part_request,
        next_look_at timestamptz,
        done_due_at timestamptz,
        paused jsonb NOT NULL DEFAULT '{}',
        on_hold text
    )
    """,
    "CREATE INDEX request_watch_due ON request_watch (next_look_at) WHERE next_look_at IS NOT NULL",
    """
    CREATE TABLE lost_demand (
        id text PRIMARY KEY,
        refused_at timestamptz NOT NULL,
        part text NOT NULL,
        quantity bigint NOT NULL,
        available bigint NOT NULL,
        customer text,
        area text
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
