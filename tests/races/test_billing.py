"""Bills of issued pieces over the real database: once, exact, credited within bounds, claimed and leaked by rule."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.billing import queries as bills
from app.billing import service as billing
from app.billing.jobs import expire_recoveries
from app.billing.rules.pricing import CostKind, Payer, PriceTerms
from app.billing.schemas import AcceptIn, FileIn, MoneyIn, RejectIn, SettleIn
from app.core.db import begin
from app.core.money import Money
from app.stock import queries, service
from tests.builders import unique
from tests.races.shelves import ACTOR, NOW, Shelf, line, shelf_on

pytestmark = pytest.mark.anyio
CUSTOMER = text("INSERT INTO customer (code, name, created_at) VALUES (:code, :code, :now)")
PAID = PriceTerms(covered=False, currency="CNY", tax_rate="0.13")
COVERED = PriceTerms(covered=True, currency="CNY", payer=Payer.OEM)


async def job(engine: AsyncEngine) -> billing.Job:
    customer = unique("CU")
    async with begin(engine) as db:
        await db.execute(CUSTOMER, {"code": customer, "now": NOW})
    return billing.Job(request=unique("req"), line=unique("line"), customer=customer)


async def issued(shelf: Shelf, of: billing.Job, part: str, quantity: int = 1) -> list[queries.Reserved]:
    await shelf.hold(shelf.demand(part, quantity, of.line))
    return await shelf.alone(lambda db: service.issue(db, actor=ACTOR, reference=of.line, now=NOW))


async def bill(
    shelf: Shelf, of: billing.Job, pieces: list[queries.Reserved], terms: PriceTerms, source: str | None = None
) -> billing.Billed:
    return await shelf.alone(
        lambda db: billing.charge_issue(
            db, actor=ACTOR, job=of, pieces=pieces, terms=terms, source=source, now=NOW, evidence={"cause": "defect"}
        )
    )


async def lines_of(engine: AsyncEngine, of: billing.Job) -> list[tuple[str, int]]:
    """Every amount on the line: charges' gross and borne costs by payer."""
    statement = text("""
        SELECT 'charge' AS what, gross_minor AS minor, id FROM charge WHERE line = :line
        UNION ALL SELECT payer, amount_minor, id FROM borne_cost WHERE line = :line ORDER BY id
    """)
    async with engine.connect() as db:
        return [(row.what, row.minor) for row in await db.execute(statement, {"line": of.line})]


async def clean(engine: AsyncEngine, of: billing.Job) -> None:
    """No invariant of billing is broken for this line (other tests issue without billing)."""
    async with engine.connect() as db:
        mine = {of.line} | {one.id for one in await queries.reservations(db, references=[of.line])}
        assert [fault for fault in await bills.faults(db) if any(one in fault for one in mine)] == []


async def test_P2_P6_an_issue_is_charged_at_the_cost_of_its_pieces(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    part = await shelf.part()
    await shelf.receive(line(part, 1, "10.00"), line(part, 1, "12.50"))
    billed = await bill(shelf, of, await issued(shelf, of, part, 2), PAID)
    assert (billed.price.net.minor, billed.price.tax.minor, billed.price.gross.minor) == (2250, 293, 2543)
    assert await lines_of(engine, of) == [("charge", 2543)]
    await clean(engine, of)


async def test_P5_a_line_picked_piece_by_piece_is_billed_as_quoted(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    part = await shelf.part()
    await shelf.receive(line(part, 3, "0.04"))
    held = await shelf.hold(shelf.demand(part, 3, of.line))
    quoted = billing.quote(held, PAID).gross.minor
    for _ in range(3):
        pieces = await shelf.alone(lambda db: service.issue(db, actor=ACTOR, reference=of.line, quantity=1, now=NOW))
        await bill(shelf, of, pieces, PAID)
    amounts = [minor for _, minor in await lines_of(engine, of)]
    assert (sum(amounts), quoted, sorted(amounts)) == (14, 14, [4, 5, 5])
    await clean(engine, of)


async def test_S6b_a_lost_line_s_bill_is_taken_back(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    await bill(shelf, of, await issued(shelf, of, await shelf.stocked(1)), PAID)

    async def verb(db):  # type: ignore[no-untyped-def]
        await service.lose(db, actor=ACTOR, reference=of.line, now=NOW)
        await billing.reverse_line(db, actor=ACTOR, line=of.line, reason="lost on the way", now=NOW)

    await shelf.alone(verb)
    assert sum(minor for _, minor in await lines_of(engine, of)) == 0
    await clean(engine, of)


async def test_T118_six_bill_the_same_issue_at_once(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    pieces = await issued(shelf, of, await shelf.stocked(1))
    billed = await asyncio.gather(*(bill(shelf, of, pieces, PAID) for _ in range(6)))
    assert len({one.charge for one in billed}) == 1
    assert await lines_of(engine, of) == [("charge", 1130)]


async def test_P1_P7_covered_is_borne_by_its_payer_and_claimed(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    pieces = await issued(shelf, of, await shelf.stocked(1))
    billed = await asyncio.gather(*(bill(shelf, of, pieces, COVERED) for _ in range(3)))
    assert {one.charge for one in billed} == {None}
    assert sum(len(one.recoveries) for one in billed) == 1
    assert await lines_of(engine, of) == [("oem", 1000)]
    await clean(engine, of)


async def test_P7_no_claim_where_we_pay_or_the_cause_is_open(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    ours = PriceTerms(covered=True, currency="CNY", payer=Payer.VENDOR)
    billed = await bill(shelf, of, await issued(shelf, of, await shelf.stocked(1)), ours)
    assert (len(billed.borne), billed.recoveries) == (1, ())
    assert await lines_of(engine, of) == [("vendor", 1000)]


async def test_P7_an_open_cause_is_claimed_once_it_is_settled(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    pieces = await issued(shelf, of, await shelf.stocked(1))
    billed = await shelf.alone(
        lambda db: billing.charge_issue(
            db, actor=ACTOR, job=of, pieces=pieces, terms=COVERED, cause_settled=False, now=NOW
        )
    )
    assert (len(billed.borne), billed.recoveries) == (1, ())
    opened = await asyncio.gather(
        *(
            shelf.alone(
                lambda db: billing.open_line_claims(
                    db, actor=ACTOR, line=of.line, evidence={"cause": "defect"}, now=NOW
                )
            )
            for _ in range(3)
        )
    )
    assert len({claim for claims in opened for claim in claims}) == 1


async def test_P4_what_a_dearer_substitute_gives_away_is_ours(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    asked, supplied = await shelf.stocked(1, cost="8.00"), await shelf.stocked(1, cost="10.00")
    async with engine.connect() as db:
        latest = await billing.asked_cost(db, part=asked)
    terms = PriceTerms(covered=False, currency="CNY", substitute=True, asked=latest)
    billed = await bill(shelf, of, await issued(shelf, of, supplied), terms)
    assert billed.price.gross.minor == 800
    assert await lines_of(engine, of) == [("charge", 800), ("vendor", 200)]
    await clean(engine, of)


async def test_P2_a_foreign_cost_without_a_rate_is_refused(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    pieces = await issued(shelf, of, await shelf.stocked(1))
    with pytest.raises(billing.CurrencyMismatch):
        await bill(shelf, of, pieces, PriceTerms(covered=False, currency="USD"))


async def returned(shelf: Shelf, of: billing.Job, quantity: int) -> None:
    """Both halves of one return, in one transaction."""

    async def verb(db):  # type: ignore[no-untyped-def]
        back = await service.return_unused(db, actor=ACTOR, reference=of.line, quantity=quantity, now=NOW)
        await billing.credit_return(db, actor=ACTOR, line=of.line, pieces=back, reason="not needed", now=NOW)

    await shelf.alone(verb)


@pytest.mark.parametrize("terms", [PAID, COVERED], ids=["paid", "covered"])
async def test_IM8_issue_and_full_return_net_to_zero(engine: AsyncEngine, terms: PriceTerms) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    part = await shelf.part()
    await shelf.receive(line(part, 3, "3.3333"))
    await bill(shelf, of, await issued(shelf, of, part, 3), terms)
    await returned(shelf, of, 1)
    await clean(engine, of)
    await returned(shelf, of, 2)
    assert sum(minor for _, minor in await lines_of(engine, of)) == 0
    assert await shelf.balance(part) == (3, 0)
    await clean(engine, of)


async def test_T124_two_credits_at_once_stay_within_the_charge(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    billed = await bill(shelf, of, await issued(shelf, of, await shelf.stocked(1)), PAID)

    async def credit(minor: int | None) -> str:
        return await shelf.alone(
            lambda db: billing.reverse_charge(
                db,
                actor=ACTOR,
                charge_id=str(billed.charge),
                reason="goodwill",
                gross=Money(minor, "CNY") if minor else None,
                now=NOW,
            )
        )

    met = await asyncio.gather(*(credit(700) for _ in range(4)), return_exceptions=True)
    assert Counter(type(one).__name__ for one in met) == {"str": 1, "OverCredited": 3}
    await credit(None)
    with pytest.raises(billing.OverCredited) as over:
        await credit(None)
    assert over.value.facts["open"] == "0.00"
    assert [minor for _, minor in await lines_of(engine, of)] == [1130, -700, -430]
    await clean(engine, of)


async def test_T122_a_new_verdict_credits_and_bills_anew(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)
    pieces = await issued(shelf, of, await shelf.stocked(1))
    await bill(shelf, of, pieces, PAID)
    await shelf.alone(
        lambda db: billing.reverse_line(db, actor=ACTOR, line=of.line, reason="cause settled as defect", now=NOW)
    )
    await bill(shelf, of, pieces, COVERED, source=f"verdict-2:{pieces[0].id}")
    assert await lines_of(engine, of) == [("charge", 1130), ("charge", -1130), ("oem", 1000)]
    await clean(engine, of)


async def test_P1_a_job_s_other_costs_are_borne_once(engine: AsyncEngine) -> None:
    shelf, of = await shelf_on(engine), await job(engine)

    async def transport(covered: bool, source: str) -> str:
        return await shelf.alone(
            lambda db: billing.record_cost(
                db,
                actor=ACTOR,
                job=of,
                kind=CostKind.TRANSPORT,
                amount=Money(3500, "CNY"),
                covered=covered,
                payer=Payer.OEM,
                source=source,
                now=NOW,
            )
        )

    first = await transport(True, of.line + "-1")
    assert await transport(True, of.line + "-1") == first
    await transport(False, of.line + "-2")
    assert await lines_of(engine, of) == [("oem", 3500), ("vendor", 3500)]


async def claimed(engine: AsyncEngine) -> tuple[Shelf, billing.Job, str]:
    shelf, of = await shelf_on(engine), await job(engine)
    billed = await bill(shelf, of, await issued(shelf, of, await shelf.stocked(1)), COVERED)
    return shelf, of, billed.recoveries[0]


async def test_P7_a_part_settlement_leaves_the_rest_to_us(engine: AsyncEngine) -> None:
    shelf, of, claim = await claimed(engine)
    step = {"actor": ACTOR, "recovery_id": claim, "if_match": None, "now": NOW}
    await shelf.alone(lambda db: billing.file_recovery(db, filed=FileIn(claim_number="OEM-1"), **step))
    await shelf.alone(lambda db: billing.accept_recovery(db, accepted=AcceptIn(), **step))
    money = SettleIn(amount=MoneyIn(amount="6.00", currency="CNY"))
    settled = await shelf.alone(lambda db: billing.settle_recovery(db, settled=money, **step))
    assert (settled.state, settled.recovered.amount, settled.version) == ("settled", "6.00", 4)
    assert await lines_of(engine, of) == [("oem", 1000), ("oem", -400), ("vendor", 400)]
    with pytest.raises(billing.ClaimNotReady) as late:
        await shelf.alone(lambda db: billing.settle_recovery(db, settled=money, **step))
    assert (late.value.facts["state"], late.value.facts["allowed"]) == ("settled", [])
    await clean(engine, of)


async def test_P7_a_rejected_claim_is_borne_by_us(engine: AsyncEngine) -> None:
    shelf, of, claim = await claimed(engine)
    step = {"actor": ACTOR, "recovery_id": claim, "if_match": None, "now": NOW}
    await shelf.alone(lambda db: billing.file_recovery(db, filed=FileIn(), **step))
    await shelf.alone(lambda db: billing.reject_recovery(db, rejected=RejectIn(reason="too late"), **step))
    assert await lines_of(engine, of) == [("oem", 1000), ("oem", -1000), ("vendor", 1000)]


async def test_P7_a_claim_past_its_limit_expires_once(engine: AsyncEngine) -> None:
    shelf, of, claim = await claimed(engine)
    step = {"actor": ACTOR, "recovery_id": claim, "if_match": None, "now": NOW}
    due = FileIn(due_at=NOW + timedelta(days=30))
    await shelf.alone(lambda db: billing.file_recovery(db, filed=due, **step))
    swept = await asyncio.gather(
        *(shelf.alone(lambda db: expire_recoveries(db, NOW + timedelta(days=31))) for _ in range(3))
    )
    assert sum(swept) == 1
    assert await lines_of(engine, of) == [("oem", 1000), ("oem", -1000), ("vendor", 1000)]


async def test_IM5_charges_are_append_only_in_the_database(engine: AsyncEngine) -> None:
    shelf = await shelf_on(engine)
    for statement in ("UPDATE charge SET net_minor = 0", "DELETE FROM charge", "UPDATE borne_cost SET payer = 'oem'"):
        with pytest.raises(Exception, match="permission denied"):
            await shelf.alone(lambda db, statement=statement: db.execute(text(statement)))
