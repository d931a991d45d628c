"""From what was read to the finished page on which a part is asked for, and to the promise it shows beforehand."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.core.http import ReasonOut
from app.core.i18n import Language, text
from app.fulfillment.rules.clocks import PRIORITIES
from app.fulfillment.schemas import LineOut, RequestOut
from app.fulfillment.service.proposing import Proposal
from app.fulfillment.service.refusals import NotEnough
from app.warranty.rules.verdict import outcome
from app.web.engineer.schematic import Position, Schematic, schematic
from app.web.engineer.words import BAD, CAUSE, for_field, full_time
from app.web.render import Words
from app.web.verdict import Verdict, stored_verdict
from app.web.words import PRIORITY, PROMISE, clock_time, span

UNIT = "unit"
ANSWER: Mapping[str, str] = {
    "answer": "answer within {time}",
    "depart": "set out within {time}",
    "on_site": "on site within {time}",
    "done": "running within {time}",
    "done_after_arrival": "running {time} after arrival",
}
DIALS = ("answer", "depart", "on_site", "done", "done_after_arrival")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A priority with what it means and the times the contract gives it."""

    value: str
    word: str
    bad: str
    times: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskView:
    """The page: who failed, where, and everything that can be chosen."""

    serial: str | None
    site: str
    site_name: str
    customer: str
    model: str
    model_name: str
    zone: str
    now_field: str
    verdict: Verdict | None
    unit: Position
    positions: tuple[Position, ...]
    drawing: Schematic
    causes: tuple[tuple[str, str], ...]
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """One line of the promise: when, from where, by whom, and why so."""

    by: str
    plan: str
    late: bool
    way: tuple[str, ...]
    part: str
    substitute: bool
    why: tuple[str, ...]
    instead: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseView:
    """The promise before anything is held."""

    verdict: Verdict
    lines: tuple[Promised, ...]
    price: str
    price_words: str
    restart: str
    duplicates: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPromise:
    """Why nothing can be promised, and what to do."""

    sentence: str
    details: tuple[str, ...]
    advice: str


def positions_of(
    facts: Iterable[Any], sitting: Mapping[str, str], names: Mapping[str, str], say: Words
) -> tuple[Position, tuple[Position, ...]]:
    """The unit, and the other positions with key parts first. `sitting` is what is in a position now."""
    found = []
    unit = None
    for one in facts:
        number = sitting.get(one.position, one.part_number)
        name = names.get(number)
        words = (
            say("the whole device") if one.position == UNIT else f"{name} · {one.position}" if name else one.position
        )
        made = Position(name=one.position, part_number=number, words=words, key=one.key)
        if one.position == UNIT:
            unit = made
        else:
            found.append(made)
    unit = unit or Position(name=UNIT, part_number="", words=say("the whole device"), key=True)
    return unit, tuple(sorted(found, key=lambda one: (not one.key, one.name)))


def ask_view(
    *,
    serial: str | None,
    site: str,
    where: Any,
    model: str,
    model_name: str,
    verdict: Verdict | None,
    unit: Position,
    positions: tuple[Position, ...],
    clocks: Mapping[str, Any],
    now: datetime,
    say: Words,
) -> AskView:
    """The finished page."""
    return AskView(
        serial=serial,
        site=site,
        site_name=where.site_name,
        customer=where.customer_name,
        model=model,
        model_name=model_name,
        zone=where.timezone,
        now_field=for_field(now, where.timezone),
        verdict=verdict,
        unit=unit,
        positions=positions,
        drawing=schematic(model_name, positions),
        causes=tuple((code, say(CAUSE[code])) for code in CAUSE),
        levels=tuple(level_of(one, clocks[one], say) for one in reversed(PRIORITIES)),
    )


def level_of(priority: Any, minutes: Mapping[str, int | None], say: Words) -> Level:
    """`severe: often, business is affected; answer within 5 min, set out within 1 h …`"""
    dials = ((one, minutes.get(f"{one}_minutes")) for one in DIALS)
    times = [say(ANSWER[one], time=spoken(minutes, say)) for one, minutes in dials if minutes is not None]
    return Level(
        value=priority,
        word=say(PRIORITY[priority]),
        bad=say(BAD[priority]),
        times=("，" if say.language == "zh-CN" else ", ").join(times),
    )


def spoken(minutes: int, say: Words) -> str:
    """Minutes as people say them."""
    if minutes < 60 or minutes % 60:
        return say("{minutes} min", minutes=minutes)
    return say("{hours} h", hours=minutes // 60)


def told(reasons: Iterable[ReasonOut], names: Mapping[str, str], language: Language) -> tuple[str, ...]:
    """Reasons with names of places and people in the place of their codes."""
    return tuple(dict.fromkeys(text(one.code, named(one.facts, names), language) for one in reasons))


def instead_told(
    line: LineOut, names: Mapping[str, str], written: Callable[[datetime], str], say: Words
) -> tuple[tuple[str, str], ...]:
    """The ways not taken, next best first: from where and when it would have come, and why not."""
    found = []
    for one in line.alternatives:
        where = names.get(one.place, one.place)
        if one.eta is not None:
            where = f"{where} · {say('there about {at}', at=written(one.eta))}"
        found.append((where, told([one.reason], names, say.language)[0]))
    return tuple(found)


def named(facts: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    found = dict(facts)
    for key in ("place", "courier", "area"):
        if isinstance(found.get(key), str):
            found[key] = names.get(found[key], found[key])
    if isinstance(found.get("places"), list):
        found["places"] = [names.get(one, one) for one in found["places"]]
    return found


def promise_view(
    proposal: Proposal,
    shown: RequestOut,
    *,
    names: Mapping[str, str],
    zone: str,
    duplicates: Sequence[Any],
    now: datetime,
    say: Words,
) -> PromiseView:
    """The promise in words."""
    decided = proposal.decision.lines[0]
    plain = outcome(decided.verdict, decided.inputs)
    restart = plain["restart_if_confirmed"]
    return PromiseView(
        verdict=stored_verdict(plain, shown.entitlement.reasons, say),
        lines=tuple(
            promised(line, made.way.courier, names=names, zone=zone, now=now, say=say)
            for line, made in zip(shown.lines, proposal.decision.lines, strict=True)
        ),
        price=price_told(shown, say),
        price_words=price_meant(shown, say),
        restart=say("Once it runs again, its warranty starts anew, to {day}.", day=restart["last_day"])
        if restart
        else "",
        duplicates=tuple(
            (f"/requests/{one.id}", one.ticket_number or f"R-{one.id[-5:].upper()}", full_time(one.received_at, zone))
            for one in duplicates
        ),
    )


def promised(
    line: LineOut, courier: str | None, *, names: Mapping[str, str], zone: str, now: datetime, say: Words
) -> Promised:
    """When it is promised and planned, and the way there."""
    due = line.commitment.due_at
    planned = line.handover_at if line.commitment.kind == "national" else line.eta
    plan = ""
    if planned is not None:
        spare = int((due - planned).total_seconds())
        at = clock_time(planned, zone, now, say)
        plan = (
            say("plan {at}, {spare} to spare", at=at, spare=span(spare, say))
            if spare >= 0
            else say("plan {at}, {late} too late", at=at, late=span(-(-spare // 60) * 60, say))
        )
    return Promised(
        by=say(PROMISE[line.commitment.kind], at=clock_time(due, zone, now, say)),
        plan=plan,
        late=planned is None or planned > due,
        way=tuple(way_told(line, courier, names=names, zone=zone, now=now, say=say)),
        part=f"{names.get(line.supplied_part_number, line.supplied_part_number)} ×{line.quantity}",
        substitute=line.supplied_part_number != line.part_number,
        why=told([*line.commitment.reasons, *line.reasons], names, say.language),
        instead=instead_told(line, names, lambda at: clock_time(at, zone, now, say), say),
    )


def way_told(
    line: LineOut, courier: str | None, *, names: Mapping[str, str], zone: str, now: datetime, say: Words
) -> Iterable[str]:
    """From where, by whom, there when."""
    yield say("from {place}", place=names.get(line.source, line.source))
    if line.mode == "courier":
        driver = names.get(courier or "", courier)
        yield say("{courier} drives", courier=driver) if driver else say("a courier drives")
    elif line.mode == "lane":
        if line.handover_at:
            at = clock_time(line.handover_at, zone, now, say)
            yield say("leaves with {carrier} at {at}", carrier=line.carrier or "", at=at)
        if line.eta:
            yield say("there about {at}", at=clock_time(line.eta, zone, now, say))
    else:
        yield say("no way to bring it yet")


def price_told(shown: RequestOut, say: Words) -> str:
    """Free, or the amount with its currency."""
    if shown.price is None:
        return ""
    return say("Free") if is_free(shown) else f"{shown.price.amount} {shown.price.currency}"


def is_free(shown: RequestOut) -> bool:
    return shown.price is not None and float(shown.price.amount) == 0


def price_meant(shown: RequestOut, say: Words) -> str:
    """Who pays, and what the amount is made of."""
    if shown.price is None:
        return ""
    if is_free(shown):
        return say("Part, transport and work cost the customer nothing.")
    words = say("What the part cost us; work and transport are free. The customer has to agree before it is sent.")
    if float(shown.price.tax) > 0:
        words += " " + say("Net {net}, tax {tax}.", net=shown.price.net, tax=shown.price.tax)
    return words


def no_stock(refused: NotEnough, names: Mapping[str, str], say: Words) -> NoPromise:
    """Too little stock: what is free where, and what can be done."""
    facts = refused.facts
    part = names.get(facts["part_number"], facts["part_number"])
    free = [
        say("{place}: {count} of {part}", place=names.get(one["place"], one["place"]), count=one["free"],
            part=names.get(one["part_number"], one["part_number"]))
        for one in facts["free"]
        if one["free"]
    ]  # fmt: skip
    advice = say("Ask the dispatcher for an emergency plan or a loaner; that this was needed is remembered.")
    if facts.get("dispatcher_could"):
        advice = (
            say("Pieces are held for a lower priority: ask the dispatcher to approve that it gives way.") + " " + advice
        )
    return NoPromise(
        sentence=say("{part} is nowhere to be had now: {free} free, {asked} needed.", part=part,
                     free=facts["available"], asked=facts["requested"]),
        details=tuple(free),
        advice=advice,
    )  # fmt: skip


def day_of(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
