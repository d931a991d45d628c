"""Statements that several verbs share: locking histories, storing events and the cover that follows from them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, insert, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.events import Event as Announced
from app.warranty.models import Device, Installation, WarrantyEvent
from app.warranty.queries.checks import rows_of
from app.warranty.queries.facts import Known, calendar_for, calendars
from app.warranty.rules.coverage import Cover, fold
from app.warranty.rules.coverage import Installation as Frozen
from app.warranty.rules.events import NAMES, Corrected, DeviceReplaced, Event, payload_of
from app.warranty.rules.terms import Terms

LOCK = text("""
    SELECT i.id FROM installation i WHERE i.id IN (
        SELECT d.installation FROM device d WHERE d.serial = ANY(CAST(:serials AS text[]))
    ) ORDER BY i.id FOR UPDATE
""")
# Of the ranges of a contract's terms: the one that holds the day, else the earliest.
TERMS_ON = text("""
    SELECT DISTINCT ON (t.contract, a.on_day) t.contract, a.on_day, t.terms
    FROM unnest(CAST(:contracts AS text[]), CAST(:days AS date[])) AS a (contract, on_day)
    JOIN contract_terms t ON t.contract = a.contract
    ORDER BY t.contract, a.on_day, (t.valid @> a.on_day) DESC, lower(t.valid) NULLS FIRST
""").columns(terms=JSONB)
# Keyed by `of`; the columns to set are those of the rows it is run with.
FOLLOW = update(Installation).where(Installation.id == bindparam("of"))
FORGET_COVER = text("DELETE FROM coverage WHERE installation = ANY(CAST(:ids AS text[]))")
STORE_COVER = text("""
    INSERT INTO coverage (installation, position, valid, status, first_day, last_day, payer, restarted, provisional)
    SELECT a.installation, a.position, daterange(a.from_day, a.to_day), a.status, a.first_day, a.last_day, a.payer,
        a.restarted, a.provisional
    FROM unnest(
        CAST(:installation AS text[]), CAST(:position AS text[]), CAST(:start AS date[]), CAST(:end AS date[]),
        CAST(:status AS text[]), CAST(:first_day AS date[]), CAST(:last_day AS date[]), CAST(:payer AS text[]),
        CAST(:restarted AS boolean[]), CAST(:provisional AS boolean[])
    ) AS a (installation, position, from_day, to_day, status, first_day, last_day, payer, restarted, provisional)
""")
SWAPPED_OUT = text("UPDATE device SET replaced_on = :on_day WHERE serial = :serial")

ANNOUNCED = {
    "accepted": "device.accepted",
    "component_installed": "device.component_installed",
    "component_replaced": "device.component_replaced",
    "device_replaced": "device.replaced",
    "operation_confirmed": "device.operation_confirmed",
    "extended": "warranty.extended",
    "voided": "warranty.voided",
    "transferred": "device.transferred",
    "corrected": "warranty.corrected",
}


@dataclass(slots=True)
class History:
    """An installation in hand: what was read, what is appended, and the columns that follow from both."""

    known: Known
    frozen: Frozen
    events: list[Event]
    customer: str
    terms: dict[str, Any]
    terms_frozen_at: datetime | None
    appended: list[tuple[str, Event]] = field(default_factory=list)

    @classmethod
    def of(cls, known: Known) -> "History":
        row = known.row
        events = list(known.candidate.events)
        return cls(known, known.candidate.installation, events, row.customer, row.terms, row.terms_frozen_at)

    @property
    def next_seq(self) -> int:
        return len(self.events) + 1

    def freeze(self, terms: Terms, now: datetime) -> None:
        """The terms in force on the acceptance day become the device's, once (W1)."""
        if self.terms_frozen_at is None:
            self.terms, self.terms_frozen_at = terms.plain(), now
            self.frozen = replace(self.frozen, terms=terms)

    def append(self, serial: str, event: Event) -> None:
        self.events.append(event)
        self.appended.append((serial, event))


async def lock(db: AsyncConnection, serials: Iterable[str]) -> None:
    """Hold the installations of these serials, in sorted order, until the transaction ends."""
    await db.execute(LOCK, {"serials": sorted(set(serials))})


async def terms_on(db: AsyncConnection, asked: Sequence[tuple[str, date]]) -> dict[tuple[str, date], dict[str, Any]]:
    """The terms in force of contracts on days (W1)."""
    binds = {"contracts": [contract for contract, _ in asked], "days": [day for _, day in asked]}
    return {(row.contract, row.on_day): row.terms for row in await db.execute(TERMS_ON, binds)}


async def store_histories(db: AsyncConnection, histories: Sequence[History], *, actor_id: str) -> dict[str, Cover]:
    """Write the appended events, the columns and the cover that follow, in one go; gives the covers by installation."""
    found = await calendars(db, terms=[one.frozen.terms for one in histories])
    covers = {
        one.known.row.installation: fold(one.frozen, one.events, calendar_for(one.frozen.terms, found))
        for one in histories
    }
    await store_swaps(db, [(one, covers[one.known.row.installation]) for one in histories])
    rows = [event_row(one, serial, event, actor_id) for one in histories for serial, event in one.appended]
    if rows:
        await db.execute(insert(WarrantyEvent), rows)
    await db.execute(FOLLOW, [follows(one, covers[one.known.row.installation]) for one in histories])
    await store_cover(db, covers)
    return covers


async def store_swaps(db: AsyncConnection, swapped: Sequence[tuple[History, Cover]]) -> None:
    """Old serials leave, new ones come (W13); a serial that came and went in one import is written as gone."""
    leaving, coming = [], []
    for history, cover in swapped:
        fresh = {event.what.new_serial for _, event in history.appended if isinstance(event.what, DeviceReplaced)}
        gone = {swap.old_serial: swap.on for swap in cover.swaps}
        for at, swap in enumerate(cover.swaps):
            if swap.new_serial not in fresh:
                continue
            if swap.old_serial not in fresh:
                leaving.append({"serial": swap.old_serial, "on_day": swap.on})
            coming.append(device_row(history, swap.new_serial, at + 2, swap.on, gone.get(swap.new_serial)))
    if coming:
        await db.execute(SWAPPED_OUT, leaving)
        await db.execute(insert(Device), coming)


def device_row(history: History, serial: str, ordinal: int, installed: date, replaced: date | None) -> dict[str, Any]:
    return {
        "serial": serial,
        "installation": history.known.row.installation,
        "ordinal": ordinal,
        "installed_on": installed,
        "replaced_on": replaced,
        "created_at": history.appended[-1][1].recorded_at,
    }


def event_row(history: History, serial: str, event: Event, actor_id: str) -> dict[str, Any]:
    return {
        "installation": history.known.row.installation,
        "seq": event.seq,
        "id": event.id,
        "serial": serial,
        "type": NAMES[type(event.what)],
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "payload": payload_of(event.what),
        "actor": actor_id,
        "corrects": event.what.event if isinstance(event.what, Corrected) else None,
    }


def follows(history: History, cover: Cover) -> dict[str, Any]:
    """The installation's columns as its events say."""
    row = history.known.row
    visited = list(dict.fromkeys([*row.sites, *(site for _, site in cover.sites)]))
    return {
        "of": row.installation,
        "serial": cover.serials()[-1],
        "site": cover.sites[-1][1] if cover.sites else row.sites[0],
        "sites": visited,
        "customer": history.customer,
        "accepted_on": cover.accepted_on,
        "terms": history.terms,
        "terms_frozen_at": history.terms_frozen_at,
        "calendar_version": cover.calendar.version if cover.calendar else None,
        "version": len(history.events),
    }


async def store_cover(db: AsyncConnection, covers: Mapping[str, Cover]) -> None:
    """Replace the materialized cover of some installations."""
    await db.execute(FORGET_COVER, {"ids": list(covers)})
    rows = [row for installation, cover in covers.items() for row in rows_of(installation, cover)]
    if rows:
        await db.execute(STORE_COVER, {name: [row[name] for row in rows] for name in rows[0]})


def announced(history: History, serial: str, event: Event, cover: Cover) -> Announced:
    """What the outbox says of one appended event: a confirmation that restarted something is `warranty.restarted`."""
    row = history.known.row
    name = ANNOUNCED[NAMES[type(event.what)]]
    own = [one for intervals in cover.own.values() for one in intervals]
    restart = next((one for one in cover.intervals + own if one.event == event.seq and one.kind == "restart"), None)
    restarted = restart is not None and name == "device.operation_confirmed"
    days = {"first_day": str(restart.first), "last_day": str(restart.last)} if restart and restarted else {}
    return Announced(
        type="warranty.restarted" if restarted else name,
        subject=serial,
        version=event.seq,
        customer=history.customer,
        area=row.area,
        data={"event": event.id, "installation": row.installation, **payload_of(event.what), **days},
    )
