"""Billing: charges and borne costs, append-only, and the claims that recover them.

Revision ID: 0006_billing
"""

from alembic import op

revision = "0006_billing"
down_revision = "0005_stock"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A credit carries what it and the credits before it add up to: the CHECK and the number keep credits within the
    # charge, also when two are made at once.
    """
    CREATE TABLE charge (
        id text PRIMARY KEY,
        source text NOT NULL,
        request text NOT NULL,
        line text NOT NULL,
        reservations text[] NOT NULL,
        customer text NOT NULL REFERENCES customer,
        contract text REFERENCES contract,
        device_serial text,
        area text,
        part text NOT NULL REFERENCES part,
        quantity bigint NOT NULL,
        currency text NOT NULL,
        net_minor bigint NOT NULL,
        tax_minor bigint NOT NULL,
        gross_minor bigint NOT NULL,
        cost_minor bigint NOT NULL,
        terms jsonb NOT NULL,
        pieces jsonb NOT NULL,
        reasons jsonb NOT NULL,
        verdict text,
        reverses text REFERENCES charge,
        credit_number bigint,
        charged_minor bigint,
        credited_minor bigint,
        reason text,
        made_at timestamptz NOT NULL,
        made_by text NOT NULL,
        recorded_at timestamptz NOT NULL,
        period date NOT NULL,
        CONSTRAINT charge_gross CHECK (gross_minor = net_minor + tax_minor),
        CONSTRAINT charge_currency CHECK (currency ~ '^[A-Z]{3}$'),
        CONSTRAINT charge_or_credit CHECK (
            CASE WHEN reverses IS NULL
                 THEN num_nonnulls(credit_number, charged_minor, credited_minor, reason) = 0
                      AND net_minor >= 0 AND tax_minor >= 0 AND cost_minor >= 0 AND quantity > 0
                 ELSE num_nulls(credit_number, charged_minor, credited_minor, reason) = 0
                      AND net_minor <= 0 AND tax_minor <= 0 AND quantity >= 0
                      AND credited_minor BETWEEN 0 AND charged_minor END),
        CONSTRAINT charge_credits_in_order UNIQUE (reverses, credit_number)
    )
    """,
    "CREATE UNIQUE INDEX charge_once ON charge (source) WHERE reverses IS NULL",
    "CREATE INDEX charge_by_line ON charge (line)",
    "CREATE INDEX charge_by_request ON charge (request)",
    "CREATE INDEX charge_by_customer ON charge (customer, id)",
    "CREATE INDEX charge_by_period ON charge (period)",
    "REVOKE UPDATE ON charge FROM sparelane_app",
    """
    CREATE TRIGGER charge_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charge
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    """
    CREATE TABLE borne_cost (
        id text PRIMARY KEY,
        source text NOT NULL,
        kind text NOT NULL,
        request text NOT NULL,
        line text,
        reservations text[] NOT NULL,
        customer text NOT NULL REFERENCES customer,
        contract text REFERENCES contract,
        device_serial text,
        quantity bigint NOT NULL,
        payer text NOT NULL,
        amount_minor bigint NOT NULL,
        currency text NOT NULL,
        verdict text,
        reverses text REFERENCES borne_cost,
        note text,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        recorded_by text NOT NULL,
        period date NOT NULL,
        CONSTRAINT borne_cost_kind CHECK (
            kind IN ('part', 'transport', 'insurance', 'installation', 'testing', 'labor')),
        CONSTRAINT borne_cost_payer CHECK (payer IN ('oem', 'oem_service', 'vendor')),
        CONSTRAINT borne_cost_sign CHECK (CASE WHEN reverses IS NULL THEN amount_minor >= 0 ELSE amount_minor <= 0 END),
        CONSTRAINT borne_cost_currency CHECK (currency ~ '^[A-Z]{3}$')
    )
    """,
    "CREATE UNIQUE INDEX borne_cost_once ON borne_cost (source, kind, payer, currency) WHERE reverses IS NULL",
    "CREATE INDEX borne_cost_by_line ON borne_cost (line)",
    "CREATE INDEX borne_cost_by_period ON borne_cost (period)",
    "CREATE INDEX borne_cost_by_request ON borne_cost (request)",
    "CREATE INDEX borne_cost_by_reversed ON borne_cost (reverses) WHERE reverses IS NOT NULL",
    "REVOKE UPDATE ON borne_cost FROM sparelane_app",
    """
    CREATE TRIGGER borne_cost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON borne_cost
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    """
    CREATE TABLE recovery (
        id text PRIMARY KEY,
        borne text NOT NULL UNIQUE REFERENCES borne_cost,
        request text NOT NULL,
        line text,
        customer text NOT NULL REFERENCES customer,
        contract text REFERENCES contract,
        device_serial text,
        payer text NOT NULL,
        state text NOT NULL,
        amount_minor bigint NOT NULL,
        recovered_minor bigint NOT NULL DEFAULT 0,
        currency text NOT NULL,
        in_kind text,
        evidence jsonb NOT NULL,
        claim_number text,
        reason text,
        opened_at timestamptz NOT NULL,
        filed_at timestamptz,
        decided_at timestamptz,
        settled_at timestamptz,
        due_at timestamptz,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT recovery_payer CHECK (payer IN ('oem', 'oem_service')),
        CONSTRAINT recovery_state CHECK (
            state IN ('open', 'filed', 'accepted', 'rejected', 'expired', 'settled')),
        CONSTRAINT recovery_amounts CHECK (0 <= recovered_minor AND recovered_minor <= amount_minor)
    )
    """,
    # Months (their first day) that take no more entries; closing is final.
    """
    CREATE TABLE billing_period (
        period date PRIMARY KEY,
        closed_at timestamptz NOT NULL,
        closed_by text NOT NULL,
        CONSTRAINT billing_period_first_day CHECK (extract(day FROM period) = 1)
    )
    """,
    "REVOKE UPDATE ON billing_period FROM sparelane_app",
    """
    CREATE TRIGGER billing_period_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_period
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    "CREATE INDEX recovery_by_state ON recovery (state, id)",
    "CREATE INDEX recovery_by_line ON recovery (line)",
    "CREATE INDEX recovery_due ON recovery (due_at) WHERE state IN ('open', 'filed') AND due_at IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
