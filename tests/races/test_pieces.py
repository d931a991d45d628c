"""Pieces out and back: the scan, the price that was bound, and values that neither grow nor shrink (P5, P6, IS15, IM8)."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.money import Money
from app.stock import queries, service
from app.stock.jobs import quarantine_expired
from app.stock.rules.availability import Chosen, choose_layers
from app.stock.service.books import open_books
from tests.builders import unique
from tests.races.shelves import ACTOR, NOW, Shelf, clean_afterwards, line, shelf_on

pytestmark = pytest.mark.anyio


async def issue(shelf: Shelf, reference: str, *scanned: str) -> list[queries.Reserved]:
    return await shelf.alone(lambda db: service.issue(db, actor=ACTOR, reference=reference, scanned=scanned, now=NOW))


async def held(shelf: Shelf, part: str, quantity: int = 1) -> str:
    reference = unique("line")
    await shelf.hold(shelf.demand(part, quantity, reference))
    return reference


async def test_S6_the_scan_must_be_the_piece_promised(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part, cheap, dear, alike = await shelf.part("serial"), unique("SN"), unique("SN"), unique("SN")
        await shelf.receive(line(part, 1, "10.00", serials=[cheap]), line(part, 1, "11.00", serials=[dear]))
        await shelf.receive(line(part, 1, "10.00", serials=[alike]))
        reference = await held(shelf, part)
        with pytest.raises(service.WrongPiece) as wrong:
            await issue(shelf, reference, dear)
        assert wrong.value.facts == {"scanned": dear, "expected": [cheap], "because": "scan.other_price"}
        with pytest.raises(service.WrongPiece):
            await issue(shelf, reference, "NO-SUCH")
        issued = await issue(shelf, reference, alike)
        assert [(one.serial, one.value_minor, one.state) for one in issued] == [(alike, 1000, "issued")]
        again = await held(shelf, part)
        assert [one.serial for one in await issue(shelf, again, cheap)] == [cheap]


async def test_S6_untracked_pieces_are_scanned_by_part_number(engine: AsyncEngine) -> None:
    shelf = await shelf_on(engine)
    part = await shelf.part()
    await shelf.receive(line(part, 5, lot="noted-only"))
    reference = await held(shelf, part, 2)
    with pytest.raises(service.WrongPiece):
        await issue(shelf, reference, "other-part")
    assert [one.quantity for one in await issue(shelf, reference, part)] == [2]


async def test_P2_lots_go_by_expiry_and_age_whatever_they_cost(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part = await shelf.part("lot")
        await shelf.receive(line(part, 2, "1.00", lot="cheap"))
        await shelf.receive(line(part, 2, "9.00", lot="expiring", expires_on=date(2027, 1, 1)))
        bound = await shelf.hold(shelf.demand(part, 3))
        assert [(one.lot, one.quantity, one.value_minor) for one in bound] == [("expiring", 2, 1800), ("cheap", 1, 100)]


async def test_P5_the_price_bound_is_the_price_at_issue(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part = await shelf.part()
        await shelf.receive(line(part, 3, "3.3333"))
        lines = [await held(shelf, part) for _ in range(3)]
        async with engine.connect() as db:
            bound = [one.value_minor for one in await queries.reservations(db, references=lines)]
        issued = [one.value_minor for reference in lines for one in await issue(shelf, reference)]
        assert sorted(bound) == sorted(issued)
        assert sum(issued) == 1000


async def test_P5_a_moved_price_asks_for_fresh_facts_and_holds_nothing(engine: AsyncEngine) -> None:
    shelf = await shelf_on(engine)
    part = await shelf.part()
    await shelf.receive(line(part, 1, "10.00"), line(part, 1, "12.00"))
    async with engine.connect() as db:
        offer = (await queries.offers(db, parts=[part]))[0]
    await held(shelf, part)
    demand = service.Demand(
        reference=unique("line"),
        place=shelf.place,
        part=part,
        quantity=1,
        expected_minor=offer.cost_minor(1),
        currency="CNY",
    )
    with pytest.raises(service.PriceMoved) as moved:
        await shelf.hold(demand)
    assert (moved.value.facts["expected_minor"], moved.value.facts["actual_minor"]) == (1000, 1200)
    assert await shelf.balance(part) == (2, 1)


async def test_P5_reported_stock_is_held_provisionally_until_confirmed(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        partner = await shelf_on(engine, stock="reported")
        part = await partner.stocked(2)
        line_id = unique("line")
        bound = await partner.hold(partner.demand(part, 1, line_id))
        assert [one.provisional for one in bound] == [True]
        await partner.alone(lambda db: service.confirm_reported(db, actor=ACTOR, reference=line_id, now=NOW))
        async with engine.connect() as db:
            assert [one.provisional for one in await queries.reservations(db, references=[line_id])] == [False]
            assert await queries.latest_costs(db, parts=[part]) == {}
            assert [offer.ours for offer in await queries.offers(db, parts=[part])] == [False]


@pytest.mark.parametrize("total", [1500, 777, 1000])
async def test_P5_reported_stock_is_confirmed_at_its_real_price(engine: AsyncEngine, total: int) -> None:
    async with clean_afterwards(engine):
        partner, line_id, serial = await shelf_on(engine, stock="reported"), unique("line"), unique("SN")
        part = await partner.part("serial")
        await partner.receive(line(part, 1, "10.00", serials=[serial]))
        await partner.hold(partner.demand(part, 1, line_id))
        confirmed = await partner.alone(
            lambda db: service.confirm_reported(db, actor=ACTOR, reference=line_id, total=Money(total, "CNY"), now=NOW)
        )
        assert [(one.value_minor, one.provisional) for one in confirmed] == [(total, False)]
        with pytest.raises(service.OtherCurrency):
            await partner.alone(
                lambda db: service.confirm_reported(db, actor=ACTOR, reference=line_id, total=Money(1, "USD"), now=NOW)
            )
        assert [one.value_minor for one in await issue(partner, line_id, serial)] == [total]


async def test_T26_IM8_what_comes_back_carries_the_value_it_left_with(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part = await shelf.part()
        await shelf.receive(line(part, 3, "3.3333"))
        reference = await held(shelf, part, 2)
        issued = await issue(shelf, reference)
        await shelf.receive(line(part, 7, "99.00"))
        back = [
            await shelf.alone(
                lambda db: service.return_unused(db, actor=ACTOR, reference=reference, quantity=1, now=NOW)
            )
            for _ in range(2)
        ]
        assert sum(one.value_minor for came in back for one in came) == sum(one.value_minor for one in issued)
        async with engine.connect() as db:
            offer = (await queries.offers(db, parts=[part]))[0]
        assert [(layer.free, layer.free_minor) for layer in offer.layers] == [(3, 1000), (7, 69300)]


async def test_S6b_lost_pieces_go_to_the_lost_place_once(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part, serial = await shelf.part("serial"), unique("SN")
        await shelf.receive(line(part, 1, serials=[serial]))
        reference = await held(shelf, part)
        await issue(shelf, reference, serial)
        await shelf.alone(lambda db: service.lose(db, actor=ACTOR, reference=reference, now=NOW))
        with pytest.raises(service.NotIssued):
            await shelf.alone(lambda db: service.return_unused(db, actor=ACTOR, reference=reference, now=NOW))
        async with engine.connect() as db:
            moved = await queries.movements(db, actor=ACTOR, serial=serial)
        assert [one.to_place for one in moved.items] == ["@lost", "@customer", shelf.place]


async def test_T15_the_database_refuses_deletes_and_a_second_end(engine: AsyncEngine) -> None:
    shelf = await shelf_on(engine)
    part = await shelf.stocked(1)
    reference = await held(shelf, part)
    await issue(shelf, reference)
    for statement in (
        "DELETE FROM reservation",
        "DELETE FROM stock_movement",
        "UPDATE stock_movement SET quantity = 2",
        f"UPDATE reservation SET state = 'released' WHERE reference = '{reference}'",
        f"UPDATE stock_balance SET reserved = on_hand + 1 WHERE part = '{part}'",
    ):
        with pytest.raises(Exception, match=r"permission denied|has ended|reserved_within_on_hand"):
            await shelf.alone(lambda db, statement=statement: db.execute(text(statement)))


async def test_T22_a_count_below_the_holds_names_them(engine: AsyncEngine) -> None:
    from app.stock.schemas import CountIn, CountLineIn

    shelf = await shelf_on(engine)
    part = await shelf.stocked(5)
    reference = await held(shelf, part, 4)
    low = CountIn(place=shelf.place, lines=[CountLineIn(part_number=part, expected=5, counted=3)])
    with pytest.raises(service.CountBelowReserved) as below:
        await shelf.alone(lambda db: service.count(db, actor=ACTOR, new=low, now=NOW))
    assert (below.value.facts["reserved"], below.value.facts["holds"]) == (4, [reference])


async def test_T29_a_counter_changed_by_hand_is_named(db: AsyncConnection, engine: AsyncEngine) -> None:
    shelf = await shelf_on(engine)
    part = await shelf.stocked(5)
    await db.execute(text("UPDATE stock_balance SET on_hand = 6 WHERE part = :part"), {"part": part})
    named = [fault for fault in await queries.faults(db) if part in fault]
    assert {fault.split()[0] for fault in named} == {"IS3", "IS15"}


EXAMPLES = st.tuples(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 99), st.sampled_from([None, 1, 2])), min_size=1, max_size=5),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
)


def examples(count: int) -> list[tuple[list[tuple[int, int, int | None]], list[int]]]:
    """So many drawn shelves and demands, the same ones every run."""
    drawn: list[tuple[list[tuple[int, int, int | None]], list[int]]] = []

    @settings(max_examples=count, deadline=None, derandomize=True, database=None)
    @given(EXAMPLES)
    def draw(example: tuple[list[tuple[int, int, int | None]], list[int]]) -> None:
        drawn.append(example)

    draw()
    return drawn


async def test_the_statement_binds_what_the_rule_chooses(engine: AsyncEngine) -> None:
    """The SQL of a hold and the pure rule say one law twice: same pieces, same values, same refusals."""
    shelf = await shelf_on(engine)
    for layers, demands in examples(40):
        part = await shelf.part("lot")
        for quantity, cents, day in layers:
            expires = date(2027, 1, day) if day else None
            await shelf.receive(line(part, quantity, f"0.{cents:02}", lot=unique("L"), expires_on=expires))
        wanted = [shelf.demand(part, quantity) for quantity in demands]
        async with engine.connect() as db:
            books = await open_books(db, keys={wanted[0].key}, whole=True)
            await db.rollback()
        rule = choose_layers(books.layers.values(), demands)
        if not isinstance(rule, Chosen):
            with pytest.raises(service.OutOfStock) as short:
                await shelf.hold(*wanted)
            assert short.value.facts["available"] == rule.available
            continue
        bound = await shelf.hold(*wanted)
        chosen = [
            (demand.reference, pick.layer.id, pick.quantity, pick.value_minor)
            for demand, picks in zip(wanted, rule.picks, strict=True)
            for pick in picks
        ]
        assert sorted((one.reference, one.layer, one.quantity, one.value_minor) for one in bound) == sorted(chosen)


@pytest.mark.parametrize("tracking", ["none", "lot", "serial"])
async def test_what_would_be_free_without_a_hold_is_what_is_free_after_it(engine: AsyncEngine, tracking: str) -> None:
    shelf = await shelf_on(engine)
    part = await shelf.part(tracking)
    for cents in (10, 33, 7):
        more = {"serial": {"serials": [unique("SN") for _ in range(3)]}, "lot": {"lot": unique("L")}}.get(tracking, {})
        await shelf.receive(line(part, 3, f"1.{cents:02}", **more))
    mine, other = await held(shelf, part, 4), await held(shelf, part, 2)
    async with engine.connect() as db:
        as_if = await queries.offers(db, parts=[part], freed=[mine])
        none = await queries.offers(db, parts=[part], freed=[mine, other])
    await shelf.alone(lambda db: service.release(db, actor=ACTOR, references=[mine], now=NOW))
    async with engine.connect() as db:
        assert await queries.offers(db, parts=[part]) == as_if
    assert (as_if[0].free, none[0].free, none[0].cost_minor(9)) == (7, 9, 3 * (110 + 133 + 107))
    left = as_if[0].less(4)
    assert (left.free, left.cost_minor(3)) == (3, as_if[0].cost_minor(7) - as_if[0].cost_minor(4))


async def test_S4_expired_pieces_leave_the_shelf_after_their_last_day(engine: AsyncEngine) -> None:
    async with clean_afterwards(engine):
        shelf = await shelf_on(engine)
        part = await shelf.part("lot")
        await shelf.receive(line(part, 3, lot="old", expires_on=date(2026, 11, 22)), line(part, 2, lot="fresh"))
        reference = await held(shelf, part)
        last_evening = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
        await shelf.alone(lambda db: quarantine_expired(db, last_evening))
        assert await shelf.balance(part) == (5, 1)
        swept = await asyncio.gather(
            *(shelf.alone(lambda db: quarantine_expired(db, last_evening + timedelta(minutes=1))) for _ in range(3))
        )
        assert await shelf.balance(part) == (3, 1)
        assert sum(swept) >= 2
        assert [one.lot for one in await issue(shelf, reference)] == ["old"]
        assert [one.lot for one in await shelf.hold(shelf.demand(part))] == ["fresh"]
