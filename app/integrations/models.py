"""The integrations' tables: imported files; endpoints, deliveries and their attempts; connections, what came in, tickets
and drafts."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Identity, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class ImportRun(Base):
    """One file on its way in: looked at first, then loaded whole or not at all. Its hash tells the same file again.

    The content is kept until it is loaded, or a week; bad rows are kept with what was wrong with them.
    """

    __tablename__ = "import_run"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    file_name: Mapped[str]
    file_hash: Mapped[str]
    size_bytes: Mapped[int]
    content: Mapped[bytes | None]
    state: Mapped[str]
    rows: Mapped[int] = mapped_column(server_default="0")
    done: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    bad: Mapped[list[Any]] = mapped_column(server_default="[]")
    refusal: Mapped[dict[str, Any] | None]
    would: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    loaded_by: Mapped[str | None]
    loaded_at: Mapped[datetime | None]


class Connection(Base):
    """One ticketing system: a provider's profile with this company's own changes to it."""

    __tablename__ = "connection"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    provider: Mapped[str]
    overrides: Mapped[dict[str, Any]]
    base_url: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="active")
    language: Mapped[str] = mapped_column(server_default="en")
    customers: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    areas: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    poll_cursor: Mapped[str | None]
    poll_at: Mapped[datetime | None]
    poll_lease_until: Mapped[datetime | None]
    poll_fence: Mapped[int] = mapped_column(server_default="0")
    poll_failures: Mapped[int] = mapped_column(server_default="0")
    poll_failure: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")


class ConnectionSecret(Base):
    """What a connection verifies or calls with; written, used and ended, never shown."""

    __tablename__ = "connection_secret"

    id: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(ForeignKey("connection.code"))
    purpose: Mapped[str]
    secret: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class WebhookEndpoint(Base):
    """Where events go: a receiver of webhooks, or a connection that writes back into its tickets."""

    __tablename__ = "webhook_endpoint"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    connection: Mapped[str | None] = mapped_column(ForeignKey("connection.code"))
    url: Mapped[str | None]
    description: Mapped[str | None]
    event_types: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    language: Mapped[str]
    role: Mapped[str]
    customers: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    areas: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    places: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    owner: Mapped[str]
    state: Mapped[str]
    disabled_reason: Mapped[str | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    failing_since: Mapped[datetime | None]
    rests_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")
    disabled_at: Mapped[datetime | None]


class WebhookSecret(Base):
    """What an endpoint's deliveries are signed with; two during a rotation."""

    __tablename__ = "webhook_secret"

    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint: Mapped[str] = mapped_column(ForeignKey("webhook_endpoint.id"))
    secret: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class EventOutbox(Base):
    """Events still to be fanned out; written with the event by a trigger."""

    __tablename__ = "event_outbox"

    event_seq: Mapped[int] = mapped_column(primary_key=True)


class WebhookDelivery(Base):
    """One event (or one call of it) for one endpoint, with its frozen bytes and its state."""

    __tablename__ = "webhook_delivery"

    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint: Mapped[str] = mapped_column(ForeignKey("webhook_endpoint.id"))
    event: Mapped[str]
    call: Mapped[str] = mapped_column(server_default="")
    event_seq: Mapped[int | None]
    type: Mapped[str]
    subject: Mapped[str]
    sequence: Mapped[int]
    method: Mapped[str] = mapped_column(server_default="POST")
    path: Mapped[str | None]
    body: Mapped[bytes | None]
    body_hash: Mapped[str | None]
    state: Mapped[str]
    reason: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    tries: Mapped[int] = mapped_column(server_default="0")
    next_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    last_status: Mapped[int | None]
    worker: Mapped[int | None]


class WebhookAttempt(Base):
    """One try to deliver, append-only."""

    __tablename__ = "webhook_attempt"

    seq: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    delivery: Mapped[str] = mapped_column(ForeignKey("webhook_delivery.id"))
    n: Mapped[int]
    fence: Mapped[int]
    started_at: Mapped[datetime]
    took_ms: Mapped[int]
    status: Mapped[int | None]
    failure: Mapped[str | None]
    body_hash: Mapped[str]


class HookReceipt(Base):
    """One verified delivery from outside, as its raw bytes, and what became of it."""

    __tablename__ = "hook_receipt"

    id: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(ForeignKey("connection.code"))
    delivery: Mapped[str]
    event: Mapped[str | None]
    body: Mapped[bytes]
    content_type: Mapped[str]
    received_at: Mapped[datetime]
    state: Mapped[str]
    outcome: Mapped[str | None]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    ticket: Mapped[str | None]
    repeats: Mapped[int] = mapped_column(server_default="0")
    tries: Mapped[int] = mapped_column(server_default="0")
    next_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(server_default="0")
    ended_at: Mapped[datetime | None]


class Ticket(Base):
    """What is known of one ticket, and the request or draft that it became."""

    __tablename__ = "ticket"

    connection: Mapped[str] = mapped_column(ForeignKey("connection.code"), primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    known: Mapped[dict[str, Any]]
    edition: Mapped[Decimal | None]
    status: Mapped[str]
    priority: Mapped[str | None]
    request: Mapped[str | None] = mapped_column(ForeignKey("part_request.id"))
    draft: Mapped[str | None]
    outcome: Mapped[str | None]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    seen_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class TicketDraft(Base):
    """A ticket that could not become a request by itself: an engineer completes it."""

    __tablename__ = "ticket_draft"

    id: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str]
    number: Mapped[str]
    title: Mapped[str | None]
    url: Mapped[str | None]
    known: Mapped[dict[str, Any]]
    missing: Mapped[list[str]] = mapped_column(ARRAY(Text))
    problem: Mapped[dict[str, Any] | None]
    customer: Mapped[str | None]
    area: Mapped[str | None]
    state: Mapped[str]
    request: Mapped[str | None] = mapped_column(ForeignKey("part_request.id"))
    reason: Mapped[str | None]
    received_at: Mapped[datetime]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")
