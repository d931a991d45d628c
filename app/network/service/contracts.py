"""Customers, contracts and their dated terms, sites."""

from datetime import date, datetime

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.events import Event, announce
from app.core.http import Expected, check_version
from app.network import models, queries, schemas
from app.network.service.frame import MEET_AREA, MEET_CUSTOMER, insert_row, need_zone

LOCK_CONTRACT = text("SELECT FROM contract WHERE number = :number FOR UPDATE")
END_TERMS = text("""
    UPDATE contract_terms SET valid = daterange(lower(valid), CAST(:day AS date))
    WHERE contract = :contract AND valid @> CAST(:day AS date) AND lower(valid) IS DISTINCT FROM CAST(:day AS date)
    RETURNING (SELECT upper(o.valid) FROM contract_terms o WHERE o.contract = :contract AND o.valid @> CAST(:day AS date))
""")
SAME_DAY_TERMS = text("""
    UPDATE contract_terms SET terms = CAST(:terms AS jsonb), recorded_at = :now
    WHERE contract = :contract AND lower(valid) = CAST(:day AS date)
""")
TOUCH_CONTRACT = text("UPDATE contract SET version = version + 1 WHERE number = :number")
ACCEPT = text("UPDATE contract SET accepted_on = :day, version = version + 1 WHERE number = :number")
END_ASSORTMENT = text("""
    UPDATE assortment SET valid = daterange(lower(valid), CAST(:day AS date))
    WHERE contract = :contract AND upper_inf(valid) AND lower(valid) < CAST(:day AS date)
""")
DROP_ASSORTMENT = text("DELETE FROM assortment WHERE contract = :contract AND lower(valid) >= CAST(:day AS date)")


async def add_customer(
    db: AsyncConnection, *, actor: Actor, new: schemas.CustomerIn, now: datetime
) -> schemas.CustomerOut:
    row = {**msgspec.to_builtins(new), "created_at": now}
    await insert_row(db, models.Customer, row, kind="customer", key=new.code)
    await announce(db, Event(type="customer.created", subject=new.code, customer=new.code, data=row), by=actor, now=now)
    return await queries.customer(db, actor=actor, code=new.code)


async def add_contract(
    db: AsyncConnection, *, actor: Actor, new: schemas.ContractIn, now: datetime
) -> schemas.ContractOut:
    """Create a contract with its first terms, in force for all days until an amendment."""
    await db.execute(MEET_CUSTOMER, {"code": new.customer, "now": now})
    row = {
        "number": new.number, "customer": new.customer, "currency": new.currency, "accepted_on": new.accepted_on,
        "created_at": now,
    }  # fmt: skip
    await insert_row(db, models.Contract, row, kind="contract", key=new.number)
    terms = {"contract": new.number, "valid": Range(None, None), "terms": msgspec.to_builtins(new.terms)}
    await db.execute(insert(models.ContractTerms), terms | {"recorded_at": now})
    event = Event(type="contract.created", subject=new.number, customer=new.customer, data=msgspec.to_builtins(new))
    await announce(db, event, by=actor, now=now)
    return await queries.contract(db, actor=actor, number=new.number)


async def amend_contract(
    db: AsyncConnection,
    *,
    actor: Actor,
    number: str,
    amendment: schemas.AmendmentIn,
    expected_version: Expected,
    now: datetime,
) -> schemas.ContractOut:
    """New terms from a day on. Devices that are registered already keep theirs (W1)."""
    await db.execute(LOCK_CONTRACT, {"number": number})
    before = await queries.contract(db, actor=actor, number=number)
    check_version(before.version, expected_version)
    terms = msgspec.to_builtins(amendment.terms)
    binds = {"contract": number, "day": amendment.valid_from}
    same_day = await db.execute(SAME_DAY_TERMS, binds | {"terms": msgspec.json.encode(terms).decode(), "now": now})
    if not same_day.rowcount:
        until: date | None = (await db.execute(END_TERMS, binds)).scalar_one()
        row = {"contract": number, "valid": Range(amendment.valid_from, until), "terms": terms, "recorded_at": now}
        await db.execute(insert(models.ContractTerms), row)
    await db.execute(TOUCH_CONTRACT, {"number": number})
    event = Event(
        type="contract.amended",
        subject=number,
        version=before.version + 1,
        customer=before.customer,
        data=msgspec.to_builtins(amendment),
    )
    await announce(db, event, by=actor, now=now)
    return await queries.contract(db, actor=actor, number=number)


async def set_accepted(
    db: AsyncConnection, *, actor: Actor, number: str, accepted_on: date, now: datetime, expected_version: Expected
) -> schemas.ContractOut:
    """Write a contract's acceptance day; the devices' own events are the warranty wing's."""
    await db.execute(LOCK_CONTRACT, {"number": number})
    before = await queries.contract(db, actor=actor, number=number)
    check_version(before.version, expected_version)
    await db.execute(ACCEPT, {"number": number, "day": accepted_on})
    event = Event(
        type="contract.accepted",
        subject=number,
        version=before.version + 1,
        customer=before.customer,
        data={"accepted_on": accepted_on.isoformat()},
    )
    await announce(db, event, by=actor, now=now)
    return await queries.contract(db, actor=actor, number=number)


async def set_assortment(
    db: AsyncConnection,
    *,
    actor: Actor,
    number: str,
    listed: schemas.AssortmentIn,
    expected_version: Expected,
    now: datetime,
) -> schemas.ContractOut:
    """Replace the list of locally stocked parts from a day on; what held before that day is kept."""
    await db.execute(LOCK_CONTRACT, {"number": number})
    before = await queries.contract(db, actor=actor, number=number)
    check_version(before.version, expected_version)
    binds = {"contract": number, "day": listed.valid_from}
    await db.execute(DROP_ASSORTMENT, binds)
    await db.execute(END_ASSORTMENT, binds)
    for part in sorted(set(listed.parts)):
        row = {"contract": number, "part": part, "valid": Range(listed.valid_from, None)}
        await insert_row(db, models.Assortment, row, kind="assortment", key=part)
    await db.execute(TOUCH_CONTRACT, {"number": number})
    event = Event(
        type="contract.assortment_set",
        subject=number,
        version=before.version + 1,
        customer=before.customer,
        data=msgspec.to_builtins(listed),
    )
    await announce(db, event, by=actor, now=now)
    return await queries.contract(db, actor=actor, number=number)


async def add_site(db: AsyncConnection, *, actor: Actor, new: schemas.SiteIn, now: datetime) -> schemas.SiteOut:
    need_zone(new.timezone)
    await db.execute(MEET_CUSTOMER, {"code": new.customer, "now": now})
    if new.area is not None:
        await db.execute(MEET_AREA, {"code": new.area, "now": now})
    row = {**msgspec.to_builtins(new), "created_at": now}
    await insert_row(db, models.Site, row, kind="site", key=new.code)
    event = Event(
        type="site.created", subject=new.code, customer=new.customer, area=new.area, data=msgspec.to_builtins(new)
    )
    await announce(db, event, by=actor, now=now)
    return await queries.site(db, actor=actor, code=new.code)
