"""Stock's shapes on the wire."""

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta

from app.core.types import Code, Currency, Instant, MoneyOut, Name, Quantity, Text, Wire

Condition = Literal["new", "refurbished", "defective"]
Serials = Annotated[list[Code], Meta(min_length=1, max_length=10_000)]
# Unit costs may be finer than the coin: a line's value is rounded once, as a whole.
FineAmount = Annotated[str, Meta(pattern=r"^\d{1,12}(\.\d{1,6})?\Z")]
Rate = Annotated[str, Meta(pattern=r"^\d{1,9}(\.\d{1,9})?\Z")]


class CostIn(Wire):
    """Landed cost of one piece, net of recoverable tax (P2)."""

    amount: FineAmount
    currency: Currency


class ReceiptLineIn(Wire):
    """Pieces received, and the bin they are put in. `rates` are units of another currency for one unit of the cost's (P2).

    Without `unit_cost` it is what `/v1/purchases` has for the receipt's place and reference; if nothing, it is refused.
    """

    part_number: Code
    quantity: Quantity
    unit_cost: CostIn | None = None
    lot: Code | None = None
    serials: Serials | None = None
    condition: Condition = "new"
    genuine: bool = True
    expires_on: date | None = None
    rates: dict[Currency, Rate] | None = None
    bin: Code | None = None


class ReceiptIn(Wire):
    place: Code
    reference: Name
    lines: Annotated[list[ReceiptLineIn], Meta(min_length=1, max_length=5_000)]
    occurred_at: Instant | None = None


class CancelIn(Wire):
    reason: Name


class ReceiptLineOut(Wire):
    part_number: str
    quantity: int
    lot: str | None
    serials: list[str]
    condition: str
    genuine: bool
    expires_on: date | None
    bin: str | None
    value: MoneyOut | None


class ReceiptOut(Wire):
    id: str
    place: str
    reference: str
    received_at: datetime
    lines: list[ReceiptLineOut]


class PiecesIn(Wire):
    """Which pieces of a part: by serial, by lot, or the ones that are picked first."""

    part_number: Code
    quantity: Quantity
    serials: Serials | None = None
    lot: Code | None = None
    condition: Condition = "new"
    genuine: bool = True


class TransferIn(Wire):
    from_place: Code
    to_place: Code
    lines: Annotated[list[PiecesIn], Meta(min_length=1, max_length=1_000)]
    note: Text | None = None
    occurred_at: Instant | None = None


class ArrivalIn(Wire):
    """What arrived of a line (numbered from 0): so many, or these serials."""

    line: Annotated[int, Meta(ge=0, le=10_000)]
    quantity: Quantity | None = None
    serials: Serials | None = None


class ReceiveIn(Wire):
    """Without lines: everything still in transit."""

    lines: Annotated[list[ArrivalIn], Meta(min_length=1, max_length=1_000)] | None = None
    occurred_at: Instant | None = None


class WriteOffIn(Wire):
    """Without lines: everything still in transit is given up."""

    reason: Name
    lines: Annotated[list[ArrivalIn], Meta(min_length=1, max_length=1_000)] | None = None
    occurred_at: Instant | None = None


class TransferLineOut(Wire):
    line: int
    part_number: str
    condition: str
    genuine: bool
    lot: str | None
    serial: str | None
    quantity: int
    received: int
    written_off: int
    in_transit: int


class TransferOut(Wire):
    id: str
    from_place: str
    to_place: str
    state: str
    note: str | None
    shipped_at: datetime
    version: int
    lines: list[TransferLineOut]


class TransfersOut(Wire):
    items: list[TransferOut]
    next: str | None


class CountLineIn(Wire):
    """What was counted of a part, against the number the counter saw (`expected`): by serials, by lot or as a whole.

    Pieces found need a `unit_cost` only where the part was never bought.
    """

    part_number: Code
    expected: Annotated[int, Meta(ge=0, le=10**9)]
    counted: Annotated[int, Meta(ge=0, le=10**9)]
    serials: Annotated[list[Code], Meta(max_length=10_000)] | None = None
    lot: Code | None = None
    condition: Condition = "new"
    genuine: bool = True
    unit_cost: CostIn | None = None


class CountIn(Wire):
    place: Code
    lines: Annotated[list[CountLineIn], Meta(min_length=1, max_length=1_000)]
    note: Text | None = None
    occurred_at: Instant | None = None


class CountLineOut(Wire):
    part_number: str
    condition: str
    genuine: bool
    lot: str | None
    before: int
    counted: int
    difference: int


class CountOut(Wire):
    id: str
    place: str
    counted_at: datetime
    lines: list[CountLineOut]


class ReturnLineIn(Wire):
    """A removed part that came back (RMA), never as new (S4). `line` is the request line that replaced it."""

    part_number: Code
    quantity: Quantity = 1
    serials: Serials | None = None
    lot: Code | None = None
    condition: Literal["refurbished", "defective"] = "defective"
    genuine: bool = True
    line: Code | None = None


class ReturnIn(Wire):
    place: Code
    lines: Annotated[list[ReturnLineIn], Meta(min_length=1, max_length=1_000)]
    reference: Name | None = None
    note: Text | None = None
    occurred_at: Instant | None = None


class AdjustmentLineIn(Wire):
    """Pieces added (`change` above 0, with their cost unless known) or taken away (below 0), by serial, lot or rule."""

    part_number: Code
    change: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
    serials: Serials | None = None
    lot: Code | None = None
    condition: Condition = "new"
    genuine: bool = True
    unit_cost: CostIn | None = None
    expires_on: date | None = None


class AdjustmentIn(Wire):
    """`counterpart` is where pieces go to or come from: scrap, repair, quarantine, lost, the supplier, or nowhere known."""

    place: Code
    reason: Name
    lines: Annotated[list[AdjustmentLineIn], Meta(min_length=1, max_length=1_000)]
    counterpart: Literal["adjustment", "scrap", "repair", "quarantine", "lost", "supplier"] = "adjustment"
    occurred_at: Instant | None = None


class BookedOut(Wire):
    """Movements booked by one verb."""

    id: str
    place: str
    movements: list[str]


class LoanIn(Wire):
    """A piece lent to a customer; refurbished ones are meant for it (S4)."""

    place: Code
    customer: Code
    part_number: Code
    serial: Code | None = None
    condition: Condition = "refurbished"
    genuine: bool = True
    reference: Code | None = None
    occurred_at: Instant | None = None


class LoanBackIn(Wire):
    place: Code
    condition: Condition
    occurred_at: Instant | None = None


class LoanOut(Wire):
    id: str
    customer: str
    place: str
    part_number: str
    serial: str | None
    reference: str | None
    lent_at: datetime
    back_at: datetime | None
    back_place: str | None
    back_condition: str | None
    version: int


class LoansOut(Wire):
    items: list[LoanOut]
    next: str | None


class StockRow(Wire):
    """One balance, and the bins that hold something of it. `value` is shown to finance and admin alone."""

    place: str
    part_number: str
    condition: str
    genuine: bool
    stock: str
    on_hand: int
    reserved: int
    available: int
    bins: list[str]
    value: list[MoneyOut] | None


class StockOut(Wire):
    items: list[StockRow]
    next: str | None


class MovementOut(Wire):
    id: str
    why: str
    from_place: str
    to_place: str
    part_number: str
    condition: str
    genuine: bool
    lot: str | None
    serial: str | None
    quantity: int
    value: MoneyOut | None
    ledger_number: int | None
    balance_after: int | None
    reference: str | None
    corrects: str | None
    note: str | None
    moved_by: str
    occurred_at: datetime
    recorded_at: datetime


class MovementsOut(Wire):
    items: list[MovementOut]
    next: str | None


class BinIn(Wire):
    place: Code
    code: Code
    note: Text | None = None


class BinOut(BinIn, kw_only=True):
    """A bin, and how many pieces of how many parts lie in it."""

    parts: int
    on_hand: int
    version: int


class BinsOut(Wire):
    items: list[BinOut]
    next: str | None


class PutAwayLineIn(Wire):
    """Which pieces of a part: by serial, by lot, out of one bin, those in no bin yet; or all that the place has."""

    part_number: Code
    serials: Serials | None = None
    lot: Code | None = None
    from_bin: Code | None = None
    only_unplaced: bool = False


class PutAwayIn(Wire):
    """Without `bin` the pieces are taken out of theirs."""

    place: Code
    bin: Code | None
    lines: Annotated[list[PutAwayLineIn], Meta(min_length=1, max_length=1_000)]
    note: Text | None = None


class PutAwayLineOut(Wire):
    part_number: str
    quantity: int
    lot: str | None
    serial: str | None
    from_bin: str | None


class PutAwayOut(Wire):
    id: str
    bin: str | None
    lines: list[PutAwayLineOut]


class PurchaseLineIn(Wire):
    part_number: Code
    quantity: Quantity
    unit_cost: CostIn
    rates: dict[Currency, Rate] | None = None


class PurchaseIn(Wire):
    """What was ordered for a place under a reference. Said again, a line replaces the one before."""

    place: Code
    reference: Name
    lines: Annotated[list[PurchaseLineIn], Meta(min_length=1, max_length=1_000)]


class PurchaseLineOut(Wire):
    """`unit_cost` is finance's and the admin's; `received` counts receipts under the same reference."""

    place: str
    reference: str
    part_number: str
    quantity: int
    received: int
    unit_cost: MoneyOut | None


class PurchasesOut(Wire):
    items: list[PurchaseLineOut]
    next: str | None
