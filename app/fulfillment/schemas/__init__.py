"""Part requests on the wire: what is asked, what is answered, and the bodies of the journey's verbs."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from app.core.http import ReasonOut
from app.core.types import Amount, Code, Instant, Name, Quantity, Reference, Text, Wire
from app.fulfillment.rules.clocks import Priority

Cause = Literal[
    "defect",
    "material",
    "software",
    "installation",
    "commissioning",
    "wear",
    "customer",
    "force_majeure",
    "undetermined",
]
FoundOn = Literal["use", "opening"]
HoldReason = Literal["site_access", "price_consent", "customer_appointment", "customer_information"]
Mode = Literal["courier", "pickup", "lane"]


class FailureIn(Wire):
    """What failed, when, and why as far as known."""

    occurred_at: Instant
    cause: Cause
    system_stopped: bool
    found_on: FoundOn = "use"
    description: Text | None = None


class LineIn(Wire):
    """One part number; a line with a position has quantity 1."""

    part_number: Code
    quantity: Quantity
    position: Code | None = None


class TicketIn(Wire):
    """The ticket that asks."""

    system: Reference
    number: Reference
    url: Text | None = None


class RequestIn(Wire):
    """One ask for parts for one device. An unreadable serial is null, with `site` and `model` instead. `bump` are lines
    of lower priority that a dispatcher approves to give way to it, late or waiting for stock."""

    device_serial: Code | None
    priority: Priority
    failure: FailureIn
    lines: Annotated[list[LineIn], Meta(min_length=1, max_length=50)]
    ticket: TicketIn | None = None
    received_at: Instant | None = None
    appointment_at: Instant | None = None
    accept_substitutes: bool = True
    allow_split: bool = True
    additional: bool = False
    site: Code | None = None
    model: Code | None = None
    bump: Annotated[list[Code], Meta(max_length=20)] = []


class PreviewIn(Wire):
    """A failure to judge without asking for parts."""

    device_serial: Code
    cause: Cause
    system_stopped: bool
    occurred_at: Instant
    position: Code | None = None
    part_number: Code | None = None
    found_on: FoundOn = "use"


class PriceOut(Wire):
    """The customer's price: `amount` is gross."""

    amount: str
    currency: str
    net: str
    tax: str


class EntitlementOut(Wire):
    """The verdict a request rests on; `verdict` is its id, null before it is stored."""

    verdict: str | None
    covered: bool
    coverage: dict[str, Any]
    payer: str | None
    provisional: bool
    reasons: list[ReasonOut]


class CommitmentOut(Wire):
    """What was promised for a line, and why."""

    kind: Literal["local", "national"]
    accepted_at: datetime
    due_at: datetime
    reasons: list[ReasonOut]


class AlternativeOut(Wire):
    """A source not taken, and why; the next best first. `eta`: when its promise would be met as it was weighed then;
    `hits_at_stake`: future 2-hour promises that its pieces are worth; `cost_minor`: what it weighed, for who sees costs."""

    place: str
    part_number: str
    reason: ReasonOut
    eta: Instant | None
    late_seconds: int | None
    hits_at_stake: str | None
    cost_minor: int | None


class LineOut(Wire):
    """One line as it stands."""

    id: str | None
    state: str
    part_number: str
    supplied_part_number: str
    quantity: int
    position: str | None
    source: str
    lot: str | None
    serial: str | None
    mode: Mode | None
    eta: datetime | None
    price: PriceOut | None
    provisional: bool
    commitment: CommitmentOut
    handover_at: datetime | None
    courier: str | None
    carrier: str | None
    waybill: str | None
    fitted_serial: str | None
    removed_serial: str | None
    old_part: str | None
    cost: str | None
    reasons: list[ReasonOut]
    alternatives: list[AlternativeOut]
    confirmed: bool | None = None
    """Whether a partner has confirmed its reported stock; null for our own, which nobody has to confirm."""


class ClockOut(Wire):
    """One clock of the service (C4) or of a line (C1, C2)."""

    name: str
    line: str | None
    started_at: datetime
    due_at: datetime
    state: Literal["running", "paused", "met", "breached", "canceled"]
    seconds_left: int


class TicketOut(Wire):
    system: str
    number: str
    url: str | None


class FailureOut(Wire):
    occurred_at: datetime
    cause: str
    system_stopped: bool
    found_on: str
    description: str | None


class RequestOut(Wire):
    """A part request as it stands. A promise has the same shape, with nothing held and no ids."""

    id: str | None
    state: str
    priority: Priority
    device_serial: str | None
    model: str
    customer: str
    contract: str
    site: str
    area: str | None
    failure: FailureOut
    received_at: datetime
    accepted_at: datetime
    appointment_at: datetime | None
    entitlement: EntitlementOut
    price: PriceOut | None
    quote_expires_at: datetime | None
    commitment: CommitmentOut
    lines: list[LineOut]
    clocks: list[ClockOut]
    on_hold: str | None
    ticket: TicketOut | None
    reasons: list[ReasonOut]
    allowed: list[str]
    version: int


class RequestsOut(Wire):
    items: list[RequestOut]
    next: str | None


class PreviewOut(Wire):
    """A verdict on a failure that nobody has asked parts for yet; nothing is stored."""

    covered: bool
    coverage: dict[str, Any]
    payer: str | None
    price: PriceOut | None
    borne_cost: PriceOut | None
    restart_if_confirmed: dict[str, Any] | None
    provisional: bool
    reasons: list[ReasonOut]


class LineRef(Wire):
    id: Code


class StepIn(Wire):
    """The fields every verb takes: which lines (all if left out), and when it happened (now if left out)."""

    lines: Annotated[list[LineRef], Meta(min_length=1, max_length=50)] | None = None
    occurred_at: Instant | None = None
    note: Text | None = None


class AnswerIn(StepIn, kw_only=True):
    """Who answers says how and when (C4): remote, on site, or parts alone."""

    method: Literal["remote", "on_site", "parts"]
    plan: Text | None = None
    planned_at: Instant | None = None


class DepartIn(StepIn, kw_only=True):
    """Who set out; sending another than the nearest records why."""

    courier: Code | None = None
    reason: Text | None = None


class DiagnoseIn(StepIn, kw_only=True):
    """What was found; a cause settled here makes a new verdict (W12)."""

    cause: Cause | None = None
    findings: Text | None = None


class PickIn(StepIn, kw_only=True):
    """The very part in hand: a part number, lot or serial as scanned; `pieces` are all that was scanned of one line,
    `bins` the bins they were taken from."""

    scanned: Reference | None = None
    pieces: Annotated[list[Reference], Meta(min_length=1, max_length=1_000)] | None = None
    bins: Annotated[list[Code], Meta(min_length=1, max_length=100)] | None = None


class DispatchIn(StepIn, kw_only=True):
    """With a courier, or handed to a carrier with its waybill: that is the hand-over C2 waits for."""

    courier: Code | None = None
    carrier: Code | None = None
    waybill: Reference | None = None


class FitIn(StepIn, kw_only=True):
    """The new part is in; serials as scanned, and what becomes of the old part."""

    fitted_serial: Code | None = None
    removed_serial: Code | None = None
    old_part: Literal["return", "kept"] | None = None
    device_serial: Code | None = None


class ConfirmIn(StepIn, kw_only=True):
    """Whether it works again; true appends the warranty events."""

    operation_normal: bool


class CancelIn(StepIn, kw_only=True):
    reason: Text | None = None


class HoldIn(StepIn, kw_only=True):
    """Only these stop a clock (C6)."""

    reason: HoldReason


class PriorityIn(StepIn, kw_only=True):
    """A user's new priority; a lower one needs the customer's word."""

    priority: Priority
    agreed_by_customer: bool = False


class ConsentIn(StepIn, kw_only=True):
    """The customer was told the price and agreed, or did not."""

    agreed: bool
    by: Name | None = None


class DeliveryFailedIn(StepIn, kw_only=True):
    reason: Name


class CostIn(StepIn, kw_only=True):
    """What a job cost us beside the part."""

    kind: Literal["transport", "insurance", "installation", "testing", "labor"]
    amount: Amount


class NoteIn(StepIn, kw_only=True):
    text: Text


class StepOut(Wire):
    """One recorded step of the journey."""

    verb: str
    line: str | None
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    details: dict[str, Any]


class StepsOut(Wire):
    items: list[StepOut]
