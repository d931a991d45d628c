"""What is promised for a line (C1-C3): local or national, by the stock at that moment or by the contract's assortment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.core.errors import Reason

Kind = Literal["local", "national"]


@dataclass(frozen=True, slots=True)
class Demand:
    """One asked line."""

    part_number: str
    quantity: int


@dataclass(frozen=True, slots=True)
class LocalStock:
    """Free pieces of ours that serve the site's area, by part: the asked one and its substitutes in P4's order."""

    area: str | None
    free: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Promise:
    """Part of a line under one commitment: how many pieces, which kind, due when, and why."""

    quantity: int
    kind: Kind
    due_at: datetime
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides commitments: the contract's hours, its assortment where it has one, and the asker's wishes.

    `assortment` None means the letter's rule (stock at that moment decides).
    """

    local_hours: int = 2
    national_hours: int = 8
    assortment: frozenset[str] | None = None
    accept_substitutes: bool = True
    allow_split: bool = True


def decide_commitment(
    demand: Demand,
    *,
    local: LocalStock,
    substitutes: tuple[str, ...],
    rules: Rules,
    received_at: datetime,
    best_effort: bool = False,
) -> list[Promise]:
    """The commitments of a line, decided once at acceptance (C3); hours run from `received_at`, added in UTC.

    `best_effort`: the warranty is over and the contract commits to nothing then; the line still gets the longer clock.
    """
    national_due = received_at + timedelta(hours=rules.national_hours)
    local_due = received_at + timedelta(hours=rules.local_hours)
    facts = {"part_number": demand.part_number, "area": local.area, "hours": rules.local_hours}
    if best_effort:
        facts["hours"] = rules.national_hours
        return [Promise(demand.quantity, "national", national_due, (Reason("C3", "commitment.best_effort", facts),))]
    if rules.assortment is not None:
        if demand.part_number in rules.assortment:
            return [Promise(demand.quantity, "local", local_due, (Reason("C3", "commitment.listed", facts),))]
        facts["hours"] = rules.national_hours
        return [Promise(demand.quantity, "national", national_due, (Reason("C3", "commitment.not_listed", facts),))]
    usable = (demand.part_number, *(substitutes if rules.accept_substitutes else ()))
    free = sum(local.free.get(part, 0) for part in dict.fromkeys(usable))
    facts |= {"free": free, "quantity": demand.quantity}
    if free >= demand.quantity:
        own = local.free.get(demand.part_number, 0) >= demand.quantity
        code = "commitment.local_stock" if own else "commitment.local_substitute"
        return [Promise(demand.quantity, "local", local_due, (Reason("C1", code, facts),))]
    facts["hours"] = rules.national_hours
    if free == 0:
        return [Promise(demand.quantity, "national", national_due, (Reason("C2", "commitment.no_local_stock", facts),))]
    facts["short"] = demand.quantity - free
    if not rules.allow_split:
        return [Promise(demand.quantity, "national", national_due, (Reason("C3", "commitment.local_short", facts),))]
    return [
        Promise(
            free, "local", local_due, (Reason("C3", "commitment.split_local", facts | {"hours": rules.local_hours}),)
        ),
        Promise(demand.quantity - free, "national", national_due, (Reason("C3", "commitment.split_national", facts),)),
    ]
