"""The network: customers, contracts and dated terms, areas, sites, places, couriers, lanes, parts, models, calendars.

Revision ID: 0003_network
"""

from alembic import op

revision = "0003_network"
down_revision = "0002_accounts"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE customer (
        code text PRIMARY KEY,
        name text NOT NULL,
        engineer text,
        contact text,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 1
    )
    """,
    """
    CREATE TABLE contract (
        number text PRIMARY KEY,
        customer text NOT NULL REFERENCES customer,
        currency text NOT NULL,
        accepted_on date,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT contract_currency CHECK (currency ~ '^[A-Z]{3}$')
    )
    """,
    "CREATE INDEX contract_by_customer ON contract (customer, number)",
    """
    CREATE TABLE contract_terms (
        contract text NOT NULL REFERENCES contract,
        valid daterange NOT NULL,
        terms jsonb NOT NULL,
        recorded_at timestamptz NOT NULL,
        CONSTRAINT contract_terms_pkey PRIMARY KEY (contract, valid WITHOUT OVERLAPS)
    )
    """,
    """
    CREATE TABLE part (
        number text PRIMARY KEY,
        name text NOT NULL,
        tracking text NOT NULL,
        fitting_minutes bigint NOT NULL DEFAULT 20,
        weight_g bigint NOT NULL DEFAULT 500,
        hazardous boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT part_tracking CHECK (tracking IN ('none', 'lot', 'serial')),
        CONSTRAINT part_measures CHECK (fitting_minutes BETWEEN 0 AND 1440 AND weight_g BETWEEN 0 AND 10000000)
    )
    """,
    """
    CREATE TABLE assortment (
        contract text NOT NULL REFERENCES contract,
        part text NOT NULL REFERENCES part,
        valid daterange NOT NULL,
        CONSTRAINT assortment_pkey PRIMARY KEY (contract, part, valid WITHOUT OVERLAPS)
    )
    """,
    "GRANT DELETE ON assortment TO sparelane_app",
    """
    CREATE TABLE substitution (
        from_part text NOT NULL REFERENCES part,
        to_part text NOT NULL REFERENCES part,
        kind text NOT NULL,
        model text NOT NULL DEFAULT '',
        valid daterange NOT NULL,
        recorded_at timestamptz NOT NULL,
        CONSTRAINT substitution_pkey PRIMARY KEY (from_part, to_part, model, valid WITHOUT OVERLAPS),
        CONSTRAINT substitution_kind CHECK (kind IN ('supersedes', 'equivalent')),
        CONSTRAINT substitution_other CHECK (from_part <> to_part)
    )
    """,
    "CREATE INDEX substitution_by_to ON substitution (to_part)",
    """
    CREATE TABLE model (
        code text PRIMARY KEY,
        name text NOT NULL,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 1
    )
    """,
    """
    CREATE TABLE model_position (
        model text NOT NULL REFERENCES model,
        position text NOT NULL,
        part_number text NOT NULL REFERENCES part,
        key boolean NOT NULL,
        CONSTRAINT model_position_pkey PRIMARY KEY (model, position)
    )
    """,
    "CREATE INDEX model_position_by_part ON model_position (part_number)",
    "CREATE TABLE area (code text PRIMARY KEY, name text NOT NULL, created_at timestamptz NOT NULL)",
    """
    CREATE TABLE site (
        code text PRIMARY KEY,
        customer text NOT NULL REFERENCES customer,
        name text NOT NULL,
        latitude double precision NOT NULL,
        longitude double precision NOT NULL,
        timezone text NOT NULL,
        area text REFERENCES area,
        address text,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT site_on_earth CHECK (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180)
    )
    """,
    "CREATE INDEX site_by_customer ON site (customer, code)",
    """
    CREATE TABLE place (
        code text PRIMARY KEY,
        name text NOT NULL,
        kind text NOT NULL,
        latitude double precision NOT NULL,
        longitude double precision NOT NULL,
        timezone text NOT NULL,
        area text REFERENCES area,
        preparation_minutes bigint NOT NULL DEFAULT 10,
        opening_hours jsonb NOT NULL DEFAULT '"24x7"',
        stock text NOT NULL,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT place_kind CHECK (kind IN ('own', 'branch', 'partner', 'supplier', 'van')),
        CONSTRAINT place_stock CHECK (stock IN ('ours', 'reported')),
        CONSTRAINT place_preparation CHECK (preparation_minutes BETWEEN 0 AND 10080),
        CONSTRAINT place_on_earth CHECK (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180)
    )
    """,
    """
    CREATE TABLE area_source (
        area text NOT NULL REFERENCES area,
        place text NOT NULL REFERENCES place,
        CONSTRAINT area_source_pkey PRIMARY KEY (area, place)
    )
    """,
    "GRANT DELETE ON area_source TO sparelane_app",
    """
    CREATE TABLE courier (
        code text PRIMARY KEY,
        name text NOT NULL,
        place text NOT NULL REFERENCES place,
        area text REFERENCES area,
        shift jsonb NOT NULL,
        capacity_g bigint NOT NULL DEFAULT 50000,
        skills text[] NOT NULL DEFAULT '{}',
        role text NOT NULL,
        created_at timestamptz NOT NULL,
        version bigint NOT NULL DEFAULT 1,
        CONSTRAINT courier_role CHECK (role IN ('courier', 'engineer')),
        CONSTRAINT courier_capacity CHECK (capacity_g BETWEEN 1 AND 100000000)
    )
    """,
    """
    CREATE TABLE lane (
        carrier text NOT NULL,
        from_place text NOT NULL REFERENCES place,
        to_area text NOT NULL REFERENCES area,
        cutoffs text[] NOT NULL,
        transit_hours bigint NOT NULL,
        cost_minor bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        CONSTRAINT lane_pkey PRIMARY KEY (carrier, from_place, to_area),
        CONSTRAINT lane_measures CHECK (transit_hours BETWEEN 0 AND 8760 AND cost_minor >= 0)
    )
    """,
    """
    CREATE TABLE calendar_version (
        country text NOT NULL,
        year bigint NOT NULL,
        version bigint NOT NULL,
        published boolean NOT NULL,
        working_days_off date[] NOT NULL,
        make_up_days date[] NOT NULL,
        recorded_at timestamptz NOT NULL,
        CONSTRAINT calendar_version_pkey PRIMARY KEY (country, year, version)
    )
    """,
    "REVOKE UPDATE ON calendar_version FROM sparelane_app",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
