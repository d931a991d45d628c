"""Races for stock (IS9, IS10): whoever meets whom, nothing is oversold, nothing refused that is there."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.db import begin
from app.stock import queries, service
from app.stock.jobs import expire_reservations
from tests.builders import unique
from tests.races.shelves import ACTOR, NOW, Shelf, clean_afterwards, line, shelf_on

pytestmark = pytest.mark.anyio


async def outcomes(*attempts: object) -> Counter[str]:
    """How many went well, and how many were refused by which name."""
    results = await asyncio.gather(*attempts, return_exceptions=True)  # type: ignore[call-overload]
    return Counter(type(one).__name__ if isinstance(one, Exception) else "ok" for one in results)


async def test_T1_two_want_the_last_piece(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part = await shelf.stocked(1)
        both = await asyncio.gather(
            shelf.hold(shelf.demand(part)), shelf.hold(shelf.demand(part)), return_exceptions=True
        )
        refused = [one for one in both if isinstance(one, service.OutOfStock)]
        assert len(refused) == 1
        assert refused[0].facts == {"available": 0, "requested": 1, "part_number": part, "place": shelf.place}


async def test_T2_32_clients_take_exactly_100_pieces(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part = await shelf.stocked(100)

        async def client() -> list[str]:
            got = []
            for _ in range(8):
                try:
                    got += [one.id for one in await shelf.hold(shelf.demand(part))]
                except service.OutOfStock:
                    got.append("short")
            return got

        taken = [one for client_got in await asyncio.gather(*(client() for _ in range(32))) for one in client_got]
        assert Counter(one == "short" for one in taken) == {False: 100, True: 156}
        assert await shelf.balance(part) == (100, 100)


async def test_T5_two_lines_of_one_part_are_refused_as_a_whole(engine: AsyncEngine) -> None:
    shelf = await shelf_on(engine)
    part, other = await shelf.stocked(1), await shelf.stocked(5)
    with pytest.raises(service.OutOfStock) as short:
        await shelf.hold(shelf.demand(other), shelf.demand(part), shelf.demand(part))
    assert (short.value.facts["available"], short.value.facts["requested"]) == (1, 2)
    assert (await shelf.balance(part), await shelf.balance(other)) == ((1, 0), (5, 0))


async def test_T10_a_busy_row_is_never_reported_short(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part = await shelf.stocked(64)
        met = await outcomes(*(shelf.hold(shelf.demand(part, 2)) for _ in range(32)))
        assert met == {"ok": 32}


async def test_T12_crossed_orders_never_deadlock(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        one, other = await shelf.stocked(200), await shelf.stocked(200)
        crossed = [(one, other), (other, one)] * 100
        met = await outcomes(*(shelf.hold(*(shelf.demand(part) for part in parts)) for parts in crossed))
        assert met == {"ok": 200}
        assert (await shelf.balance(one), await shelf.balance(other)) == ((200, 200), (200, 200))


async def test_T14_released_twice_at_once_frees_once(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part, reference = await shelf.stocked(5), unique("line")
        await shelf.hold(shelf.demand(part, 2, reference))
        freed = await asyncio.gather(
            *(
                shelf.alone(lambda db: service.release(db, actor=ACTOR, references=[reference], now=NOW))
                for _ in range(8)
            )
        )
        assert sorted(len(one) for one in freed) == [0] * 7 + [1]
        assert await shelf.balance(part) == (5, 0)


async def issue(shelf: Shelf, reference: str, quantity: int | None = None) -> list[queries.Reserved]:
    return await shelf.alone(lambda db: service.issue(db, actor=ACTOR, reference=reference, quantity=quantity, now=NOW))


async def test_T4_two_issue_the_same_hold_at_once(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part, reference = await shelf.stocked(5), unique("line")
        await shelf.hold(shelf.demand(part, 2, reference))
        assert await outcomes(*(issue(shelf, reference) for _ in range(4))) == {"ok": 1, "NotHeld": 3}
        assert await shelf.balance(part) == (3, 0)


async def test_T16_release_after_a_partial_issue_frees_the_rest_only(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part, reference = await shelf.stocked(5, cost="3.33"), unique("line")
        await shelf.hold(shelf.demand(part, 5, reference))
        await issue(shelf, reference, quantity=2)
        freed = await shelf.alone(lambda db: service.release(db, actor=ACTOR, references=[reference], now=NOW))
        assert [one.quantity for one in freed] == [3]
        assert await shelf.balance(part) == (3, 0)
        async with engine.connect() as db:
            life = await queries.reservations(db, references=[reference])
        assert sorted((one.state, one.quantity, one.value_minor) for one in life) == [
            ("issued", 2, 666),
            ("released", 3, 999),
        ]


async def test_T18_all_is_held_and_each_issues_its_own(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part, lines = await shelf.stocked(6), [unique("line") for _ in range(3)]
        for reference in lines:
            await shelf.hold(shelf.demand(part, 2, reference))
        assert await outcomes(*(issue(shelf, reference) for reference in lines)) == {"ok": 3}
        assert await shelf.balance(part) == (0, 0)


async def test_T35_IS16_a_hold_expires_or_is_issued_never_both(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part = await shelf.stocked(20)
        later = NOW + timedelta(hours=24)
        lines = [unique("line") for _ in range(20)]
        for reference in lines:
            await shelf.hold(
                service.Demand(
                    reference=reference,
                    place=shelf.place,
                    part=part,
                    quantity=1,
                    awaiting_consent=True,
                    expires_at=later,
                )
            )

        async def sweep() -> int:
            async with begin(engine) as db:
                return await expire_reservations(db, later)

        raced = await asyncio.gather(
            *(issue(shelf, reference) for reference in lines[:10]),
            sweep(),
            sweep(),
            *(issue(shelf, reference) for reference in lines[10:]),
            return_exceptions=True,
        )
        issued = sum(1 for one in raced if isinstance(one, list))
        lost = [one for one in raced if isinstance(one, service.NotHeld)]
        swept = sum(one for one in raced if isinstance(one, int))
        assert issued + len(lost) == 20
        assert {one.facts["state"] for one in lost} <= {"expired"}
        assert len(lost) <= swept  # a sweep takes what other tests left to expire as well
        assert await shelf.balance(part) == (20 - issued, 0)


async def test_P5_a_hold_before_its_time_is_not_swept(engine: AsyncEngine) -> None:
    shelf = await shelf_on(engine)
    part, reference = await shelf.stocked(1), unique("line")
    demand = service.Demand(
        reference=reference,
        place=shelf.place,
        part=part,
        quantity=1,
        awaiting_consent=True,
        expires_at=NOW + timedelta(hours=24),
    )
    await shelf.hold(demand)
    await shelf.alone(lambda db: expire_reservations(db, NOW + timedelta(hours=23, minutes=59)))
    assert await shelf.balance(part) == (1, 1)
    await shelf.alone(lambda db: service.consent(db, references=[reference]))
    await shelf.alone(lambda db: expire_reservations(db, NOW + timedelta(days=9)))
    assert await shelf.balance(part) == (1, 1)


async def test_T23_first_receipts_of_a_part_at_once_make_one_row(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part = await shelf.part()
        await asyncio.gather(*(shelf.receive(line(part, 3)) for _ in range(8)))
        assert await shelf.balance(part) == (24, 0)


async def test_T24_one_serial_received_at_two_places_at_once(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf, sister = await shelf_on(engine), await shelf_on(engine)
        part, serial = await shelf.part("serial"), unique("SN")
        receipt = line(part, 1, serials=[serial])
        met = await outcomes(*(shelf.receive(receipt, place=place) for place in [shelf.place, sister.place] * 4))
        assert met == {"ok": 1, "SerialInUse": 7}


async def test_T25_the_same_pieces_come_back_once(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part, serial, reference = await shelf.part("serial"), unique("SN"), unique("line")
        await shelf.receive(line(part, 1, serials=[serial]))
        await shelf.hold(shelf.demand(part, 1, reference))
        await issue(shelf, reference)
        met = await outcomes(
            *(
                shelf.alone(lambda db: service.return_unused(db, actor=ACTOR, reference=reference, now=NOW))
                for _ in range(4)
            )
        )
        assert met == {"ok": 1, "NotIssued": 3}
        assert await shelf.balance(part) == (1, 0)


async def test_T9_stock_taken_between_the_look_and_the_hold(engine: AsyncEngine) -> None:
    shelf = await shelf_on(engine)
    part = await shelf.stocked(1)
    async with engine.connect() as db:
        seen = await queries.offers(db, parts=[part])
    await shelf.hold(shelf.demand(part))
    with pytest.raises(service.OutOfStock):
        await shelf.hold(shelf.demand(part, seen[0].free))


async def test_T8_the_guard_runs_and_runs_before_anything_is_written(engine: AsyncEngine) -> None:
    shelf = await shelf_on(engine)
    part = await shelf.stocked(1)
    said: list[str] = []

    def listen(connection: object, cursor: object, statement: str, *_: object) -> None:
        said.append(" ".join(statement.split()))

    event.listen(engine.sync_engine, "before_cursor_execute", listen)
    try:
        await shelf.hold(shelf.demand(part))
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", listen)
    assert len(said) == 2
    assert said[0].startswith("UPDATE stock_balance SET reserved = reserved + $1")
    assert "on_hand - reserved >= " in said[0]
    assert "INSERT INTO reservation" in said[1]
    assert not [one for one in said if "SKIP LOCKED" in one]


async def test_many_serials_are_received_in_a_few_statements(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part = await shelf.part("serial")
        said: list[str] = []

        def listen(connection: object, cursor: object, statement: str, *_: object) -> None:
            said.append(statement)

        event.listen(engine.sync_engine, "before_cursor_execute", listen)
        try:
            lines = [line(part, 20, serials=[unique("SN") for _ in range(20)]) for _ in range(100)]
            await shelf.receive(*lines)
        finally:
            event.remove(engine.sync_engine, "before_cursor_execute", listen)
        assert await shelf.balance(part) == (2000, 0)
        assert len(said) <= 11
