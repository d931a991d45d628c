"""The event types one can subscribe to: what each says, whose eyes it is for, and what it carries."""

from dataclasses import dataclass
from typing import Literal

Carries = Literal["part_request", "verdict", "charge", "recovery", "warranty", "endpoint", "facts"]
EVERYBODY = frozenset(("admin", "integration"))
INSIDE = frozenset(("admin",))


@dataclass(frozen=True, slots=True)
class EventType:
    """One type: its sentence, what `data` holds, and which roles' endpoints may get it."""

    name: str
    words: str
    carries: Carries
    roles: frozenset[str] = EVERYBODY


def _requests() -> tuple[EventType, ...]:
    words = {
        "accepted": "A request was accepted: verdict, price, promise and source of each line stand.",
        "answered": "A person said how it will be handled and when; ends the clock `answer`.",
        "departed": "Somebody set out.",
        "arrived": "Somebody is at the site.",
        "diagnosed": "What was found; a settled cause may have changed the verdict.",
        "consented": "The customer agreed to the price.",
        "replanned": "A line's expected time changed by more than a little; `facts.line`, `facts.eta`, `facts.before`.",
        "picked": "The very part is in the warehouse's hand; a charge, if any, is made.",
        "unpicked": "A pick was undone: the part is back on its shelf, its charge is credited.",
        "packed": "Packed and labeled.",
        "dispatched": "Handed to a courier, or to a carrier with its waybill.",
        "delivered": "The part is at the site.",
        "delivery_failed": "It could not be delivered and is planned anew; `facts.reason`.",
        "fitted": "The new part is in.",
        "confirmed": "It works again; the job is done, and what restarts has restarted.",
        "returned": "The part came back unused.",
        "return_asked": "The ticket was canceled after the hand-over: the part is to come back unused.",
        "resourced": "Another place gives the part, or another part serves.",
        "gave_way": "A higher priority took the part and none is free: the line waits for stock.",
        "source_confirmed": "A partner confirmed that it gives the part; `facts.line`, `facts.eta`.",
        "repriced": "The price of a line changed with its source.",
        "plan_agreed": "An emergency plan was agreed with the user.",
        "lost": "The part was lost; a new source is sought.",
        "canceled": "Not wanted any more; what was held is free again.",
        "held": "The clocks stand still for a reason of the customer's; `facts.reason`.",
        "resumed": "The clocks run on.",
        "reprioritized": "The user changed the priority; `facts.priority`, `facts.before`.",
        "noted": "A note was added; `facts.text`.",
        "escalated": "A clock is at 50 or 80 percent; `facts.clock`, `facts.level`.",
        "breached": "A clock was missed; the level rises and managers are told.",
    }
    return tuple(EventType(f"part_request.{name}", said, "part_request") for name, said in words.items())


TYPES: dict[str, EventType] = {
    one.name: one
    for one in (
        *_requests(),
        EventType("call_off.asked", "A partner was asked to confirm what it reports; `facts.answer_due_at`.", "facts"),
        EventType("call_off.confirmed", "The partner gives the pieces; `facts.available_at`.", "facts"),
        EventType("call_off.declined", "The partner does not give them: the next source is taken.", "facts"),
        EventType("call_off.expired", "The partner did not answer in time: the next source is taken.", "facts"),
        EventType("call_off.withdrawn", "The question no longer matters: the line moved on.", "facts"),
        EventType("verdict.given", "Covered or not, by what, who pays, and why.", "verdict"),
        EventType("charge.made", "A charge was made at the pick.", "charge"),
        EventType("charge.reversed", "A charge was credited, whole or in part.", "charge"),
        EventType("warranty.restarted", "A part's warranty runs anew after it was replaced and works.", "warranty"),
        EventType("recovery.opened", "A free replacement's cost is claimed from its payer.", "recovery", INSIDE),
        EventType("recovery.filed", "The claim was sent to the payer.", "recovery", INSIDE),
        EventType("recovery.accepted", "The payer accepted the claim.", "recovery", INSIDE),
        EventType("recovery.rejected", "The payer refused the claim.", "recovery", INSIDE),
        EventType("recovery.expired", "The claim's time ran out.", "recovery", INSIDE),
        EventType("recovery.settled", "The claim was settled, in money or in kind.", "recovery", INSIDE),
        EventType("stock.received", "Stock came in.", "facts", INSIDE),
        EventType("stock.moved", "Stock moved from one place or state to another.", "facts", INSIDE),
        EventType("stock.counted", "A shelf was counted.", "facts", INSIDE),
        EventType("stock.level_set", "What a place is kept at of a part was set.", "facts", INSIDE),
        EventType("ticket.drafted", "A ticket could not become a request by itself and waits for a person.", "facts"),
        EventType("webhook.endpoint_disabled", "An endpoint gets nothing any more, and why.", "endpoint", INSIDE),
        EventType("webhook.delivery_dead", "A delivery was given up; it can be replayed.", "facts", INSIDE),
        EventType("webhook.ping", "A test, sent on demand.", "endpoint"),
    )
}
SCHEMA_VERSION = 1
