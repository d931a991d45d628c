"""Appending what happened to devices: one event from a door, thousands from an import, settlements by a duty."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor, duty_actor
from app.core.errors import FieldError, Refusal
from app.core.events import Event as Announced
from app.core.events import announce_all
from app.core.http import Expected, check_version, constraint_of
from app.core.ids import new_id
from app.network.queries import NoSuchSite
from app.warranty.queries.answers import event_out
from app.warranty.queries.facts import ALL, NoSuchDevice, by_installations, by_serials, calendars
from app.warranty.rules.admission import Offered, refused_because
from app.warranty.rules.coverage import Cover, fold
from app.warranty.rules.events import Accepted, Corrected, DeviceReplaced, Event, Transferred, What
from app.warranty.rules.terms import Terms
from app.warranty.schemas import EventIn, EventOut, EventRow
from app.warranty.service.refusals import SerialTaken, refusal_of
from app.warranty.service.registration import SITES, TAKEN, ImportRefused
from app.warranty.service.wire_events import what_of_wire
from app.warranty.service.writing import History, announced, event_row, lock, store_histories, terms_on

UNSETTLED_FOR = timedelta(days=30)
OPEN_CAUSES = text("""
    SELECT e.installation, e.id, e.serial FROM warranty_event e
    WHERE e.payload ->> 'cause' = 'undetermined' AND e.type <> 'corrected' AND e.recorded_at <= :before
    AND NOT EXISTS (
        SELECT FROM warranty_event c WHERE c.corrects = e.id
        AND (jsonb_exists(c.payload -> 'changes', 'cause') OR c.payload -> 'withdrawn' = 'true')
    )
    ORDER BY e.installation, e.seq LIMIT 500
""")
ROLLING = text("""
    SELECT i.id, i.calendar_version, i.terms ->> 'calendar' AS country FROM installation i
    WHERE i.terms -> 'holiday_rollover' = 'true' AND i.id > :after ORDER BY i.id LIMIT 500
""")


@dataclass(slots=True)
class Batch:
    """The histories some rows touch, and what those rows refer to."""

    by_serial: dict[str, History]
    sites: dict[str, Any]
    taken: set[str]
    terms: dict[Any, dict[str, Any]]

    @property
    def histories(self) -> list[History]:
        return list({id(one): one for one in self.by_serial.values()}.values())


async def append_event(
    db: AsyncConnection,
    *,
    actor: Actor,
    serial: str,
    new: EventIn,
    now: datetime,
    expected_version: Expected = None,
) -> EventOut:
    """Append one event to a device's history and rebuild its cover in the same transaction (W10).

    Raises NoSuchDevice, BadFields, or the refusal of the rule that forbids it.
    """
    batch = await gather(db, actor=actor, rows=[EventRow(serial=serial, event=new)])
    if serial not in batch.by_serial:
        raise NoSuchDevice(serial=serial)
    history = batch.by_serial[serial]
    check_version(history.known.row.version, expected_version)
    event = admit(batch, serial, new, now)
    await store(db, batch, actor=actor, now=now)
    row = event_row(history, serial, event, actor.id)
    return event_out(Written(row | {"version": event.seq}))


class Written:
    """A row just written, read like one from the database."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.__dict__.update(row)


async def import_events(db: AsyncConnection, *, actor: Actor, rows: Sequence[EventRow], now: datetime) -> int:
    """Append many events or none, in the order of happening; gives how many.

    Rows without `occurred_at` happened now. A row may belong to a serial that an earlier row's swap brings in.
    Raises ImportRefused naming every bad row (`rows.<n>`).
    """
    batch = await gather(db, actor=actor, rows=rows)
    errors = []
    for at in sorted(range(len(rows)), key=lambda at: (rows[at].event.occurred_at or now, at)):
        row = rows[at]
        try:
            if row.serial not in batch.by_serial:
                raise NoSuchDevice(serial=row.serial)
            admit(batch, row.serial, row.event, now)
        except Refusal as refusal:
            fields = [FieldError(f"rows.{at}.{one.field}", one.code, one.facts) for one in refusal.errors]
            errors += fields or [FieldError(f"rows.{at}", refusal.code, refusal.facts)]
    if errors:
        raise ImportRefused(errors=errors, rows=len(rows), wrong=len(errors))
    await store(db, batch, actor=actor, now=now)
    return len(rows)


async def gather(db: AsyncConnection, *, actor: Actor, rows: Sequence[EventRow]) -> Batch:
    """Lock and read the histories of some rows' serials, and the sites, serials and terms that the rows name."""
    serials = sorted({row.serial for row in rows})
    await lock(db, serials)
    histories: dict[str, History] = {}
    by_serial = {}
    for one in await by_serials(db, scope=actor.scope, serials=serials):
        by_serial[one.row.serial] = histories.setdefault(one.row.installation, History.of(one))
    sites = sorted({row.event.site for row in rows if row.event.site})
    fresh = sorted({row.event.new_serial for row in rows if row.event.new_serial})
    accepted = {
        (by_serial[row.serial].known.row.contract, row.event.on)
        for row in rows
        if row.event.type == "accepted" and row.event.on and row.serial in by_serial
    }
    found = await db.execute(SITES, {**actor.scope, "sites": sites}) if sites else ()
    taken = (await db.execute(TAKEN, {"serials": fresh})).scalars() if fresh else ()
    return Batch(
        by_serial=by_serial,
        sites={row.code: row for row in found},
        taken=set(taken),
        terms=await terms_on(db, sorted(accepted)) if accepted else {},
    )


def admit(batch: Batch, serial: str, new: EventIn, now: datetime) -> Event:
    """Check one event against its history as it stands, and append it there; raises its refusal."""
    history = batch.by_serial[serial]
    occurred_at = new.occurred_at or now
    on = fold(history.frozen, history.events).day_at(occurred_at)
    what = what_of_wire(new, on=on)
    refused = refused_because(
        history.frozen, history.events, Offered(serial=serial, occurred_at=occurred_at, what=what), now
    )
    if refused is not None:
        raise refusal_of(refused)
    prepare(batch, history, what, occurred_at, now)
    event = Event(history.next_seq, new_id("wev", now), occurred_at, now, what)
    history.append(serial, event)
    return event


def prepare(batch: Batch, history: History, what: What, occurred_at: datetime, now: datetime) -> None:
    """What an event brings along: frozen terms, a zone and customer, a serial that is now in use."""
    match what:
        case Accepted(on=on):
            history.freeze(Terms.of(batch.terms.get((history.known.row.contract, on), history.terms)), now)
        case Transferred(site=code):
            if code not in batch.sites:
                raise NoSuchSite(key=code)
            site = batch.sites[code]
            history.frozen = replace(history.frozen, zones={**history.frozen.zones, code: site.timezone})
            moved = [one.occurred_at for one in history.events if isinstance(one.what, Transferred)]
            if all(at <= occurred_at for at in moved):
                history.customer = site.customer
        case DeviceReplaced(new_serial=fresh):
            if fresh in batch.taken:
                raise SerialTaken(serial=fresh)
            batch.taken.add(fresh)
            batch.by_serial[fresh] = history


async def store(db: AsyncConnection, batch: Batch, *, actor: Actor, now: datetime) -> None:
    """Write what was admitted, with the cover that follows, and announce each event."""
    histories = batch.histories
    try:
        covers = await store_histories(db, histories, actor_id=actor.id)
    except IntegrityError as broken:
        if constraint_of(broken) == "device_pkey":
            raise SerialTaken(serial=", ".join(sorted(batch.taken)[:3])) from broken
        raise
    told = [
        (announced(one, serial, event, covers[one.known.row.installation]), event.occurred_at)
        for one in histories
        for serial, event in one.appended
    ]
    if len(told) == 1:
        await announce_all(db, [told[0][0]], by=actor, now=now, occurred_at=told[0][1])
    else:
        await announce_all(db, [one for one, _ in told], by=actor, now=now)


async def settle_open_causes(db: AsyncConnection, *, now: datetime) -> int:
    """W7: a cause undetermined for 30 days becomes `defect`, as a correction that names its event; each once."""
    binds = {"before": now - UNSETTLED_FOR}
    found = (await db.execute(OPEN_CAUSES, binds)).all()
    if not found:
        return 0
    await lock(db, [row.serial for row in found])
    still_open = (await db.execute(OPEN_CAUSES, binds)).all()  # another worker may have been quicker
    ids = sorted({row.installation for row in still_open})
    histories = {one.row.installation: History.of(one) for one in await by_installations(db, scope=ALL, ids=ids)}
    for row in still_open:
        history = histories[row.installation]
        settled = Corrected(event=row.id, reason="W7: undetermined for 30 days", changes={"cause": "defect"})
        history.append(row.serial, Event(history.next_seq, new_id("wev", now), now, now, settled))
    batch = Batch({one.known.row.serial: one for one in histories.values()}, {}, set(), {})
    if histories:
        await store(db, batch, actor=duty_actor("settle_undetermined"), now=now)
    return len(still_open)


async def follow_calendar(db: AsyncConnection, *, now: datetime) -> int:
    """Rebuild the cover of devices whose last day rolls over and whose calendar has a newer version (T95)."""
    rebuilt, after = 0, ""
    while rows := (await db.execute(ROLLING, {"after": after})).all():
        after = rows[-1].id
        countries = [Terms(holiday_rollover=True, calendar=country) for country in {row.country for row in rows}]
        newest = await calendars(db, terms=countries)
        versions = {country: calendar.version for country, calendar in newest.items()}
        stale = [row.id for row in rows if row.calendar_version != versions.get(row.country)]
        if not stale:
            continue
        known = await by_installations(db, scope=ALL, ids=stale)
        await lock(db, [one.row.serial for one in known])
        histories = [History.of(one) for one in await by_installations(db, scope=ALL, ids=stale)]
        covers = await store_histories(db, histories, actor_id="duty:follow_calendar")
        told = [recalculated(one, version_of(covers[one.known.row.installation])) for one in histories]
        await announce_all(db, told, by=duty_actor("follow_calendar"), now=now)
        rebuilt += len(histories)
    return rebuilt


def recalculated(history: History, calendar_version: str) -> Announced:
    row = history.known.row
    return Announced(
        type="warranty.recalculated",
        subject=row.serial,
        version=len(history.events),
        customer=row.customer,
        area=row.area,
        data={"installation": row.installation, "calendar_version": calendar_version},
    )


def version_of(cover: Cover) -> str:
    return cover.calendar.version if cover.calendar else ""
