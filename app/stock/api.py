"""Doors to the warehouse's work and to what is in stock. Reservations have no door of their own: requests make them."""

from typing import Annotated

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from app.accounts.guards import Call, allow
from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, FINANCE, INTEGRATION, WAREHOUSE
from app.stock import queries, service
from app.stock.schemas import (
    AdjustmentIn,
    BinIn,
    BinOut,
    BinsOut,
    BookedOut,
    CancelIn,
    CountIn,
    CountOut,
    LoanBackIn,
    LoanIn,
    LoanOut,
    LoansOut,
    MovementsOut,
    PurchaseIn,
    PurchasesOut,
    PutAwayIn,
    PutAwayOut,
    ReceiptIn,
    ReceiptOut,
    ReceiveIn,
    ReturnIn,
    StockOut,
    TransferIn,
    TransferOut,
    TransfersOut,
    WriteOffIn,
)
from app.stock.schemas.levels import StockLevelIn, StockLevelOut, StockLevelsOut


@get("/v1/stock", opt=allow(ADMIN, DISPATCHER, WAREHOUSE, ENGINEER, FINANCE, INTEGRATION))
async def list_stock(
    call: NamedDependency[Call],
    part: FromQuery[str | None] = None,
    place: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> StockOut:
    """On hand, reserved and available per place, part and condition."""
    return await call.read(
        lambda db: queries.stock(db, actor=call.actor, part=part, place=place, cursor=cursor, limit=limit)
    )


@get("/v1/stock/movements", opt=allow(ADMIN, DISPATCHER, WAREHOUSE, FINANCE))
async def list_movements(
    call: NamedDependency[Call],
    part: FromQuery[str | None] = None,
    place: FromQuery[str | None] = None,
    serial: FromQuery[str | None] = None,
    reference: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> MovementsOut:
    """The ledger, newest first."""
    return await call.read(
        lambda db: queries.movements(
            db,
            actor=call.actor,
            part=part,
            place=place,
            serial=serial,
            reference=reference,
            cursor=cursor,
            limit=limit,
        )
    )


@post("/v1/receipts", opt=allow(ADMIN, WAREHOUSE))
async def add_receipt(data: JSONBody[ReceiptIn], call: NamedDependency[Call]) -> Response[ReceiptOut]:
    """Goods in: all lines or none."""
    return await call.write(201, lambda db: service.receive(db, actor=call.actor, new=data, now=call.now))


@post("/v1/receipts/{receipt_id:str}/cancel", status_code=200, opt=allow(ADMIN, WAREHOUSE))
async def cancel_receipt(
    receipt_id: FromPath[str], data: JSONBody[CancelIn], call: NamedDependency[Call]
) -> Response[BookedOut]:
    """Take a wrong receipt back while none of its pieces was held or moved."""
    return await call.write(
        200,
        lambda db: service.cancel_receipt(
            db, actor=call.actor, receipt_id=receipt_id, reason=data.reason, now=call.now
        ),
    )


@get("/v1/purchases", opt=allow(ADMIN, FINANCE, WAREHOUSE))
async def list_purchases(
    call: NamedDependency[Call],
    place: FromQuery[str | None] = None,
    reference: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> PurchasesOut:
    """What was ordered and how much of it came; what it costs only for those who see cost."""
    return await call.read(
        lambda db: queries.purchases(db, actor=call.actor, place=place, reference=reference, cursor=cursor, limit=limit)
    )


@post("/v1/purchases", opt=allow(ADMIN, FINANCE))
async def add_purchase(data: JSONBody[PurchaseIn], call: NamedDependency[Call]) -> Response[PurchasesOut]:
    """Record what was ordered at which cost, so that it can be received without knowing the cost."""
    return await call.write(201, lambda db: service.note_purchase(db, actor=call.actor, new=data, now=call.now))


@get("/v1/bins", opt=allow(ADMIN, DISPATCHER, WAREHOUSE))
async def list_bins(
    call: NamedDependency[Call],
    place: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> BinsOut:
    """Bins with how much lies in them."""
    return await call.read(lambda db: queries.bins(db, actor=call.actor, place=place, cursor=cursor, limit=limit))


@post("/v1/bins", opt=allow(ADMIN, WAREHOUSE))
async def add_bin(data: JSONBody[BinIn], call: NamedDependency[Call]) -> Response[BinOut]:
    """Name a bin of a place."""
    return await call.write(201, lambda db: service.add_bin(db, actor=call.actor, new=data, now=call.now))


@post("/v1/bins/put-away", opt=allow(ADMIN, WAREHOUSE))
async def put_away(data: JSONBody[PutAwayIn], call: NamedDependency[Call]) -> Response[PutAwayOut]:
    """Put pieces into a bin, or take them out of theirs."""
    return await call.write(201, lambda db: service.put_away(db, actor=call.actor, new=data, now=call.now))


@get("/v1/stock-levels", opt=allow(ADMIN, DISPATCHER, WAREHOUSE, FINANCE))
async def list_levels(
    call: NamedDependency[Call],
    place: FromQuery[str | None] = None,
    part: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> StockLevelsOut:
    """What places are kept at of a part, how long they take to refill, and how fast they are asked for."""
    return await call.read(
        lambda db: queries.levels(db, actor=call.actor, place=place, part=part, cursor=cursor, limit=limit)
    )


@put("/v1/stock-levels", opt=allow(ADMIN, DISPATCHER))
async def put_level(data: JSONBody[StockLevelIn], call: NamedDependency[Call]) -> Response[StockLevelOut]:
    """Set a level or replace it; the price of a piece follows it from now on."""
    return await call.write(
        200,
        lambda db: service.set_level(db, actor=call.actor, new=data, if_match=call.if_match, now=call.now),
    )


@get("/v1/transfers", opt=allow(ADMIN, DISPATCHER, WAREHOUSE))
async def list_transfers(
    call: NamedDependency[Call],
    wanted: Annotated[str | None, QueryParameter(name="state")] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> TransfersOut:
    """Transfers from or to one's places, newest first."""
    return await call.read(lambda db: queries.transfers(db, actor=call.actor, state=wanted, cursor=cursor, limit=limit))


@get("/v1/transfers/{transfer_id:str}", opt=allow(ADMIN, DISPATCHER, WAREHOUSE))
async def show_transfer(transfer_id: FromPath[str], call: NamedDependency[Call]) -> TransferOut:
    """One transfer with its lines."""
    return await call.read(lambda db: queries.transfer(db, actor=call.actor, transfer_id=transfer_id))


@post("/v1/transfers", opt=allow(ADMIN, DISPATCHER, WAREHOUSE))
async def add_transfer(data: JSONBody[TransferIn], call: NamedDependency[Call]) -> Response[TransferOut]:
    """Ship free pieces to another place."""
    return await call.write(201, lambda db: service.ship(db, actor=call.actor, new=data, now=call.now))


@post("/v1/transfers/{transfer_id:str}/receive", status_code=200, opt=allow(ADMIN, WAREHOUSE))
async def receive_transfer(
    transfer_id: FromPath[str], data: JSONBody[ReceiveIn], call: NamedDependency[Call]
) -> Response[TransferOut]:
    """Put away what arrived; without lines all that is still in transit."""
    return await call.write(
        200,
        lambda db: service.arrive(
            db, actor=call.actor, transfer_id=transfer_id, arrival=data, if_match=call.if_match, now=call.now
        ),
    )


@post("/v1/transfers/{transfer_id:str}/write-off", status_code=200, opt=allow(ADMIN, WAREHOUSE))
async def write_off_transfer(
    transfer_id: FromPath[str], data: JSONBody[WriteOffIn], call: NamedDependency[Call]
) -> Response[TransferOut]:
    """Give up what will not arrive."""
    return await call.write(
        200,
        lambda db: service.write_off(
            db, actor=call.actor, transfer_id=transfer_id, given_up=data, if_match=call.if_match, now=call.now
        ),
    )


@post("/v1/counts", opt=allow(ADMIN, WAREHOUSE))
async def add_count(data: JSONBody[CountIn], call: NamedDependency[Call]) -> Response[CountOut]:
    """Set stock to what was counted, if it still is what the counter saw."""
    return await call.write(201, lambda db: service.count(db, actor=call.actor, new=data, now=call.now))


@post("/v1/adjustments", opt=allow(ADMIN, WAREHOUSE))
async def add_adjustment(data: JSONBody[AdjustmentIn], call: NamedDependency[Call]) -> Response[BookedOut]:
    """Add or take away free pieces, with a reason: scrap, repair, quarantine, lost, back to the supplier."""
    return await call.write(201, lambda db: service.adjust(db, actor=call.actor, new=data, now=call.now))


@post("/v1/returns", opt=allow(ADMIN, WAREHOUSE))
async def add_return(data: JSONBody[ReturnIn], call: NamedDependency[Call]) -> Response[BookedOut]:
    """Take removed parts in (RMA)."""
    return await call.write(201, lambda db: service.return_removed(db, actor=call.actor, new=data, now=call.now))


@get("/v1/loans", opt=allow(ADMIN, DISPATCHER, WAREHOUSE, ENGINEER))
async def list_loans(
    call: NamedDependency[Call],
    open: FromQuery[bool | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
) -> LoansOut:
    """Loans, newest first; `open=true` gives those still with customers."""
    return await call.read(lambda db: queries.loans(db, actor=call.actor, open=open, cursor=cursor, limit=limit))


@post("/v1/loans", opt=allow(ADMIN, DISPATCHER, WAREHOUSE))
async def add_loan(data: JSONBody[LoanIn], call: NamedDependency[Call]) -> Response[LoanOut]:
    """Lend a free piece to a customer."""
    return await call.write(201, lambda db: service.lend(db, actor=call.actor, new=data, now=call.now))


@post("/v1/loans/{loan_id:str}/return", status_code=200, opt=allow(ADMIN, WAREHOUSE))
async def return_loan(
    loan_id: FromPath[str], data: JSONBody[LoanBackIn], call: NamedDependency[Call]
) -> Response[LoanOut]:
    """Take a loan back in the condition it is in."""
    return await call.write(
        200,
        lambda db: service.take_back(
            db, actor=call.actor, loan_id=loan_id, back=data, if_match=call.if_match, now=call.now
        ),
    )


HANDLERS = [
    list_stock,
    list_movements,
    add_receipt,
    cancel_receipt,
    list_purchases,
    add_purchase,
    list_bins,
    add_bin,
    put_away,
    list_levels,
    put_level,
    list_transfers,
    show_transfer,
    add_transfer,
    receive_transfer,
    write_off_transfer,
    add_count,
    add_adjustment,
    add_return,
    list_loans,
    add_loan,
    return_loan,
]
