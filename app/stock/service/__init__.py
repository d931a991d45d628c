"""Stock's verbs: hold, issue, take back, receive, move, count. Nobody here commits, reads the clock or makes text."""

from app.stock.service.bins import add_bin, meet_bins, put_away
from app.stock.service.counts import adjust, count
from app.stock.service.expiry import quarantine_expired
from app.stock.service.holds import Demand, consent, expire, release, reserve
from app.stock.service.levels import note_demand, set_level
from app.stock.service.pieces import issue, lose, return_unused, unissue
from app.stock.service.purchases import note_purchase
from app.stock.service.receipts import cancel_receipt, receive
from app.stock.service.refusals import (
    AlreadyBack,
    BadLines,
    BinThere,
    CountBelowReserved,
    InTheFuture,
    NotHeld,
    NothingLeft,
    NothingThere,
    NotIssued,
    OtherCurrency,
    OutOfStock,
    PriceMoved,
    ReceiptUsed,
    SerialInUse,
    StockChanged,
    WrongBin,
    WrongPiece,
)
from app.stock.service.reported import confirm_reported
from app.stock.service.returns import lend, return_removed, take_back
from app.stock.service.transfers import arrive, ship, write_off

__all__ = [
    "AlreadyBack",
    "BadLines",
    "BinThere",
    "CountBelowReserved",
    "Demand",
    "InTheFuture",
    "NotHeld",
    "NotIssued",
    "NothingLeft",
    "NothingThere",
    "OtherCurrency",
    "OutOfStock",
    "PriceMoved",
    "ReceiptUsed",
    "SerialInUse",
    "StockChanged",
    "WrongBin",
    "WrongPiece",
    "add_bin",
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
    "meet_bins",
    "note_demand",
    "note_purchase",
    "put_away",
    "quarantine_expired",
    "receive",
    "release",
    "reserve",
    "return_removed",
    "return_unused",
    "set_level",
    "ship",
    "take_back",
    "unissue",
    "write_off",
]
