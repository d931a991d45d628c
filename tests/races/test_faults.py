"""`check` is only worth its word if it finds what is broken: each invariant is broken by hand, as the database's owner."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.billing import queries as bills
from app.billing import service as billing
from app.billing.rules.pricing import PriceTerms
from app.core.db import begin, make_engine
from app.stock import queries, service
from tests.builders import unique
from tests.races.shelves import ACTOR, NOW, line, shelf_on

pytestmark = pytest.mark.anyio
CUSTOMER = text("INSERT INTO customer (code, name, created_at) VALUES (:code, :code, :now)")
TERMS = PriceTerms(covered=False, currency="CNY", tax_rate="0.13")


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[AsyncConnection]:
    """The owner's connection with triggers off, as a hand in the database has it; undone at the end."""
    engine = make_engine(database_url, pool_size=1, role=None)
    async with engine.connect() as connection:
        transaction = await connection.begin()
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
        await transaction.rollback()
    await engine.dispose()


@pytest.fixture
async def part(engine: AsyncEngine) -> str:
    """A part with a life: received by serial, held, issued and billed, returned, credited."""
    shelf, customer = await shelf_on(engine), unique("CU")
    number = await shelf.part("serial")
    await shelf.receive(line(number, 4, serials=[unique("SN") for _ in range(4)]))
    out, back = unique("line"), unique("line")
    await shelf.hold(shelf.demand(number, 1, unique("line")))
    for reference in (out, back):
        await shelf.hold(shelf.demand(number, 1, reference))
        job = billing.Job(request="req_faults", line=reference, customer=customer)
        async with begin(engine) as db:
            if reference == out:
                await db.execute(CUSTOMER, {"code": customer, "now": NOW})
            pieces = await service.issue(db, actor=ACTOR, reference=reference, now=NOW)
            await billing.charge_issue(db, actor=ACTOR, job=job, pieces=pieces, terms=TERMS, now=NOW)
    async with begin(engine) as db:
        came = await service.return_unused(db, actor=ACTOR, reference=back, now=NOW)
        await billing.credit_return(db, actor=ACTOR, line=back, pieces=came, reason="unused", now=NOW)
    return number


MOVEMENT = "UPDATE stock_movement SET {} WHERE part = :part AND why = {}"
STOCK = [
    ("UPDATE stock_balance SET on_hand = on_hand + 1 WHERE part = :part", "IS3"),
    ("UPDATE stock_balance SET reserved = 0 WHERE part = :part", "IS3"),
    ("UPDATE stock_balance SET ledger_number = 99 WHERE part = :part", "IS4"),
    (MOVEMENT.format("ledger_number = 99", "'return_unused'"), "IS4"),
    (MOVEMENT.format("balance_after = balance_after + 1", "'issue'"), "IS4"),
    ("DELETE FROM stock_movement WHERE part = :part AND why = 'return_unused'", "IS3"),
    ("UPDATE reservation SET state = 'released' WHERE part = :part AND state = 'issued' AND returned = 0", "IS5"),
    ("UPDATE reservation SET returned = 0 WHERE part = :part AND returned > 0", "IS5"),
    ("UPDATE stock_serial SET place = '@lost' WHERE part = :part AND place NOT LIKE '@%'", "IS6"),
    (MOVEMENT.format("value_minor = value_minor + 1", "'return_unused'"), "IS12"),
    (MOVEMENT.format("from_place = '@lost'", "'return_unused'"), "IS12"),
    (MOVEMENT.format("from_place = '@scrap'", "'receipt'"), "IS1"),
    (MOVEMENT.format("from_place = '@transit'", "'receipt'"), "IS13"),
    ("UPDATE stock_layer SET value_minor = value_minor + 1 WHERE part = :part AND quantity > 0", "IS15"),
    ("UPDATE reservation SET value_minor = value_minor + 1 WHERE part = :part AND state = 'held'", "IS15"),
]


@pytest.mark.parametrize(("statement", "code"), STOCK)
async def test_a_broken_ledger_is_named(owner: AsyncConnection, part: str, statement: str, code: str) -> None:
    before = set(await queries.faults(owner))
    changed = await owner.execute(text(statement), {"part": part})
    assert changed.rowcount > 0
    assert code in {fault.split()[0] for fault in set(await queries.faults(owner)) - before}


BILLING = [
    ("UPDATE charge SET source = id, reservations = (SELECT array_agg(x) FROM (SELECT unnest(reservations) AS x FROM "
     "charge WHERE part = :part) y) WHERE part = :part AND reverses IS NULL", "IM1"),
    ("DELETE FROM charge WHERE part = :part", "IM2"),
    ("UPDATE reservation SET state = 'released' WHERE part = :part AND state = 'issued' AND returned = 0", "IM2"),
    ("UPDATE charge SET terms = terms || '{\"covered\": true}' WHERE part = :part AND reverses IS NULL", "IM2"),
    ("UPDATE charge SET cost_minor = cost_minor + 1 WHERE part = :part AND reverses IS NULL", "IM3"),
    ("UPDATE charge SET currency = 'USD' WHERE part = :part AND reverses IS NOT NULL", "IM4"),
    ("UPDATE charge SET net_minor = net_minor - 1, gross_minor = gross_minor - 1 WHERE part = :part "
     "AND reverses IS NOT NULL", "IM5"),
    ("UPDATE charge SET credit_number = 2 WHERE part = :part AND reverses IS NOT NULL", "IM5"),
    ("UPDATE charge SET net_minor = net_minor + 1, gross_minor = gross_minor + 1 WHERE part = :part "
     "AND reverses IS NULL", "IM6"),
    ("WITH closed AS (INSERT INTO billing_period SELECT DISTINCT period, CAST('2026-11-01T00:00:00Z' AS timestamptz), "
     "'hand' FROM charge WHERE part = :part ON CONFLICT DO NOTHING RETURNING period) SELECT period FROM closed", "IM7"),
    ("DELETE FROM charge WHERE part = :part AND reverses IS NOT NULL", "IM8"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "code"), BILLING)
async def test_a_broken_bill_is_named(owner: AsyncConnection, part: str, statement: str, code: str) -> None:
    before = set(await bills.faults(owner))
    changed = await owner.execute(text(statement), {"part": part})
    assert changed.rowcount > 0
    assert code in {fault.split()[0] for fault in set(await bills.faults(owner)) - before}
