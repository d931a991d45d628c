"""Warranty: installations and the serials that stand in them, their append-only events, materialized cover, verdicts.

Revision ID: 0004_warranty
"""

from alembic import op

revision = "0004_warranty"
down_revision = "0003_network"
branch_labels = None
depends_on = None

STATEMENTS = (
    # What a device and its successors share (a swapped device takes site, contract, terms and remaining cover).
    """
    CREATE TABLE installation (
        id text PRIMARY KEY,
        contract text NOT NULL REFERENCES contract,
        customer text NOT NULL REFERENCES customer,
        model text NOT NULL REFERENCES model,
        site text NOT NULL REFERENCES site,
        sites text[] NOT NULL,
        serial text NOT NULL,
        first_serial text NOT NULL,
        delivered_on date,
        accepted_on date,
        oem_last_day date,
        terms jsonb NOT NULL,
        terms_frozen_at timestamptz,
        positions jsonb NOT NULL,
        calendar_version text,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 0,
        CONSTRAINT installation_sites CHECK (cardinality(sites) > 0 AND site = ANY (sites)),
        CONSTRAINT installation_days CHECK (
            delivered_on BETWEEN '1970-01-01' AND '2100-12-31'
            AND accepted_on BETWEEN '1970-01-01' AND '2100-12-31'
            AND oem_last_day BETWEEN '1970-01-01' AND '2100-12-31'
        ),
        CONSTRAINT installation_frozen CHECK (accepted_on IS NULL OR terms_frozen_at IS NOT NULL)
    )
    """,
    "CREATE INDEX installation_by_contract ON installation (contract)",
    "CREATE INDEX installation_by_site ON installation (site, model)",
    "CREATE INDEX installation_by_customer ON installation (customer)",
    """
    CREATE TABLE device (
        serial text PRIMARY KEY,
        installation text NOT NULL REFERENCES installation,
        ordinal bigint NOT NULL,
        installed_on date,
        replaced_on date,
        created_at timestamptz NOT NULL,
        CONSTRAINT device_once UNIQUE (installation, ordinal),
        CONSTRAINT device_succession CHECK (ordinal = 1 OR (ordinal > 1 AND installed_on IS NOT NULL)),
        CONSTRAINT device_days CHECK (replaced_on IS NULL OR installed_on IS NULL OR installed_on <= replaced_on)
    )
    """,
    # One serial at most stands in an installation at any time.
    "CREATE UNIQUE INDEX device_present ON device (installation) WHERE replaced_on IS NULL",
    """
    ALTER TABLE installation
        ADD CONSTRAINT installation_serial_fkey FOREIGN KEY (serial) REFERENCES device DEFERRABLE INITIALLY DEFERRED,
        ADD CONSTRAINT installation_first_serial_fkey
            FOREIGN KEY (first_serial) REFERENCES device DEFERRABLE INITIALLY DEFERRED
    """,
    """
    CREATE TABLE warranty_event (
        installation text NOT NULL REFERENCES installation,
        seq bigint NOT NULL,
        id text NOT NULL,
        serial text NOT NULL REFERENCES device,
        type text NOT NULL,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        payload jsonb NOT NULL,
        actor text NOT NULL,
        corrects text,
        CONSTRAINT warranty_event_pkey PRIMARY KEY (installation, seq),
        CONSTRAINT warranty_event_id UNIQUE (id),
        CONSTRAINT warranty_event_seq CHECK (seq > 0),
        CONSTRAINT warranty_event_past CHECK (occurred_at <= recorded_at),
        CONSTRAINT warranty_event_corrects CHECK ((type = 'corrected') = (corrects IS NOT NULL)),
        CONSTRAINT warranty_event_type CHECK (type IN (
            'accepted', 'component_installed', 'component_replaced', 'device_replaced', 'operation_confirmed',
            'extended', 'voided', 'transferred', 'corrected'
        ))
    )
    """,
    """
    ALTER TABLE warranty_event ADD CONSTRAINT warranty_event_corrects_fkey
        FOREIGN KEY (corrects) REFERENCES warranty_event (id)
    """,
    "CREATE INDEX warranty_event_corrected ON warranty_event (corrects) WHERE corrects IS NOT NULL",
    """
    CREATE INDEX warranty_event_undetermined ON warranty_event (recorded_at)
    WHERE payload ->> 'cause' = 'undetermined' AND type <> 'corrected'
    """,
    "REVOKE UPDATE ON warranty_event FROM sparelane_app",
    """
    CREATE TRIGGER warranty_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON warranty_event
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    # Derived from the events: for every day the whole answer of a position. A position without rows has the unit's.
    """
    CREATE TABLE coverage (
        installation text NOT NULL REFERENCES installation,
        position text NOT NULL,
        valid daterange NOT NULL,
        status text NOT NULL,
        first_day date,
        last_day date,
        payer text,
        restarted boolean NOT NULL,
        provisional boolean NOT NULL,
        CONSTRAINT coverage_pkey PRIMARY KEY (installation, position, valid WITHOUT OVERLAPS),
        CONSTRAINT coverage_status CHECK (status IN ('covered', 'expired', 'not_started', 'void')),
        CONSTRAINT coverage_payer CHECK (payer IN ('oem', 'oem_service', 'vendor')),
        CONSTRAINT coverage_paid CHECK (status <> 'covered' OR payer IS NOT NULL),
        CONSTRAINT coverage_days CHECK (first_day <= last_day)
    )
    """,
    "CREATE INDEX coverage_by_installation ON coverage (installation)",
    "GRANT DELETE ON coverage TO sparelane_app",
    """
    CREATE TABLE verdict (
        id text PRIMARY KEY,
        installation text REFERENCES installation,
        device_serial text REFERENCES device,
        customer text NOT NULL REFERENCES customer,
        subject text,
        cause text NOT NULL,
        inputs jsonb NOT NULL,
        outcome jsonb NOT NULL,
        outcome_hash text NOT NULL,
        rule_version text NOT NULL,
        calendar_version text,
        supersedes text REFERENCES verdict,
        given_at timestamptz NOT NULL,
        given_by text NOT NULL,
        CONSTRAINT verdict_superseded_once UNIQUE (supersedes),
        CONSTRAINT verdict_of_another CHECK (supersedes <> id),
        CONSTRAINT verdict_of_device CHECK (device_serial IS NULL OR installation IS NOT NULL)
    )
    """,
    "CREATE INDEX verdict_by_installation ON verdict (installation)",
    "CREATE INDEX verdict_by_subject ON verdict (subject) WHERE subject IS NOT NULL",
    "CREATE INDEX verdict_undetermined ON verdict (given_at) WHERE cause = 'undetermined'",
    "REVOKE UPDATE ON verdict FROM sparelane_app",
    """
    CREATE TRIGGER verdict_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON verdict
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
