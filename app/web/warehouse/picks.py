"""From what was read to one finished pick: its lines with what to scan, who takes it, and what was done already."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from app.accounts.rules import Actor
from app.stock.queries import Reserved
from app.web.render import Words
from app.web.warehouse.queries import Facts
from app.web.warehouse.queue import (
    STEP,
    STEP_OF,
    at_it,
    bins_of,
    clock_of,
    held_words,
    label_of,
    leaving,
    next_step,
    way_words,
)
from app.web.warehouse.views import Courier, Pick, PickLine, Step
from app.web.words import PRIORITY, clock_time, ms

DONE: Mapping[str, str] = {
    "picked": "picked by {who}, {at}",
    "packed": "packed by {who}, {at}",
    "dispatched": "handed over by {who}, {at}",
    "unpicked": "put back by {who}, {at}",
}
LATER = ("dispatched", "delivered", "fitted", "confirmed")
Equal = Mapping[str, Sequence[tuple[str, str | None]]]


def pick_of(facts: Facts, steps: Sequence[Any], equal: Equal, *, actor: Actor, now: datetime, say: Words) -> Pick:
    """One request at this actor's places, as the handheld shows it."""
    first = facts.lines[0]
    open_lines = [line for line in facts.lines if line.state in STEP_OF] or list(facts.lines)
    leaves, urgent = min(((leaving(facts, line, now), line) for line in open_lines), key=lambda pair: pair[0].at)
    step = next_step(facts.lines)
    places = {line.source: line.place_name for line in facts.lines}
    lines = tuple(_line(facts, line, steps, equal, actor, now, say) for line in facts.lines)
    warned = at_it(facts, first.request, set(places), say) if step == "pick" else None
    waits = {line.id for line in facts.lines if line.state in ("accepted", "picked")}
    others = [one for one in steps if one.verb == "picked" and one.line in waits and one.actor != actor.id]
    return Pick(
        id=first.request,
        label=label_of(first),
        site=first.site_name,
        address=first.address,
        customer=first.customer_name,
        priority=first.priority,
        priority_word=say(PRIORITY[first.priority]),
        places=" · ".join(places.values()),
        step=step,
        clock=clock_of(urgent, leaves, now, say),
        way=way_words(facts, leaves, say),
        way_kind="carrier" if leaves.kind == "carrier" else "courier",
        lines=lines,
        couriers=_couriers(facts, leaves.who if leaves.kind != "carrier" else None),
        carriers=tuple(dict.fromkeys(one.carrier for one in facts.lanes)),
        carrier=urgent.carrier,
        at_it=warned,
        by_others=_said(others[-1], urgent.timezone, now, say) if others and step != "pick" else None,
        held_up=held_words(first.on_hold, say),
        now_ms=ms(now),
        sum=_sum(lines, warned, first.version),
    )


def _line(
    facts: Facts, line: Any, steps: Sequence[Any], equal: Equal, actor: Actor, now: datetime, say: Words
) -> PickLine:
    last = next((one for one in reversed(steps) if one.line == line.id), None)
    live = [one for one in facts.pieces.get(line.id, ()) if one.state in ("held", "issued") and one.out]
    shown = [one.serial or one.lot for one in live if one.serial or one.lot]
    step: Step = STEP_OF.get(line.state, "done")
    return PickLine(
        id=line.id,
        n=line.n,
        part=line.part,
        name=line.part_name,
        quantity=line.quantity,
        bins=bins_of(facts, line),
        pieces=tuple(str(one) for one in shown),
        tracking=line.tracking,
        state=line.state,
        step=step,
        step_word=say(STEP[step]) if step != "done" or line.state in LATER else say("no longer needed"),
        said=_said(last, line.timezone, now, say) if last is not None else None,
        undone=last is not None and last.verb == "unpicked" and last.actor != actor.id,
        plan=msgspec.json.encode(plan_of(line, [one for one in live if one.state == "held"], equal)).decode(),
    )


def plan_of(line: Any, held: Sequence[Reserved], equal: Equal) -> dict[str, Any]:
    """What the device checks scans against: bin by bin the codes that settle it, each with how many it stands for."""
    groups: dict[str | None, dict[str, int]] = {}
    for one in sorted(held, key=lambda piece: (piece.bin or "", piece.serial or piece.lot or "")):
        code = _code(line, one)
        group = groups.setdefault(one.bin, {})
        group[code] = group.get(code, 0) + one.quantity
    return {
        "id": line.id,
        "part": line.part,
        "tracking": line.tracking,
        "groups": [{"bin": place, "codes": codes} for place, codes in groups.items()],
        "instead": dict(equal.get(line.id, ())) if line.tracking == "serial" else {},
        "held": hashlib.sha256("".join(one.id for one in held).encode()).hexdigest()[:12],
    }


def _code(line: Any, one: Reserved) -> str:
    """What a scanner reads on the piece: an untracked part's lot is only noted, never asked for."""
    if line.tracking == "none":
        return one.part
    return one.serial or one.lot or one.part


def _said(step: Any, zone: str, now: datetime, say: Words) -> str | None:
    if step.verb not in DONE:
        return None
    return say(DONE[step.verb], who=step.name or say("somebody else"), at=clock_time(step.occurred_at, zone, now, say))


def _couriers(facts: Facts, planned: str | None) -> tuple[Courier, ...]:
    """The planned one first, then those of the place and its area."""
    found = [Courier(code=one.code, name=one.name, planned=one.code == planned) for one in facts.couriers]
    return tuple(sorted(found, key=lambda one: (not one.planned, one.code)))


def _sum(lines: Sequence[PickLine], warned: str | None, version: int) -> str:
    """Tells whether a page that shows this pick is still right."""
    whole = msgspec.json.encode([[line.state, line.plan] for line in lines])
    return hashlib.sha256(whole + (warned or "").encode() + str(version).encode()).hexdigest()[:16]
