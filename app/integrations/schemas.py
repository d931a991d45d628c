"""Webhook endpoints, deliveries, connections, receipts and drafts on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from app.core.types import NO_CONTROL, Code, Instant, Name, Wire
from app.fulfillment.rules.clocks import Priority
from app.fulfillment.schemas import FailureIn, LineIn

Url = Annotated[str, Meta(min_length=8, max_length=2000, pattern=NO_CONTROL)]
Secret = Annotated[str, Meta(pattern=r"^whsec_[A-Za-z0-9+/]{32,128}={0,2}\Z")]
HookSecret = Annotated[str, Meta(min_length=8, max_length=500, pattern=r"^[\x21-\x7e]+\Z")]
"""What the other system signs or proves itself with: printable, without blanks; user:password for Basic."""
Language = Literal["en", "zh-CN"]
EventTypes = Annotated[list[Name], Meta(min_length=1, max_length=100)]
Codes = Annotated[list[Code], Meta(max_length=1000)]
DeliveryState = Literal["pending", "delivered", "dead", "canceled"]


class EndpointIn(Wire):
    """Where to send which events: null types are all, a null scope is the key's own. Without a secret one is made."""

    url: Url
    description: Name | None = None
    event_types: EventTypes | None = None
    customers: Codes | None = None
    areas: Codes | None = None
    places: Codes | None = None
    language: Language = "en"
    secret: Secret | None = None


class EndpointPatch(Wire):
    """What changes of an endpoint; fields left out stay."""

    url: Url | UnsetType = UNSET
    description: Name | UnsetType | None = UNSET
    event_types: EventTypes | UnsetType | None = UNSET
    language: Language | UnsetType = UNSET


class EndpointOut(Wire):
    """An endpoint as it stands; its secrets are never shown again."""

    id: str
    url: str
    description: str | None
    event_types: list[str] | None
    customers: list[str] | None
    areas: list[str] | None
    places: list[str] | None
    language: Language
    state: Literal["active", "disabled"]
    disabled_reason: str | None
    pending: int
    failures: int
    failing_since: datetime | None
    rests_until: datetime | None
    secrets: int
    created_at: datetime
    version: int


class EndpointsOut(Wire):
    items: list[EndpointOut]
    next: str | None


class EndpointMade(Wire):
    """An endpoint, or a secret, just made; `secret` is shown this once."""

    secret: str
    endpoint: EndpointOut


class RotateIn(Wire):
    """A new secret; the old ones go on signing beside it for the overlap, 24 hours if left out."""

    overlap_minutes: Annotated[int, Meta(ge=0, le=7 * 24 * 60)] = 24 * 60
    secret: Secret | None = None


class DisableIn(Wire):
    reason: Name | None = None


class ReplayIn(Wire):
    """Send again what was made in a span of time: the same ids and bytes, a new timestamp."""

    since: Instant
    until: Instant | None = None
    states: Annotated[list[Literal["delivered", "dead", "canceled"]], Meta(min_length=1)] | None = None


class EnableIn(Wire):
    """Send again; with `replay` first what was canceled when the endpoint was disabled, in the old order."""

    replay: bool = False


class ReplayOut(Wire):
    replayed: int


class DeliveryOut(Wire):
    """One event for one endpoint; `id` is the delivery's, `event` the webhook-id that the receiver sees."""

    id: str
    endpoint: str
    event: str
    type: str
    subject: str
    sequence: int
    state: DeliveryState
    reason: str | None
    attempts: int
    next_at: datetime | None
    last_status: int | None
    created_at: datetime
    ended_at: datetime | None


class DeliveriesOut(Wire):
    items: list[DeliveryOut]
    next: str | None


class AttemptOut(Wire):
    """One try: a status, or why there is none."""

    n: int
    started_at: datetime
    took_ms: int
    status: int | None
    failure: str | None


class DeliveryDetail(Wire):
    """A delivery with every try, and the very text that is sent."""

    delivery: DeliveryOut
    attempts: list[AttemptOut]
    body: str | None


class EventTypeOut(Wire):
    """One type of event that can be subscribed to."""

    type: str
    words: str
    carries: str


class EventTypesOut(Wire):
    items: list[EventTypeOut]


class SubjectOut(Wire):
    """What an event is about, at which version."""

    id: str
    version: int


class WebhookEvent(Wire):
    """What a webhook delivers. `data` is the subject as the API shows it when the event is sent out (its own `version`
    may be newer), `facts` what was recorded with the event itself."""

    type: str
    timestamp: datetime
    id: str
    schema_version: int
    recorded_at: datetime
    actor: str
    request_id: str
    subject: SubjectOut
    customer: str | None
    area: str | None
    place: str | None
    facts: dict[str, Any]
    data: Any


class PingOut(Wire):
    """The test's delivery; see its attempts for what came of it."""

    delivery: str


class ConnectionIn(Wire):
    """A ticketing system: a ready profile's name, and what is different here. Secrets are written, never shown."""

    code: Code
    name: Name
    provider: Name
    base_url: Url | None = None
    overrides: dict[str, Any] = {}
    language: Language = "en"
    customers: Codes | None = None
    areas: Codes | None = None
    verify_secret: HookSecret | None = None
    write_secret: HookSecret | None = None


class ConnectionPatch(Wire):
    """What changes of a connection; fields left out stay."""

    name: Name | UnsetType = UNSET
    base_url: Url | UnsetType | None = UNSET
    overrides: dict[str, Any] | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    state: Literal["active", "disabled"] | UnsetType = UNSET


class SecretIn(Wire):
    """A new secret for a purpose; the old ones still verify for the overlap."""

    purpose: Literal["verify", "write"]
    secret: HookSecret
    overlap_minutes: Annotated[int, Meta(ge=0, le=7 * 24 * 60)] = 24 * 60


class ConnectionOut(Wire):
    """A connection as it stands, with the whole profile in force."""

    code: str
    name: str
    provider: str
    hook: str
    base_url: str | None
    overrides: dict[str, Any]
    profile: dict[str, Any]
    language: Language
    customers: list[str] | None
    areas: list[str] | None
    state: Literal["active", "disabled"]
    verify_secrets: int
    write_secrets: int
    writes_back: bool
    polled_at: str | None
    poll_failure: str | None
    created_at: datetime
    version: int


class ConnectionsOut(Wire):
    items: list[ConnectionOut]
    next: str | None


class ProviderOut(Wire):
    """A ready profile."""

    provider: str
    title: str
    profile: dict[str, Any]


class ProvidersOut(Wire):
    items: list[ProviderOut]


class TryIn(Wire):
    """A payload to try: what would be read from it. Nothing is kept."""

    payload: dict[str, Any]
    headers: dict[str, str] = {}


class TryOut(Wire):
    """What the profile finds in a payload, and what would become of it for a ticket not known yet."""

    would: str
    event: str | None
    fields: dict[str, str]
    status: str | None
    priority: str | None
    missing: list[str]
    request: dict[str, Any] | None


class HookOut(Wire):
    """The receipt of a delivery."""

    id: str
    duplicate: bool


class ReceiptOut(Wire):
    """One verified delivery, and what became of it."""

    id: str
    connection: str
    delivery: str
    event: str | None
    state: Literal["new", "done", "ignored", "failed"]
    outcome: str | None
    facts: dict[str, Any]
    ticket: str | None
    repeats: int
    received_at: datetime
    ended_at: datetime | None


class ReceiptsOut(Wire):
    items: list[ReceiptOut]
    next: str | None


class ReceiptDetail(Wire):
    """A receipt with the raw body as text."""

    receipt: ReceiptOut
    body: str


class TicketRow(Wire):
    """A ticket as it is known here."""

    connection: str
    number: str
    status: str
    priority: str | None
    request: str | None
    draft: str | None
    outcome: str | None
    facts: dict[str, Any]
    seen_at: datetime


class TicketsOut(Wire):
    items: list[TicketRow]
    next: str | None


class DraftOut(Wire):
    """A ticket that waits for a person: what is known, what is missing, and why it could not be."""

    id: str
    connection: str
    number: str
    title: str | None
    url: str | None
    known: dict[str, str]
    missing: list[str]
    problem: dict[str, Any] | None
    customer: str | None
    area: str | None
    state: Literal["open", "completed", "discarded"]
    request: str | None
    reason: str | None
    received_at: datetime
    created_at: datetime
    ended_at: datetime | None
    version: int


class DraftsOut(Wire):
    items: list[DraftOut]
    next: str | None


class CompleteIn(Wire):
    """What the person knows; the ticket, its time and its priority are taken from the draft."""

    device_serial: Code | None
    lines: Annotated[list[LineIn], Meta(min_length=1, max_length=50)]
    priority: Priority | None = None
    failure: FailureIn | None = None
    site: Code | None = None
    model: Code | None = None
    accept_substitutes: bool = True
    allow_split: bool = True
    additional: bool = False


class DiscardIn(Wire):
    reason: Name
