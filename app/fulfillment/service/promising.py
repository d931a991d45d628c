"""A promise without a request: what would be written, as if it were, and nothing held."""

from datetime import datetime
from typing import Any

from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.states import State, request_state
from app.fulfillment.service.accept import line_row, request_row
from app.fulfillment.service.proposing import Proposal
from app.fulfillment.service.records import Written
from app.stock.queries.holds import Reserved
from app.warranty.rules.verdict import outcome


def as_if_accepted(proposal: Proposal, *, by: str, now: datetime) -> Loaded:
    """The proposal in the shape of a request, with the pieces that would be bound."""
    verdicts: dict[str, Any] = {}
    rows, reserved = [], {}
    for number, line in enumerate(proposal.decision.lines, 1):
        verdicts[line.inputs.position] = outcome(line.verdict, line.inputs)
        row = line_row(proposal, "", number, line, line.inputs.position, now) | {"id": str(number)}
        rows.append(row)
        hold = Reserved(
            id="", reference=row["id"], place=line.offer.place, part=line.offer.part, condition="new", genuine=True,
            layer=0, quantity=line.quantity, value_minor=line.cost_minor, currency=line.cost_currency, state="held",
            provisional=line.provisional, awaiting_consent=line.awaits_consent, expires_at=None, lot=line.lot,
            serial=line.serial,
        )  # fmt: skip
        reserved[row["id"]] = (hold,)
    state = request_state(State(row["state"]) for row in rows)
    request = request_row(proposal, "", state, by, now)
    return Loaded(
        row=Written(request | {"on_hold": None, "id": None}),
        lines=tuple(Written(row) for row in rows),
        steps=(),
        verdicts=verdicts,
        reserved=reserved,
    )
