"""What a ticket, as it is known now, asks of us: a request, a draft, a higher priority, an end. Decided by its state
and not by the kind of delivery that told it, so that order and repetition do not matter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.integrations.rules.profile import FIELDS, Priority, Profile, Status, field_of, plain_text, value_at
from app.integrations.rules.verify import instant_of

LEVELS: tuple[Priority, ...] = ("general", "severe", "emergency")
HANDED_OVER = frozenset(("dispatched", "delivered"))
BEFORE_HANDOVER = frozenset(("waiting", "accepted", "awaiting_consent", "picked", "packed"))
ENDED = frozenset(("confirmed", "canceled", "lost"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A ticket as one delivery shows it; what it does not show is None."""

    number: str
    known: Mapping[str, str]
    status: Status
    priority: Priority | None
    edition: Decimal | None


@dataclass(frozen=True, slots=True)
class NotATicket:
    """Nothing to act on, and why (a code)."""

    why: str


def read_ticket(profile: Profile, document: Any, *, event: str | None) -> Seen | NotATicket:
    """Find the fields of a delivery by the profile's paths."""
    meaning = "seen"
    if profile.events.known:
        if event is None or event not in profile.events.known:
            return NotATicket("event_unknown")
        meaning = profile.events.known[event]
    known = {name: told for name in FIELDS if (told := field_of(document, profile.fields.get(name, ()))) is not None}
    if "number" not in known or len(known["number"]) > 64 or any(one.isspace() for one in known["number"]):
        return NotATicket("no_number")
    for condition in profile.becomes.only_if:
        told = plain_text(value_at(document, condition.path))
        if told is None or told.lower() not in {one.lower() for one in condition.any_of}:
            return NotATicket("not_for_parts")
    status = _mapped(profile.statuses, known.get("status")) or profile.becomes.status
    return Seen(
        number=known["number"],
        known=known,
        status="canceled" if meaning == "canceled" else status,
        priority=_mapped(profile.priorities, known.get("priority")),
        edition=edition_of(known.get("edition")),
    )


def event_of(profile: Profile, document: Any, headers: Mapping[str, str]) -> str | None:
    """The kind of event a delivery names, if the profile says where."""
    if profile.events.header is not None:
        return headers.get(profile.events.header.lower())
    return plain_text(value_at(document, profile.events.path)) if profile.events.path else None


def _mapped(table: Mapping[str, Any], told: str | None) -> Any:
    """A value by its name in the other system, compared without case."""
    if told is None:
        return None
    return next((meant for name, meant in table.items() if name.lower() == told.lower()), None)


def edition_of(told: str | None) -> Decimal | None:
    """A ticket's version or time of change as a number that grows; None where there is none to compare."""
    if told is None:
        return None
    if told.isascii() and told.isdigit():
        return Decimal(told[:20])
    at = instant_of(told)
    return None if at is None else Decimal(str(at.timestamp()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A ticket as it was known before."""

    known: Mapping[str, str]
    status: Status
    priority: Priority | None
    edition: Decimal | None


def is_older(seen: Seen, before: Known) -> bool:
    """Whether a delivery shows less than is known: an earlier edition; or, without editions, one from before the end."""
    if seen.edition is not None and before.edition is not None:
        return seen.edition < before.edition
    return before.status == "canceled" and seen.status != "canceled"


def together(seen: Seen, before: Known | None) -> Known:
    """What is known after a delivery: what it shows, over what was shown before."""
    if before is None:
        return Known(known=dict(seen.known), status=seen.status, priority=seen.priority, edition=seen.edition)
    return Known(
        known={**before.known, **seen.known},
        status=seen.status,
        priority=seen.priority or before.priority,
        edition=before.edition if seen.edition is None else seen.edition,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The request a ticket has: its priority, its lines' states, and what was done for the ticket already."""

    priority: Priority
    lines: tuple[str, ...]
    return_asked: bool = False
    closed_noted: bool = False

    @property
    def ended(self) -> bool:
        return all(one in ENDED for one in self.lines)


@dataclass(frozen=True, slots=True)
class Ask:
    """Make a request of it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A person must say what is missing first."""

    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Raise:
    """The user raised the priority."""

    priority: Priority


@dataclass(frozen=True, slots=True)
class Lower:
    """The user lowered it, which needs the customer's word: only noted."""

    priority: Priority


@dataclass(frozen=True, slots=True)
class Cancel:
    """Canceled: what was not handed over ends, what was is to come back."""

    cancel: bool
    ask_return: bool


@dataclass(frozen=True, slots=True)
class NoteClosed:
    """Closed over there while we are still at it."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """All is as it should be; why (a code)."""

    why: str


Action = Ask | Draft | Raise | Lower | Cancel | NoteClosed | Nothing


def decide_ticket(after: Known, before: Known | None, standing: Standing | None, *, drafted: bool) -> Action:
    """What a ticket as it is known now asks for. `drafted`: a person has it, or has put it aside."""
    if standing is None:
        if after.status != "open":
            return Nothing(f"ticket_{after.status}")
        missing = tuple(name for name in ("serial", "part") if name not in after.known)
        if not missing:
            return Ask()
        return Nothing("with_a_person") if drafted else Draft(missing)
    if standing.ended:
        return Nothing("request_ended")
    if after.status == "canceled":
        cancel = any(one in BEFORE_HANDOVER for one in standing.lines)
        back = any(one in HANDED_OVER for one in standing.lines) and not standing.return_asked
        return Cancel(cancel, back) if cancel or back else Nothing("canceled_already")
    if after.status == "closed":
        return Nothing("closed_already") if standing.closed_noted else NoteClosed()
    was = None if before is None else before.priority
    if after.priority is None or after.priority == was:
        return Nothing("unchanged")
    if LEVELS.index(after.priority) > LEVELS.index(standing.priority):
        return Raise(after.priority)
    if was is not None and LEVELS.index(after.priority) < LEVELS.index(was):
        return Lower(after.priority)
    return Nothing("unchanged")


def request_fields(profile: Profile, after: Known, *, system: str, received_at: datetime) -> dict[str, Any]:
    """The body of the request a ticket asks for, for the API's own shape to judge."""
    known, becomes = after.known, profile.becomes
    reported = instant_of(known.get("reported_at", ""))
    occurred = reported if reported is not None and reported <= received_at else received_at
    stopped = known.get("system_stopped")
    quantity = known.get("quantity", "")
    return {
        "device_serial": known.get("serial"),
        "priority": after.priority or becomes.priority,
        "failure": {
            "occurred_at": occurred,
            "cause": known.get("cause", becomes.cause),
            "system_stopped": becomes.system_stopped if stopped is None else stopped.lower() in ("true", "1", "yes"),
            "description": (known.get("title") or known.get("description") or "")[:LONGEST_TITLE] or None,
        },
        "lines": [
            {
                "part_number": known.get("part", ""),
                "quantity": int(quantity) if quantity.isascii() and quantity.isdigit() else becomes.quantity,
                "position": known.get("position"),
            }
        ],
        "ticket": {"system": system, "number": known["number"], "url": known.get("url")},
        "received_at": received_at,
    }


LONGEST_TITLE = 500
