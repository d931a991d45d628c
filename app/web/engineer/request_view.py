"""From what was read to the finished page of a request: its clocks, its way, what was promised, every step."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.accounts.rules import Actor
from app.core.money import Money
from app.fulfillment.queries.requests import Loaded
from app.fulfillment.rules.states import ENDED
from app.fulfillment.schemas import LineOut, RequestOut
from app.web import addresses
from app.web.engineer.actions import Action, actions_of, held_by_hand
from app.web.engineer.ask_view import instead_told, is_free, price_meant, price_told, told
from app.web.engineer.known import Known, part_told
from app.web.engineer.progress import EndedClock, Stage, clocks_told, ended_clock, stages_of
from app.web.engineer.trail import TrailRow, trail_row
from app.web.engineer.words import CAUSE, FOUND, LINE, OLD_PART, full_time
from app.web.render import Words
from app.web.verdict import Verdict, stored_verdict
from app.web.views import ClockView
from app.web.words import HOLD, PRIORITY, ms


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One line: the part and its way."""

    id: str
    part: str
    number: str
    asked: str | None
    state: str
    state_word: str
    ended: bool
    way: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    why: tuple[str, ...]
    instead: tuple[tuple[str, str], ...]
    serials: tuple[str, ...]
    """The serials issued for it: what may be fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoView:
    """A photo and who took it."""

    id: str
    address: str
    by: str
    at: str
    removable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """Everything the page shows."""

    id: str
    label: str
    version: int
    state: str
    state_word: str
    now_ms: int
    priority: str
    priority_word: str
    site: str
    site_name: str
    place: str
    contact: str
    customer: str
    serial: str | None
    device: str | None
    model: str
    contract: str
    zone: str
    on_hold: str
    clock: ClockView | None
    clocks: tuple[ClockView, ...]
    ended: tuple[EndedClock, ...]
    stages: tuple[Stage, ...]
    verdict: Verdict
    verdict_address: str
    lines: tuple[LineView, ...]
    price: str
    price_words: str
    free: bool
    quote: str
    ticket: tuple[str, str] | None
    failure: tuple[tuple[str, str], ...]
    description: str
    trail: tuple[TrailRow, ...]
    photos: tuple[PhotoView, ...]
    actions: tuple[Action, ...]
    serials: tuple[str, ...]
    restart: str
    charged: str
    allowed_priorities: tuple[tuple[str, str], ...]


def request_view(loaded: Loaded, shown: RequestOut, known: Known, *, actor: Actor) -> RequestView:
    """The finished page of one asker at one moment."""
    row, frame, say, zone = loaded.row, known.frame, known.frame.say, known.where.timezone
    found = loaded.clocks(frame.now)
    by_hand = held_by_hand(loaded)
    lead, others = clocks_told(loaded, found, known)
    deciding = shown.entitlement
    outcome = loaded.verdicts[deciding.verdict or ""]
    restart = outcome["restart_if_confirmed"]
    return RequestView(
        id=row.id,
        label=row.ticket_number or f"R-{row.id[-5:].upper()}",
        version=row.version,
        state=row.state,
        state_word=say(LINE[row.state]),
        now_ms=ms(frame.now),
        priority=row.priority,
        priority_word=say(PRIORITY[row.priority]),
        site=row.site,
        site_name=known.where.site_name,
        place=known.where.address or "",
        contact=known.where.contact or "",
        customer=known.where.customer_name,
        serial=row.device_serial,
        device=f"/devices/{quote(row.device_serial, safe='')}" if row.device_serial else None,
        model=known.model_name,
        contract=row.contract,
        zone=zone,
        on_hold=say(HOLD[row.on_hold]) if row.on_hold in HOLD else row.on_hold or "",
        clock=lead,
        clocks=others,
        ended=tuple(ended_clock(one, known) for one in found if one.ended_at is not None),
        stages=stages_of(loaded, zone, say),
        verdict=stored_verdict(outcome, deciding.reasons, say),
        verdict_address=f"/verdicts/{deciding.verdict}",
        lines=tuple(line_view(one, loaded, known) for one in shown.lines),
        price=price_told(shown, say),
        price_words=price_meant(shown, say),
        free=is_free(shown),
        quote=frame.at(shown.quote_expires_at, zone) if shown.quote_expires_at else "",
        ticket=(row.ticket_number, addresses.elsewhere(row.ticket_url)) if row.ticket_number else None,
        failure=failure_told(row, zone, say),
        description=row.description or "",
        trail=tuple(trail_row(one, loaded, known) for one in reversed(loaded.steps)),
        photos=tuple(photo_view(one, row.id, known, actor) for one in known.photos),
        actions=actions_of(loaded, found, role=actor.role, on_hold=by_hand, say=say),
        serials=tuple(serial for line in loaded.lines for serial in issued(loaded, line.id)),
        restart=say("Once confirmed, the warranty of {position} starts anew, to {day}.",
                    position=outcome["coverage"]["position"], day=restart["last_day"]) if restart else "",
        charged=charged(loaded) if actor.sees_price else "",
        allowed_priorities=tuple((code, say(PRIORITY[code])) for code in PRIORITY if code != row.priority),
    )  # fmt: skip


def line_view(line: LineOut, loaded: Loaded, known: Known) -> LineView:
    """The part, its way in words, and what identifies it."""
    say, names, frame, zone = known.frame.say, known.names, known.frame, known.where.timezone
    way = [say("from {place}", place=names.get(line.source, line.source))]
    driver = line.courier or frame.drivers.get(line.id or "")
    if driver:
        way.append(say("{courier} drives", courier=names.get(driver, driver)))
    if line.carrier:
        way.append(say("by {carrier}, waybill {waybill}", carrier=line.carrier, waybill=line.waybill)
                   if line.waybill else say("by {carrier}", carrier=line.carrier))  # fmt: skip
    planned = frame.finishes.get(line.id or "") or line.eta
    if planned and line.state in ("accepted", "awaiting_consent", "picked", "packed", "dispatched"):
        way.append(say("there about {at}", at=frame.at(planned, zone)))
    facts = (
        (say("Lot"), line.lot),
        (say("Serial"), line.serial),
        (say("Fitted"), line.fitted_serial),
        (say("Taken out"), line.removed_serial),
        (say("Old part"), say(OLD_PART[line.old_part]) if line.old_part else None),
    )
    return LineView(
        id=line.id or "",
        part=part_told(line, names),
        number=line.supplied_part_number,
        asked=line.part_number if line.part_number != line.supplied_part_number else None,
        state=line.state,
        state_word=say(LINE[line.state]),
        ended=line.state in ENDED,
        way=tuple(way),
        facts=tuple((word, value) for word, value in facts if value),
        why=told([*line.commitment.reasons, *line.reasons], names, say.language),
        instead=instead_told(line, names, lambda at: frame.at(at, zone), say),
        serials=issued(loaded, line.id or ""),
    )


def issued(loaded: Loaded, line: str) -> tuple[str, ...]:
    return tuple(one.serial for one in loaded.reserved.get(line, ()) if one.state == "issued" and one.serial)


def charged(loaded: Loaded) -> str:
    """What picked lines were charged, which giving them up reverses; empty where nothing was."""
    states = ("picked", "packed", "dispatched", "delivered")
    minor = sum(line.gross_minor for line in loaded.lines if line.state in states)
    return f"{Money(minor, loaded.row.currency).amount} {loaded.row.currency}" if minor else ""


def failure_told(row: Any, zone: str, say: Words) -> tuple[tuple[str, str], ...]:
    stopped = say("yes") if row.system_stopped else say("no")
    return (
        (say("Failed at"), full_time(row.failed_at, zone)),
        (say("Cause"), say(CAUSE[row.cause])),
        (say("System stopped"), stopped),
        (say("Found"), say(FOUND[row.found_on])),
    )


def photo_view(row: Any, request_id: str, known: Known, actor: Actor) -> PhotoView:
    return PhotoView(
        id=row.id,
        address=f"/requests/{request_id}/photos/{row.id}/photo.jpg",
        by=known.people.get(row.taken_by, row.taken_by),
        at=full_time(row.at, known.where.timezone),
        removable=row.taken_by == actor.id or actor.role in ("dispatcher", "admin"),
    )
