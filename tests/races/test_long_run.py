"""A long random life of one shelf against a model of plain counters (IS10, IS11): same answers, same numbers, whole books."""

import random
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.errors import Refusal
from app.stock import queries, service
from app.stock.schemas import (
    AdjustmentIn,
    AdjustmentLineIn,
    ArrivalIn,
    CountIn,
    CountLineIn,
    PiecesIn,
    ReceiveIn,
    TransferIn,
    WriteOffIn,
)
from tests.builders import unique
from tests.races.shelves import ACTOR, NOW, Shelf, line, shelf_on

pytestmark = pytest.mark.anyio


class Life:
    """One part at one place and on its way to another; every step is done twice, in the database and in counters."""

    def __init__(self, shelf: Shelf, sister: str, part: str, seed: int) -> None:
        self.shelf, self.sister, self.part, self.dice = shelf, sister, part, random.Random(seed)
        self.on_hand = self.away = self.lost = 0
        self.held: dict[str, int] = {}
        self.out: dict[str, int] = {}
        self.transit: dict[str, int] = {}

    @property
    def free(self) -> int:
        return self.on_hand - sum(self.held.values())

    def some(self, most: int) -> int:
        return self.dice.randint(1, max(1, most))

    async def says(self, verb: Callable[[AsyncConnection], Awaitable[object]], *, allowed: bool) -> object:
        """Run a verb; it is refused exactly when the model says so."""
        result, refused = None, None
        try:
            result = await self.shelf.alone(verb)
        except Refusal as refusal:
            refused = refusal
        assert (refused is None) == allowed, refused
        return result

    async def receive(self) -> None:
        quantity, cost = self.some(7), f"{self.dice.randint(0, 9)}.{self.dice.randint(0, 9999):04}"
        await self.shelf.receive(line(self.part, quantity, cost))
        self.on_hand += quantity

    async def hold(self) -> None:
        quantity, reference = self.some(5), unique("line")
        allowed = quantity <= self.free
        demand = [self.shelf.demand(self.part, quantity, reference)]
        await self.says(lambda db: service.reserve(db, actor=ACTOR, demand=demand, now=NOW), allowed=allowed)
        if allowed:
            self.held[reference] = quantity

    async def release(self) -> None:
        if not self.held:
            return
        reference = self.dice.choice(sorted(self.held))
        await self.says(
            lambda db: service.release(db, actor=ACTOR, references=[reference], now=NOW),
            allowed=True,
        )
        del self.held[reference]

    async def issue(self) -> None:
        if not self.held:
            return
        reference = self.dice.choice(sorted(self.held))
        quantity = self.some(self.held[reference])
        await self.says(
            lambda db: service.issue(db, actor=ACTOR, reference=reference, quantity=quantity, now=NOW),
            allowed=True,
        )
        self.held[reference] -= quantity
        self.held = {name: left for name, left in self.held.items() if left}
        self.out[reference] = self.out.get(reference, 0) + quantity
        self.on_hand -= quantity

    async def come_back(self) -> None:
        if not self.out:
            return
        reference = self.dice.choice(sorted(self.out))
        quantity = self.some(self.out[reference] + 1)
        allowed = quantity <= self.out[reference]
        await self.says(
            lambda db: service.return_unused(db, actor=ACTOR, reference=reference, quantity=quantity, now=NOW),
            allowed=allowed,
        )
        if allowed:
            self.out[reference] -= quantity
            self.out = {name: left for name, left in self.out.items() if left}
            self.on_hand += quantity

    async def lose(self) -> None:
        if not self.out:
            return
        reference = self.dice.choice(sorted(self.out))
        await self.says(
            lambda db: service.lose(db, actor=ACTOR, reference=reference, quantity=1, now=NOW),
            allowed=True,
        )
        self.out[reference] -= 1
        self.out = {name: left for name, left in self.out.items() if left}
        self.lost += 1

    async def ship(self) -> None:
        quantity = self.some(4)
        new = TransferIn(
            from_place=self.shelf.place,
            to_place=self.sister,
            lines=[PiecesIn(part_number=self.part, quantity=quantity)],
        )
        allowed = quantity <= self.free
        shipped = await self.says(lambda db: service.ship(db, actor=ACTOR, new=new, now=NOW), allowed=allowed)
        if allowed:
            self.transit[shipped.id] = quantity  # type: ignore[attr-defined]
            self.on_hand -= quantity

    async def arrive(self) -> None:
        if not self.transit:
            return
        transfer = self.dice.choice(sorted(self.transit))
        quantity = self.some(self.transit[transfer] + 1)
        allowed = quantity <= self.transit[transfer]
        here = ReceiveIn(lines=[ArrivalIn(line=0, quantity=quantity)])
        await self.says(
            lambda db: service.arrive(db, actor=ACTOR, transfer_id=transfer, arrival=here, if_match=None, now=NOW),
            allowed=allowed,
        )
        if allowed:
            self.transit[transfer] -= quantity
            self.away += quantity

    async def give_up(self) -> None:
        if not self.transit:
            return
        transfer = self.dice.choice(sorted(self.transit))
        gone = WriteOffIn(reason="never came")
        await self.says(
            lambda db: service.write_off(db, actor=ACTOR, transfer_id=transfer, given_up=gone, if_match=None, now=NOW),
            allowed=True,
        )
        self.lost += self.transit.pop(transfer)

    async def count(self) -> None:
        found = max(0, self.on_hand + self.dice.randint(-3, 2))
        allowed = found >= sum(self.held.values()) and self.on_hand > 0
        lines = [CountLineIn(part_number=self.part, expected=self.on_hand, counted=found)]
        new = CountIn(place=self.shelf.place, lines=lines)
        if self.on_hand:
            await self.says(lambda db: service.count(db, actor=ACTOR, new=new, now=NOW), allowed=allowed)
            self.on_hand = found if allowed else self.on_hand

    async def scrap(self) -> None:
        allowed = self.free >= 2
        lines = [AdjustmentLineIn(part_number=self.part, change=-2)]
        new = AdjustmentIn(place=self.shelf.place, reason="broken", lines=lines, counterpart="scrap")
        await self.says(lambda db: service.adjust(db, actor=ACTOR, new=new, now=NOW), allowed=allowed)
        self.on_hand -= 2 if allowed else 0

    async def step(self) -> None:
        """One step, the commoner ones more often; the numbers agree after each."""
        steps = [self.receive, self.hold, self.issue, self.come_back, self.release, self.ship, self.arrive]
        rarer = [self.lose, self.give_up, self.count, self.scrap]
        await self.dice.choice([*steps, *steps, *rarer])()
        assert await self.shelf.balance(self.part) == (self.on_hand, sum(self.held.values()))


@pytest.mark.parametrize("seed", range(4))
async def test_IS11_a_long_life_agrees_with_plain_counters(engine: AsyncEngine, seed: int) -> None:
    shelf, sister = await shelf_on(engine), await shelf_on(engine)
    part = await shelf.stocked(9, cost="3.3333")
    life = Life(shelf, sister.place, part, seed)
    life.on_hand = 9
    for _ in range(120):
        await life.step()
    if life.away:
        assert await shelf.balance(part, place=sister.place) == (life.away, 0)
    async with engine.connect() as db:
        assert [fault for fault in await queries.faults(db) if part in fault or shelf.place in fault] == []
        assert await queries.faults(db) == []
