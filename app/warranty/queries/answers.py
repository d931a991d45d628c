"""Answers for people: a device, its history, its warranty on a day, a bulk check, a stored verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core import keyset
from app.core.errors import NotFound, Reason, Unprocessable
from app.warranty.queries.facts import ALL, SCOPED, Known, by_serial, calendar_for, calendars
from app.warranty.rules.coverage import Cover, fold
from app.warranty.rules.events import UNIT
from app.warranty.rules.explain import returnable, why
from app.warranty.rules.states import State, deviating, serial_state, sitting
from app.warranty.schemas import (
    CheckedOut,
    CheckOut,
    ComponentState,
    DeviceOut,
    DevicesOut,
    DeviceState,
    EventOut,
    EventsOut,
)

DEVICE = f"""
    SELECT d.serial, i.model, i.site, i.contract, i.customer, i.delivered_on, i.accepted_on, i.oem_last_day, i.terms,
        i.positions, d.installed_on, d.replaced_on, i.version, d.created_at,
        (SELECT o.serial FROM device o WHERE o.installation = i.id AND o.ordinal = d.ordinal - 1) AS replaces,
        (SELECT o.serial FROM device o WHERE o.installation = i.id AND o.ordinal = d.ordinal + 1) AS replaced_by
    FROM device d JOIN installation i ON i.id = d.installation JOIN site s ON s.code = i.site
    WHERE {SCOPED}
"""
ONE = text(f"{DEVICE} AND d.serial = :serial").columns(terms=JSONB, positions=JSONB)
LIST = text(f"""
    {DEVICE}
    AND (CAST(:customer AS text) IS NULL OR i.customer = :customer)
    AND (CAST(:site AS text) IS NULL OR i.site = :site)
    AND (CAST(:model AS text) IS NULL OR i.model = :model)
    AND (CAST(:contract AS text) IS NULL OR i.contract = :contract)
    AND (CAST(:after AS text) IS NULL OR d.serial > CAST(:after AS text)) ORDER BY d.serial LIMIT :limit
""").columns(terms=JSONB, positions=JSONB)
EVENTS = text(f"""
    SELECT e.id, e.type, e.serial, e.occurred_at, e.recorded_at, e.actor, e.payload, e.seq AS version
    FROM device d JOIN installation i ON i.id = d.installation JOIN site s ON s.code = i.site
    JOIN warranty_event e ON e.installation = i.id
    WHERE {SCOPED} AND d.serial = :serial AND e.seq > :after ORDER BY e.seq LIMIT :limit
""").columns(payload=JSONB)
# W10, W13: each serial's day, the unit's piece of that day, and the positions that have pieces of their own.
CHECK = text(f"""
    WITH asked AS (SELECT serial, n FROM unnest(CAST(:serials AS text[])) WITH ORDINALITY AS a (serial, n))
    SELECT d.serial,
        CASE WHEN d.replaced_on <= o.on_day THEN 'replaced' WHEN d.installed_on > o.on_day THEN 'not_started'
            ELSE u.status END AS status,
        CASE WHEN here.is THEN u.last_day END AS last_day,
        CASE WHEN here.is THEN u.payer END AS payer,
        CASE WHEN here.is THEN c.covered + (p.n - c.n) * (u.status = 'covered')::int ELSE 0 END AS components_covered,
        CASE WHEN here.is THEN greatest(c.last_day, CASE WHEN p.n > c.n THEN u.last_day END) END
            AS components_last_day
    FROM asked a JOIN device d ON d.serial = a.serial JOIN installation i ON i.id = d.installation
    JOIN site s ON s.code = i.site
    CROSS JOIN LATERAL (SELECT
        coalesce(CAST(:on AS date), (CAST(:now AS timestamptz) AT TIME ZONE s.timezone)::date) AS on_day) o
    CROSS JOIN LATERAL (SELECT
        (d.replaced_on IS NULL OR d.replaced_on > o.on_day) AND (d.installed_on IS NULL OR d.installed_on <= o.on_day)
            AS is) here
    CROSS JOIN LATERAL (SELECT jsonb_array_length(i.positions) - 1 AS n) p
    JOIN coverage u ON u.installation = i.id AND u.position = 'unit' AND u.valid @> o.on_day
    CROSS JOIN LATERAL (
        SELECT count(*) AS n, count(*) FILTER (WHERE x.status = 'covered') AS covered, max(x.last_day) AS last_day
        FROM coverage x WHERE x.installation = i.id AND x.position <> 'unit' AND x.valid @> o.on_day
    ) c
    WHERE {SCOPED} ORDER BY a.n
""")
VERDICT = text("""
    SELECT v.*, (SELECT n.id FROM verdict n WHERE n.supersedes = v.id) AS superseded_by
    FROM verdict v LEFT JOIN installation i ON i.id = v.installation LEFT JOIN site s ON s.code = i.site
    WHERE v.id = :id
    AND (CAST(:scope_customers AS text[]) IS NULL OR v.customer = ANY(CAST(:scope_customers AS text[])))
    AND (CAST(:scope_areas AS text[]) IS NULL OR i.id IS NULL OR s.area = ANY(CAST(:scope_areas AS text[])))
""").columns(inputs=JSONB, outcome=JSONB)


CHECK_LIMIT = 10_000


class TooManySerials(Unprocessable):
    """More serials than one check answers."""

    code = "check.too_many"


class NoSuchVerdict(NotFound):
    """No verdict by that id that this asker may see."""

    code = "verdict.not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warranty:
    """The answer of one device; reasons still without text."""

    serial: str
    model: str
    on: date
    known_at: datetime | None
    provisional: bool
    device: DeviceState
    components: list[ComponentState]
    reasons: list[Reason]


async def device(db: AsyncConnection, *, actor: Actor, serial: str) -> DeviceOut:
    """One device, or NoSuchDevice."""
    row = (await db.execute(ONE, {**actor.scope, "serial": serial})).one_or_none()
    if row is None:
        await by_serial(db, actor=actor, serial=serial)
    return device_out(row)


def device_out(row: Any) -> DeviceOut:
    return msgspec.convert({name: getattr(row, name) for name in DeviceOut.__struct_fields__}, DeviceOut)


async def devices(
    db: AsyncConnection,
    *,
    actor: Actor,
    customer: str | None = None,
    site: str | None = None,
    model: str | None = None,
    contract: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> DevicesOut:
    """Devices by serial, filtered; keyset pages."""
    after = keyset.decode(cursor, str)[0] if cursor else None
    size = keyset.capped(limit)
    filters = {"customer": customer, "site": site, "model": model, "contract": contract}
    rows = (await db.execute(LIST, {**actor.scope, **filters, "after": after, "limit": size + 1})).all()
    items = [device_out(row) for row in rows[:size]]
    return DevicesOut(items=items, next=keyset.encode([items[-1].serial]) if len(rows) > size else None)


async def events(
    db: AsyncConnection, *, actor: Actor, serial: str, cursor: str | None = None, limit: int | None = None
) -> EventsOut:
    """The history of a device's installation in the order of recording, its predecessors' events included (W13)."""
    after = keyset.decode(cursor, int)[0] if cursor else 0
    size = keyset.capped(limit)
    binds = {**actor.scope, "serial": serial, "after": after, "limit": size + 1}
    rows = (await db.execute(EVENTS, binds)).all()
    if not rows:
        await by_serial(db, actor=actor, serial=serial)
    items = [event_out(row) for row in rows[:size]]
    more = len(rows) > size
    return EventsOut(items=items, next=keyset.encode([items[-1].version]) if more else None)


def event_out(row: Any) -> EventOut:
    return msgspec.convert({name: getattr(row, name) for name in EventOut.__struct_fields__}, EventOut)


async def warranty(
    db: AsyncConnection, *, actor: Actor, serial: str, on: date | None, known_at: datetime | None, now: datetime
) -> Warranty:
    """The warranty of a device as of a day (default today at its site) and as known at an instant (W10)."""
    found = await by_serial(db, actor=actor, serial=serial)
    terms = found.candidate.installation.terms
    calendar = calendar_for(terms, await calendars(db, terms=[terms]))
    cover = fold(found.candidate.installation, found.candidate.events, calendar, known_at)
    return answer(found, cover, on=on or cover.day_at(now), known_at=known_at)


def answer(found: Known, cover: Cover, *, on: date, known_at: datetime | None) -> Warranty:
    """Fold to answer: the unit, then every other position; positions with a history of their own add their reasons."""
    serial = found.row.serial
    unit = serial_state(cover, serial, UNIT, on)
    components = []
    unheard = known_at is not None and known_at < found.row.created_at
    reasons = [Reason("W10", "known.nothing")] if unheard else []
    reasons += why(cover, serial, UNIT, on)
    reasons += returnable(cover, on)
    own = {*deviating(cover), *(one.position for one in cover.unrestarted)}
    states = [unit]
    for position in cover.installation.positions:
        if position.name == UNIT:
            continue
        state = serial_state(cover, serial, position.name, on)
        states.append(state)
        components.append(component(cover, position.name, on, state))
        if position.name in own:
            reasons += [one for one in why(cover, serial, position.name, on) if one not in reasons]
    return Warranty(
        serial=serial,
        model=found.row.model,
        on=on,
        known_at=known_at,
        provisional=any(state.provisional for state in states),
        device=DeviceState(
            status=unit.status,
            first_day=unit.first_day,
            last_day=unit.last_day,
            days_left=unit.days_left(on),
            payer=unit.payer,
        ),
        components=components,
        reasons=reasons,
    )


def component(cover: Cover, position: str, on: date, state: State) -> ComponentState:
    frozen = cover.installation.position(position)
    return ComponentState(
        position=position,
        part_number=sitting(cover, position, on)[0],
        key=frozen is not None and frozen.key,
        status=state.status,
        first_day=state.first_day,
        last_day=state.last_day,
        payer=state.payer,
        restarted=state.restarted,
    )


async def check_serials(
    db: AsyncConnection, *, actor: Actor, serials: Sequence[str], on: date | None, now: datetime
) -> CheckOut:
    """The state of up to 10,000 serials on a day, in one statement over the materialized cover, in the order asked."""
    asked = list(dict.fromkeys(serials))
    if len(asked) > CHECK_LIMIT:
        raise TooManySerials(serials=len(asked), limit=CHECK_LIMIT)
    rows = (await db.execute(CHECK, {**actor.scope, "serials": asked, "on": on, "now": now})).all()
    items = [CheckedOut(**row._mapping) for row in rows]
    found = {item.serial for item in items}
    return CheckOut(items=items, unknown=[serial for serial in asked if serial not in found])


async def verdict(db: AsyncConnection, *, actor: Actor, verdict_id: str) -> Any:
    """A stored verdict's row with `superseded_by`, or NoSuchVerdict."""
    binds = {**ALL, **actor.scope, "id": verdict_id}
    row = (await db.execute(VERDICT, binds)).one_or_none()
    if row is None:
        raise NoSuchVerdict(id=verdict_id)
    return row
