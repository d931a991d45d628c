"""A shelf for races: its own place and parts in the shared database, committed, so that rivals can meet there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.rules import Actor, duty_actor
from app.core.db import begin
from app.stock import queries, service
from app.stock.schemas import CostIn, ReceiptIn, ReceiptLineIn, ReceiptOut
from tests.builders import unique

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
T = TypeVar("T")
ACTOR: Actor = duty_actor("tests")
PLACE = text("""
    INSERT INTO place (code, name, kind, latitude, longitude, timezone, opening_hours, stock, created_at)
    VALUES (:code, :code, 'own', 30, 114, 'Asia/Shanghai', '{}', :stock, :now)
""")
PART = text("INSERT INTO part (number, name, tracking, created_at) VALUES (:number, :number, :tracking, :now)")
BALANCE = text(
    "SELECT on_hand, reserved FROM stock_balance WHERE place = :place AND part = :part AND condition = 'new'"
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """One place with parts of its own."""

    engine: AsyncEngine
    place: str
    parts: list[str] = field(default_factory=list)

    async def part(self, tracking: str = "none") -> str:
        number = unique("PSU")
        async with begin(self.engine) as db:
            await db.execute(PART, {"number": number, "tracking": tracking, "now": NOW})
        self.parts.append(number)
        return number

    async def receive(self, *lines: ReceiptLineIn, place: str | None = None, now: datetime = NOW) -> ReceiptOut:
        new = ReceiptIn(place=place or self.place, reference="PO-1", lines=list(lines))
        async with begin(self.engine) as db:
            return await service.receive(db, actor=ACTOR, new=new, now=now)

    async def stocked(self, quantity: int, *, cost: str = "10.00") -> str:
        """A new untracked part with so many pieces."""
        part = await self.part()
        await self.receive(line(part, quantity, cost))
        return part

    async def balance(self, part: str, place: str | None = None) -> tuple[int, int]:
        """On hand and reserved."""
        async with self.engine.connect() as db:
            row = (await db.execute(BALANCE, {"place": place or self.place, "part": part})).one()
        return row.on_hand, row.reserved

    def demand(self, part: str, quantity: int = 1, reference: str | None = None) -> service.Demand:
        return service.Demand(reference=reference or unique("line"), place=self.place, part=part, quantity=quantity)

    async def hold(self, *demand: service.Demand, now: datetime = NOW) -> list[queries.Reserved]:
        return await self.alone(lambda db: service.reserve(db, actor=ACTOR, demand=demand, now=now))

    async def alone(self, verb: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """One verb in one transaction."""
        async with begin(self.engine) as db:
            return await verb(db)


def line(part: str, quantity: int, cost: str = "10.00", **more: object) -> ReceiptLineIn:
    unit_cost = CostIn(amount=cost, currency="CNY")
    return ReceiptLineIn(part_number=part, quantity=quantity, unit_cost=unit_cost, **more)  # type: ignore[arg-type]


async def shelf_on(engine: AsyncEngine, *, stock: str = "ours") -> Shelf:
    """A place of its own: ours, or one that only reports."""
    place = unique("WH")
    async with begin(engine) as db:
        await db.execute(PLACE, {"code": place, "stock": stock, "now": NOW})
    return Shelf(engine, place)


@asynccontextmanager
async def clean_afterwards(engine: AsyncEngine) -> AsyncIterator[None]:
    """Whatever was raced: no invariant is broken afterwards, of anything in this database."""
    yield
    async with engine.connect() as db:
        assert await queries.faults(db) == []
