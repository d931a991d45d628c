"""Registering devices, one or thousands, and the acceptance of a contract that anchors them (W1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import Conflict, FieldError, NotFound, Refusal, Unprocessable
from app.core.events import Event as Announced
from app.core.events import announce_all
from app.core.http import Expected, check_version, constraint_of
from app.core.ids import new_id
from app.network import queries as network_queries
from app.network import service as network
from app.network.queries import NoSuchContract, NoSuchModel, NoSuchSite
from app.warranty import queries
from app.warranty.models import Device, Installation
from app.warranty.queries.facts import ALL, by_installations
from app.warranty.rules.events import UNIT, Accepted, Event
from app.warranty.rules.terms import ANCHOR_YEARS, Terms
from app.warranty.schemas import AcceptOut, DeviceIn, DeviceOut
from app.warranty.service.refusals import DayOutOfRange, EventInFuture
from app.warranty.service.writing import History, announced, store_histories, terms_on

# Held until commit: an acceptance at the same time waits and anchors these devices, or is seen here.
CONTRACTS = text("""
    SELECT c.number, c.customer, c.accepted_on FROM contract c WHERE c.number = ANY(CAST(:contracts AS text[]))
    AND (CAST(:scope_customers AS text[]) IS NULL OR c.customer = ANY(CAST(:scope_customers AS text[])))
    ORDER BY c.number FOR SHARE
""")
ONE_ACCEPTANCE = text("""
    SELECT c.number FROM contract c WHERE c.number = :number
    AND (CAST(:scope_customers AS text[]) IS NULL OR c.customer = ANY(CAST(:scope_customers AS text[])))
    FOR NO KEY UPDATE
""")
SITES = text("""
    SELECT s.code, s.customer, s.area, s.timezone FROM site s WHERE s.code = ANY(CAST(:sites AS text[]))
    AND (CAST(:scope_customers AS text[]) IS NULL OR s.customer = ANY(CAST(:scope_customers AS text[])))
    AND (CAST(:scope_areas AS text[]) IS NULL OR s.area = ANY(CAST(:scope_areas AS text[])))
""")
MODELS = text("""
    SELECT p.model, jsonb_agg(jsonb_build_object('position', p.position, 'part_number', p.part_number, 'key', p.key)
        ORDER BY p.position <> 'unit', p.position) AS positions
    FROM model_position p WHERE p.model = ANY(CAST(:models AS text[])) GROUP BY p.model
""").columns(positions=JSONB)
TAKEN = text("SELECT serial FROM device WHERE serial = ANY(CAST(:serials AS text[]))")
UNANCHORED = text("SELECT id FROM installation WHERE contract = :number AND accepted_on IS NULL ORDER BY id FOR UPDATE")


class DeviceExists(Conflict):
    """The serial is registered already."""

    code = "device.exists"


class CustomerMismatch(Unprocessable):
    """The site belongs to another customer than the contract."""

    code = "device.customer_mismatch"


class AcceptedAlready(Conflict):
    """The contract has another acceptance day; correct the devices' `accepted` events instead."""

    code = "contract.accepted_already"


class ImportRefused(Unprocessable):
    """Nothing was imported; every bad row is named."""

    code = "device.import_refused"


@dataclass(frozen=True, slots=True)
class References:
    """The contracts, sites, models and serials that some rows name, as far as the asker may see them."""

    contracts: Mapping[str, Any]
    sites: Mapping[str, Any]
    models: Mapping[str, list[dict[str, Any]]]
    taken: frozenset[str]


async def references(db: AsyncConnection, *, actor: Actor, rows: Sequence[DeviceIn]) -> References:
    contracts = await db.execute(CONTRACTS, {**actor.scope, "contracts": sorted({row.contract for row in rows})})
    sites = await db.execute(SITES, {**actor.scope, "sites": sorted({row.site for row in rows})})
    models = await db.execute(MODELS, {"models": sorted({row.model for row in rows})})
    taken = await db.execute(TAKEN, {"serials": sorted({row.serial for row in rows})})
    return References(
        contracts={row.number: row for row in contracts},
        sites={row.code: row for row in sites},
        models={row.model: row.positions for row in models},
        taken=frozenset(taken.scalars()),
    )


def wrong(row: DeviceIn, known: References) -> list[tuple[str, Refusal]]:
    """Every field of a row that stands against registering it."""
    found: list[tuple[str, Refusal]] = []
    if row.contract not in known.contracts:
        found.append(("contract", NoSuchContract(key=row.contract)))
    if row.site not in known.sites:
        found.append(("site", NoSuchSite(key=row.site)))
    if row.model not in known.models:
        found.append(("model", NoSuchModel(key=row.model)))
    if row.serial in known.taken:
        found.append(("serial", DeviceExists(serial=row.serial)))
    if not found and known.contracts[row.contract].customer != known.sites[row.site].customer:
        found.append(("site", CustomerMismatch(site=row.site, contract=row.contract)))
    first, last = ANCHOR_YEARS
    for name in ("delivered_on", "accepted_on", "oem_last_day"):
        day = getattr(row, name)
        if day is not None and not first <= day.year <= last:
            found.append((name, DayOutOfRange(field=name, first=first, last=last)))
    return found


async def register_device(db: AsyncConnection, *, actor: Actor, new: DeviceIn, now: datetime) -> DeviceOut:
    """Register one device: terms and positions are frozen, its or its contract's acceptance anchors it (W1)."""
    known = await references(db, actor=actor, rows=[new])
    if faults := wrong(new, known):
        refusal = faults[0][1]
        if not isinstance(refusal, NotFound | Conflict):
            refusal.errors = [FieldError(name, one.code, one.facts) for name, one in faults]
        raise refusal
    await register(db, actor=actor, rows=[new], known=known, now=now)
    return await queries.device(db, actor=actor, serial=new.serial)


async def import_devices(db: AsyncConnection, *, actor: Actor, rows: Sequence[DeviceIn], now: datetime) -> int:
    """Register many devices or none; gives how many. Raises ImportRefused naming every bad row (`rows.<n>.<field>`)."""
    known = await references(db, actor=actor, rows=rows)
    errors, seen = [], set()
    for at, row in enumerate(rows):
        errors += [FieldError(f"rows.{at}.{field}", one.code, one.facts) for field, one in wrong(row, known)]
        if row.serial in seen:
            errors.append(FieldError(f"rows.{at}.serial", DeviceExists.code, {"serial": row.serial}))
        seen.add(row.serial)
    if errors:
        raise ImportRefused(errors=errors, rows=len(rows), wrong=len(errors))
    await register(db, actor=actor, rows=rows, known=known, now=now)
    return len(rows)


async def register(
    db: AsyncConnection, *, actor: Actor, rows: Sequence[DeviceIn], known: References, now: datetime
) -> None:
    """Write checked rows: installation, device, the `accepted` event where there is an anchor, cover, announcements."""
    if not rows:
        return
    anchors = [row.accepted_on or known.contracts[row.contract].accepted_on for row in rows]
    days = [
        anchor or now.astimezone(ZoneInfo(known.sites[row.site].timezone)).date()
        for row, anchor in zip(rows, anchors, strict=True)
    ]
    terms = await terms_on(db, sorted({(row.contract, day) for row, day in zip(rows, days, strict=True)}))
    ids = [new_id("ins", now) for _ in rows]
    records = [
        installation_row(row, of, known, Terms.of(terms.get((row.contract, day), {})), anchor, now)
        for row, of, day, anchor in zip(rows, ids, days, anchors, strict=True)
    ]
    await db.execute(insert(Installation), records)
    try:
        await db.execute(insert(Device), [device_row(row, of, now) for row, of in zip(rows, ids, strict=True)])
    except IntegrityError as broken:
        if constraint_of(broken) == "device_pkey":
            raise DeviceExists(serial=", ".join(row.serial for row in rows[:3])) from broken
        raise
    histories = [History.of(one) for one in await by_installations(db, scope=ALL, ids=ids)]
    by_id = dict(zip(ids, anchors, strict=True))
    for history in histories:
        if anchor := by_id[history.known.row.installation]:
            history.append(history.known.row.serial, acceptance(history, anchor, now))
    await store_histories(db, histories, actor_id=actor.id)
    await announce_all(db, [registered(history) for history in histories], by=actor, now=now)


def installation_row(
    row: DeviceIn, of: str, known: References, terms: Terms, anchor: date | None, now: datetime
) -> dict[str, Any]:
    """A new installation; its terms are final once there is an acceptance."""
    positions = known.models[row.model]
    if not any(one["position"] == UNIT for one in positions):
        positions = [{"position": UNIT, "part_number": row.model, "key": True}, *positions]
    return {
        "id": of,
        "contract": row.contract,
        "customer": known.contracts[row.contract].customer,
        "model": row.model,
        "site": row.site,
        "sites": [row.site],
        "serial": row.serial,
        "first_serial": row.serial,
        "delivered_on": row.delivered_on,
        "accepted_on": None,
        "oem_last_day": row.oem_last_day,
        "terms": terms.plain(),
        "terms_frozen_at": None if anchor is None else now,
        "positions": positions,
        "calendar_version": None,
        "created_at": now,
    }


def device_row(row: DeviceIn, of: str, now: datetime) -> dict[str, Any]:
    dates = {"installed_on": None, "replaced_on": None, "created_at": now}
    return {"serial": row.serial, "installation": of, "ordinal": 1} | dates


def acceptance(history: History, on: date, now: datetime, occurred_at: datetime | None = None) -> Event:
    """The `accepted` event: it happened on that day's first instant at the site, or is announced now for a later day."""
    zone = ZoneInfo(history.frozen.zones[history.frozen.site])
    began = datetime.combine(on, time(), zone)
    return Event(
        seq=history.next_seq,
        id=new_id("wev", now),
        occurred_at=occurred_at or min(began, now),
        recorded_at=now,
        what=Accepted(on=on),
    )


def registered(history: History) -> Announced:
    row = history.known.row
    anchored = [event.what.on.isoformat() for _, event in history.appended if isinstance(event.what, Accepted)]
    return Announced(
        type="device.registered",
        subject=row.serial,
        version=len(history.events),
        customer=row.customer,
        area=row.area,
        data={
            "installation": row.installation,
            "model": row.model,
            "site": row.site,
            "contract": row.contract,
            "accepted_on": anchored[0] if anchored else None,
            "terms": history.terms,
        },
    )


async def accept_contract(
    db: AsyncConnection,
    *,
    actor: Actor,
    number: str,
    accepted_on: date,
    now: datetime,
    occurred_at: datetime | None = None,
    expected_version: Expected = None,
) -> AcceptOut:
    """Accept a contract's system: anchors every device of it that has no date of its own, and freezes its terms (W1).

    Doing it again with the same day anchors what was registered unanchored since; another day is AcceptedAlready.
    """
    await db.execute(ONE_ACCEPTANCE, {**actor.scope, "number": number})
    contract = await network_queries.contract(db, actor=actor, number=number)
    check_version(contract.version, expected_version)
    first, last = ANCHOR_YEARS
    if not first <= accepted_on.year <= last:
        raise DayOutOfRange(field="accepted_on", first=first, last=last)
    if occurred_at is not None and occurred_at > now:
        raise EventInFuture(occurred_at=occurred_at.isoformat(), now=now.isoformat())
    if contract.accepted_on is None:
        contract = await network.set_accepted(
            db, actor=actor, number=number, accepted_on=accepted_on, now=now, expected_version=expected_version
        )
    elif contract.accepted_on != accepted_on:
        raise AcceptedAlready(number=number, accepted_on=contract.accepted_on.isoformat())
    ids = list((await db.execute(UNANCHORED, {"number": number})).scalars())
    histories = [History.of(one) for one in await by_installations(db, scope=ALL, ids=ids)]
    await anchor(db, histories, on=accepted_on, occurred_at=occurred_at, actor=actor, now=now)
    return AcceptOut(number=number, accepted_on=accepted_on, devices=len(histories), version=contract.version)


async def anchor(
    db: AsyncConnection,
    histories: list[History],
    *,
    on: date,
    occurred_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Append `accepted` to each history and freeze the terms in force on that day."""
    if not histories:
        return
    terms = await terms_on(db, sorted({(one.known.row.contract, on) for one in histories}))
    for one in histories:
        one.freeze(Terms.of(terms.get((one.known.row.contract, on), one.terms)), now)
        one.append(one.known.row.serial, acceptance(one, on, now, occurred_at))
    covers = await store_histories(db, histories, actor_id=actor.id)
    told = [
        announced(one, serial, event, covers[one.known.row.installation])
        for one in histories
        for serial, event in one.appended
    ]
    await announce_all(db, told, by=actor, now=now)
