"""Every pair of stock's verbs at once on one shelf: named outcomes only, and the ledger is whole afterwards (H2)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations_with_replacement

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.billing import queries as bills
from app.billing import service as billing
from app.billing.rules.pricing import PriceTerms
from app.core.errors import Refusal
from app.stock import queries, service
from app.stock.jobs import expire_reservations
from app.stock.schemas import AdjustmentIn, AdjustmentLineIn, CountIn, CountLineIn, PiecesIn, ReceiptIn, TransferIn
from tests.builders import unique
from tests.races.shelves import ACTOR, NOW, Shelf, line, shelf_on

pytestmark = pytest.mark.anyio
LATER = NOW + timedelta(hours=24)
CUSTOMER = text("INSERT INTO customer (code, name, created_at) VALUES (:code, :code, :now)")
TERMS = PriceTerms(covered=False, currency="CNY", tax_rate="0.13")


@dataclass(frozen=True, slots=True)
class Scene:
    """Five pieces on a shelf: two held for consent, one issued and billed, two free."""

    shelf: Shelf
    sister: str
    part: str
    held: str
    out: billing.Job


Verb = Callable[[AsyncConnection, Scene], Awaitable[object]]


async def scene_on(engine: AsyncEngine) -> Scene:
    shelf, sister = await shelf_on(engine), await shelf_on(engine)
    part, customer = await shelf.stocked(5, cost="3.3333"), unique("CU")
    await shelf.alone(lambda db: db.execute(CUSTOMER, {"code": customer, "now": NOW}))
    scene = Scene(
        shelf,
        sister.place,
        part,
        unique("line"),
        billing.Job(request="req_out", line=unique("line"), customer=customer),
    )
    await shelf.hold(shelf.demand(part, 1, scene.out.line))
    await shelf.alone(lambda db: issue_out(db, scene))
    waiting = service.Demand(
        reference=scene.held, place=shelf.place, part=part, quantity=2, awaiting_consent=True, expires_at=LATER
    )
    await shelf.hold(waiting)
    return scene


async def issue_out(db: AsyncConnection, scene: Scene) -> None:
    pieces = await service.issue(db, actor=ACTOR, reference=scene.out.line, now=NOW)
    await billing.charge_issue(db, actor=ACTOR, job=scene.out, pieces=pieces, terms=TERMS, now=NOW)


async def reserve(db: AsyncConnection, scene: Scene) -> object:
    return await service.reserve(db, actor=ACTOR, demand=[scene.shelf.demand(scene.part, 2)], now=NOW)


async def release(db: AsyncConnection, scene: Scene) -> object:
    return await service.release(db, actor=ACTOR, references=[scene.held], now=NOW)


async def issue(db: AsyncConnection, scene: Scene) -> object:
    job = billing.Job(request="req_pair", line=scene.held, customer=scene.out.customer)
    pieces = await service.issue(db, actor=ACTOR, reference=scene.held, now=NOW)
    return await billing.charge_issue(db, actor=ACTOR, job=job, pieces=pieces, terms=TERMS, now=NOW)


async def expire(db: AsyncConnection, scene: Scene) -> object:
    return await expire_reservations(db, LATER)


async def count(db: AsyncConnection, scene: Scene) -> object:
    lines = [CountLineIn(part_number=scene.part, expected=4, counted=3)]
    return await service.count(db, actor=ACTOR, new=CountIn(place=scene.shelf.place, lines=lines), now=NOW)


async def ship(db: AsyncConnection, scene: Scene) -> object:
    lines = [PiecesIn(part_number=scene.part, quantity=2)]
    new = TransferIn(from_place=scene.shelf.place, to_place=scene.sister, lines=lines)
    return await service.ship(db, actor=ACTOR, new=new, now=NOW)


async def receive(db: AsyncConnection, scene: Scene) -> object:
    new = ReceiptIn(place=scene.shelf.place, reference="PO-2", lines=[line(scene.part, 3, "9.99")])
    return await service.receive(db, actor=ACTOR, new=new, now=NOW)


async def scrap(db: AsyncConnection, scene: Scene) -> object:
    lines = [AdjustmentLineIn(part_number=scene.part, change=-1)]
    new = AdjustmentIn(place=scene.shelf.place, reason="broken", lines=lines, counterpart="scrap")
    return await service.adjust(db, actor=ACTOR, new=new, now=NOW)


async def give_back(db: AsyncConnection, scene: Scene) -> object:
    back = await service.return_unused(db, actor=ACTOR, reference=scene.out.line, now=NOW)
    return await billing.credit_return(db, actor=ACTOR, line=scene.out.line, pieces=back, reason="unused", now=NOW)


async def lose(db: AsyncConnection, scene: Scene) -> object:
    await service.lose(db, actor=ACTOR, reference=scene.out.line, now=NOW)
    return await billing.reverse_line(db, actor=ACTOR, line=scene.out.line, reason="lost", now=NOW)


async def rebill(db: AsyncConnection, scene: Scene) -> object:
    pieces = await queries.reservations(db, references=[scene.out.line])
    return await billing.charge_issue(db, actor=ACTOR, job=scene.out, pieces=pieces, terms=TERMS, now=NOW)


VERBS: tuple[Verb, ...] = (
    reserve,
    release,
    issue,
    expire,
    count,
    ship,
    receive,
    scrap,
    give_back,
    lose,
    rebill,
)


@pytest.mark.parametrize(("one", "other"), list(combinations_with_replacement(VERBS, 2)))
async def test_H2_two_verbs_at_once_leave_the_books_whole(engine: AsyncEngine, one: Verb, other: Verb) -> None:
    scene = await scene_on(engine)
    rivals = [one, other, one, other]
    met = await asyncio.gather(
        *(scene.shelf.alone(lambda db, verb=verb: verb(db, scene)) for verb in rivals), return_exceptions=True
    )
    assert [result for result in met if isinstance(result, BaseException) and not isinstance(result, Refusal)] == []
    async with engine.connect() as db:
        assert await queries.faults(db) == []
        mine = {scene.held, scene.out.line}
        mine |= {hold.id for hold in await queries.reservations(db, references=sorted(mine))}
        assert [fault for fault in await bills.faults(db) if any(name in fault for name in mine)] == []
