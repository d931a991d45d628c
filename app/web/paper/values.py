"""What papers show: finished values, worded and dated already. Money and instants stay typed, so that every paper writes
them alike; all else is text. Nothing here asks or decides.

Every paper has a `head`, the instant `made_at` it says it was made at (the same value and instant give the same bytes),
and the `zone` whose wall clock its times are told by.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from app.core.money import Money

Standing = Literal["ok", "risk", "late", "paused"]


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who sends the paper: the company's name, and lines as for its address and telephone."""

    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A customer's site, as an address on paper."""

    name: str
    customer: str
    address: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLine:
    """Pieces of one part. `pieces` are serials or lots; `bin` is where they lie; `note` as for a substitute."""

    part_number: str
    part_name: str
    quantity: int
    bin: str | None = None
    serials: tuple[str, ...] = ()
    lot: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PickJob:
    """One request to pick: `label` as people call it, `link` for its code, `code` as bars (P-1A2B3).

    `due` and `handover` are sentences: what is promised, who fetches it and when.
    """

    label: str
    code: str
    link: str
    site: str
    customer: str
    priority: str
    due: str
    handover: str
    lines: tuple[PartLine, ...]
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PickList:
    """What a place picks now, what is due first on top."""

    head: Letterhead
    place: str
    jobs: tuple[PickJob, ...]
    made_at: datetime
    zone: str
    made_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchNote:
    """What goes out with a parcel, without a price. `by` is the courier or the carrier; `promise` a sentence.

    `old_parts` names removed parts that are to come back, so that the receiver has them at hand.
    """

    head: Letterhead
    label: str
    link: str
    from_place: str
    to: Party
    by: str
    promise: str
    lines: tuple[PartLine, ...]
    made_at: datetime
    zone: str
    device: str | None = None
    model: str | None = None
    ticket: str | None = None
    waybill: str | None = None
    parcels: int = 1
    old_parts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A parcel's or a part's label. `link` stands in its QR code, `code` in its bars: the serial where there is one,
    else the lot or the part number. `warranty_end` is the last day of the warranty."""

    link: str
    code: str
    part_number: str
    part_name: str
    quantity: int
    made_at: datetime
    request: str | None = None
    site: str | None = None
    customer: str | None = None
    serial: str | None = None
    lot: str | None = None
    warranty_end: date | None = None
    priority: str | None = None
    parcel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedLine:
    """Pieces of a part and what they cost the customer: procurement cost, nothing else."""

    part_number: str
    part_name: str
    quantity: int
    net: Money
    tax: Money
    gross: Money
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotation:
    """A price for the customer to agree to before anything is sent. `why` are the sentences that explain it, `tax` the
    rate as people write it (`13 %`), `provisional` a sentence where stock has still to be confirmed."""

    head: Letterhead
    label: str
    link: str
    to: Party
    lines: tuple[QuotedLine, ...]
    net: Money
    tax: Money
    gross: Money
    tax_rate: str
    why: tuple[str, ...]
    valid_until: datetime
    made_at: datetime
    zone: str
    device: str | None = None
    model: str | None = None
    contract: str | None = None
    provisional: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Days of cover on a timeline, both inclusive; `payer` says who pays over them. A restart begins the day after the
    confirmation and is drawn as a new bar."""

    first: date
    last: date
    kind: Literal["base", "extension", "restart"] = "base"
    payer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """The device, or a position with the part in it."""

    name: str
    bars: tuple[Bar, ...]
    part: str | None = None
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The picture of a warranty: the device on top, its positions below, today and the failure as lines."""

    device: TimelineRow
    positions: tuple[TimelineRow, ...]
    today: date
    failed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonLine:
    """One step of a decision: the rule's id and its sentence."""

    rule: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictPaper:
    """A verdict with its proof. `word` is the answer in a word or two, `until` and `payer` short sentences; `notes` say
    what is still open (provisional, reported late) or what came later (superseded)."""

    head: Letterhead
    verdict: str
    link: str
    standing: Standing
    word: str
    until: str
    payer: str
    device: str
    model: str
    site: str
    customer: str
    contract: str
    failure: str
    reasons: tuple[ReasonLine, ...]
    timeline: Timeline | None
    given_at: datetime
    made_at: datetime
    zone: str
    rule_version: str
    calendar_version: str | None = None
    position: str | None = None
    price: str | None = None
    notes: tuple[str, ...] = ()
    fingerprint: str | None = None
