"""Photos of a request, append-only but for their removal; and an index by which devices are found by a part of a serial.

Revision ID: 0015_photos
"""

from alembic import op

revision = "0015_photos"
down_revision = "0014_bins"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The picture is kept as it was drawn anew by us, at most 1 MB: what a phone sent is never stored.
    """
    CREATE TABLE request_photo (
        id text PRIMARY KEY,
        request text NOT NULL REFERENCES part_request,
        line text REFERENCES request_line,
        media_type text NOT NULL,
        digest text NOT NULL,
        content bytea NOT NULL,
        taken_by text NOT NULL,
        at timestamptz NOT NULL,
        removed_at timestamptz,
        removed_by text,
        CONSTRAINT request_photo_once UNIQUE (request, digest),
        CONSTRAINT request_photo_media_type CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
        CONSTRAINT request_photo_size CHECK (octet_length(content) BETWEEN 1 AND 1048576),
        CONSTRAINT request_photo_removal CHECK ((removed_at IS NULL) = (removed_by IS NULL) AND removed_at >= at)
    )
    """,
    "CREATE INDEX request_photo_by_request ON request_photo (request, at)",
    "REVOKE UPDATE ON request_photo FROM sparelane_app",
    "GRANT UPDATE (removed_at, removed_by) ON request_photo TO sparelane_app",
    "CREATE INDEX device_by_fragment ON device USING gin (serial gin_trgm_ops)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Sparelane migrates forward only; restore a backup instead")
