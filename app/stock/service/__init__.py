"""Stock's verbs: hold, issue, take back, receive, move, count. Nobody here commits, reads the clock or makes text."""

from app.stock.service.counts import adjust, count
from app.stock.service.expiry import quarantine_expired
from app.stock.service.holds import Demand, consent, expire, release, reserve
from app.stock.service.pieces import issue, lose, return_unused
from app.stock.service.receipts import cancel_receipt, receive
from app.stock.service.refusals import (
    AlreadyBack,
    BadLines,
    CountBelowReserved,
    InTheFuture,
    NotHeld,
    NothingLeft,
    NotIssued,
    OtherCurrency,
    OutOfStock,
    PriceMoved,
    ReceiptUsed,
    SerialInUse,
    StockChanged,
    WrongPiece,
)
from app.stock.service.reported import confirm_reported
from app.stock.service.returns import lend, return_removed, take_back
from app.stock.service.transfers import arrive, ship, write_off

__all__ = [
    "AlreadyBack",
    "BadLines",
    "CountBelowReserved",
    "Demand",
    "InTheFuture",
    "NotHeld",
    "NotIssued",
    "NothingLeft",
    "OtherCurrency",
    "OutOfStock",
    "PriceMoved",
    "ReceiptUsed",
    "SerialInUse",
    "StockChanged",
    "WrongPiece",
    "adjust",
    "arrive",
    "cancel_receipt",
    "confirm_reported",
    "consent",
    "count",
    "expire",
    "issue",
    "lend",
    "lose",
    "quarantine_expired",
    "receive",
    "release",
    "reserve",
    "return_removed",
    "return_unused",
    "ship",
    "take_back",
    "write_off",
]
