"""From what was read to the finished queue: how long until it must have left, what to do next, who is at it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal
from urllib.parse import urlencode

from app.web.render import Words
from app.web.views import ClockView, Mark, Standing
from app.web.warehouse.queries import Facts, next_cutoff
from app.web.warehouse.views import STEPS, Chip, Queue, QueuePart, QueueRow, Step
from app.web.words import HOLD, PRIORITY, PROMISE, STANDING, clock_time, ms, span

RISK = timedelta(minutes=10)
"""Less than this until it must have left is at risk [house]."""
FIRST_ROWS = 60
STEP_OF: Mapping[str, Step] = {"accepted": "pick", "picked": "pack", "packed": "hand_over"}
STEP: Mapping[Step, str] = {"pick": "to pick", "pack": "to pack", "hand_over": "to hand over", "done": "handed over"}
LEAVES: Mapping[str, str] = {
    "courier": "leaves by {at}",
    "carrier": "carrier until {at}",
    "due": "due by {at}",
}


@dataclass(frozen=True, slots=True)
class Leaving:
    """The moment by which a line must have left, why, and with whom."""

    kind: Literal["courier", "carrier", "due"]
    at: datetime
    who: str | None


def label_of(row: Any) -> str:
    """How people call a request: its ticket's number, else the end of its id."""
    return str(row.ticket_number or f"R-{row.request[-5:].upper()}")


def due_of(line: Any) -> datetime:
    """The earliest clock that still needs the part, with the time it stood still added."""
    due: datetime = line.due_at + timedelta(seconds=line.paused_s)
    return min(due, line.done_due_at) if line.done_due_at else due


def leaving(facts: Facts, line: Any, now: datetime) -> Leaving:
    """The last moment to leave in time: what the plan needs for the way and its slack, the carrier's next cut-off, or,
    where nothing is planned, the promise itself."""
    due = due_of(line)
    planned = facts.planned.get(line.id)
    if planned is not None:
        return Leaving("courier", planned.leaves_at + (due - planned.done_at), line.courier or planned.courier)
    if line.mode == "lane" or (line.carrier and not line.courier):
        cutoff = next_cutoff(facts, line, now) or line.handover_at or due
        return Leaving("carrier", min(cutoff, due), line.carrier)
    return Leaving("due", due, line.courier)


def clock_of(line: Any, leaves: Leaving, now: datetime, say: Words) -> ClockView:
    """How long until it must have left, beside what was promised to the customer."""
    left = leaves.at - now
    standing: Standing = "late" if left < timedelta() else "risk" if left < RISK else "ok"
    if line.on_hold is not None:
        standing = "paused"
    started = min(line.received_at, leaves.at)
    whole = (leaves.at - started).total_seconds()
    due = due_of(line)
    promise = say(
        PROMISE["national" if line.kind == "national" else "local"], at=clock_time(due, line.timezone, now, say)
    )
    held = held_words(line.on_hold, say)
    return ClockView(
        standing=standing,
        word=say(STANDING[standing]),
        promise=say(LEAVES[leaves.kind], at=clock_time(leaves.at, line.timezone, now, say)),
        left=("−" if left < timedelta() else "") + span(int(left.total_seconds()), say),
        share=max(0, min(100, round(100 * left.total_seconds() / whole))) if whole > 0 else 0,
        due_ms=ms(leaves.at),
        started_ms=ms(started),
        ticking=standing != "paused",
        spare=held or promise,
        marks=(Mark(word=say("received"), at=clock_time(line.received_at, line.timezone, now, say)),),
    )


def held_words(reason: str | None, say: Words) -> str | None:
    """Why a request stands still; None while it does not."""
    if reason is None:
        return None
    return say(HOLD[reason]) if reason in HOLD else reason


def queue(facts: Facts, *, now: datetime, say: Words, place: str | None, step: str | None, everything: bool) -> Queue:
    """The rows by slack, and what they can be narrowed to."""
    rows = rows_of(facts, now=now, say=say)
    at_place = [row for row in rows if place is None or row.place == place]
    chosen = [row for row in at_place if step is None or row.step == step]
    kept = {name: value for name, value in (("place", place), ("step", step)) if value}
    shown = chosen if everything else chosen[:FIRST_ROWS]
    return Queue(
        rows=tuple(shown),
        shown=len(chosen),
        places=_places(rows, place, step, say),
        steps=_steps(at_place, place, step, say),
        address=_address(kept),
        live="/picking/live?" + urlencode(kept | ({"show": "all"} if everything else {})),
        paper="/picking/list.pdf" + (f"?{urlencode({'place': place})}" if place else ""),
        all_address=_address(kept | {"show": "all"}),
        now_ms=ms(now),
        zones=tuple(sorted({line.timezone for line in facts.lines})),
        several=len({row.place for row in rows}) > 1,
    )


def rows_of(facts: Facts, *, now: datetime, say: Words) -> list[QueueRow]:
    """One row for what a request wants from a place; the least slack first, what stands still last."""

    def key(line: Any) -> tuple[str, str]:
        return line.request, line.source

    found = []
    for _, group in groupby(sorted(facts.lines, key=lambda line: (*key(line), line.n)), key=key):
        lines = list(group)
        urgent = min(((leaving(facts, line, now), line) for line in lines), key=lambda pair: pair[0].at)
        found.append((urgent[1].on_hold is not None, urgent[0].at, row_of(facts, lines, urgent, now, say)))
    return [row for *_, row in sorted(found, key=lambda each: (each[0], each[1], each[2].id))]


def row_of(facts: Facts, lines: Sequence[Any], urgent: tuple[Leaving, Any], now: datetime, say: Words) -> QueueRow:
    leaves, first = urgent
    step = next_step(lines)
    return QueueRow(
        id=f"{first.request}-{first.source}",
        request=first.request,
        place=first.source,
        place_name=first.place_name,
        label=label_of(first),
        site=first.site_name,
        customer=first.customer_name,
        priority=first.priority,
        priority_word=say(PRIORITY[first.priority]),
        parts=tuple(
            QueuePart(number=line.part, name=line.part_name, quantity=line.quantity, bins=bins_of(facts, line))
            for line in lines
        ),
        way=way_words(facts, leaves, say),
        step=step,
        step_word=say(STEP[step]),
        clock=clock_of(first, leaves, now, say),
        at_it=at_it(facts, first.request, {first.source}, say) if step == "pick" else None,
    )


def next_step(lines: Iterable[Any]) -> Step:
    """What is to be done next: the first step that some line still waits for."""
    waiting = {STEP_OF[line.state] for line in lines if line.state in STEP_OF}
    return next((step for step in STEPS if step in waiting), "done")


def bins_of(facts: Facts, line: Any) -> tuple[str, ...]:
    """Where the pieces held for a line lie, or lay."""
    live = [one for one in facts.pieces.get(line.id, ()) if one.state in ("held", "issued") and one.out]
    return tuple(sorted({one.bin for one in live if one.bin}))


def way_words(facts: Facts, leaves: Leaving, say: Words) -> str:
    """With whom it leaves, in words."""
    if leaves.who is None:
        return say("no courier planned yet") if leaves.kind == "due" else ""
    return next((str(one.name) for one in facts.couriers if one.code == leaves.who), leaves.who)


def at_it(facts: Facts, request: str, places: set[str], say: Words) -> str | None:
    """Who else is at this pick just now."""
    names = [one.name for one in facts.claims if one.request == request and one.place in places]
    return say("being picked by {names}", names=list(dict.fromkeys(names))) if names else None


def _places(rows: Sequence[QueueRow], place: str | None, step: str | None, say: Words) -> tuple[Chip, ...]:
    names = {row.place: row.place_name for row in rows}
    if len(names) < 2 and place is None:
        return ()
    kept = {"step": step} if step else {}
    every = Chip(words=say("All places"), count=len(rows), address=_address(kept), chosen=place is None)
    return (
        every,
        *(
            Chip(
                words=name,
                count=sum(row.place == code for row in rows),
                address=_address(kept | {"place": code}),
                chosen=place == code,
            )
            for code, name in sorted(names.items())
        ),
    )


def _steps(rows: Sequence[QueueRow], place: str | None, step: str | None, say: Words) -> tuple[Chip, ...]:
    kept = {"place": place} if place else {}
    chips = [Chip(words=say("All steps"), count=len(rows), address=_address(kept), chosen=step is None)]
    for one in STEPS:
        count = sum(row.step == one for row in rows)
        address = _address(kept | {"step": one})
        chips.append(Chip(words=say(STEP[one]), count=count, address=address, chosen=step == one))
    return tuple(chips)


def _address(kept: Mapping[str, str]) -> str:
    return "/picking" + (f"?{urlencode(kept)}" if kept else "")
