"""What stock refuses, by name."""

from app.core.errors import Conflict, Unprocessable


class OutOfStock(Conflict):
    """Less is free than was asked in sum for a part at a place; `available` is the number seen under the row's lock."""

    code = "stock.insufficient"


class PriceMoved(Conflict):
    """The pieces that would be bound no longer cost what the decision rests on; the caller asks for fresh facts."""

    code = "stock.price_moved"


class NotHeld(Conflict):
    """Nothing is held any more for this reference: it was issued, released or has expired."""

    code = "reservation.not_held"


class NotIssued(Conflict):
    """Only what was issued and is still out can come back or be lost."""

    code = "reservation.not_issued"


class WrongPiece(Conflict):
    """The scan proves another piece than the one promised."""

    code = "scan.wrong"


class WrongBin(Conflict):
    """The pieces do not lie in the bin that was scanned."""

    code = "scan.wrong_bin"


class NothingThere(Conflict):
    """No pieces at this place are what was to be put away."""

    code = "bin.nothing_there"


class BinThere(Conflict):
    """A place has each bin once."""

    code = "bin.already_there"


class SerialInUse(Conflict):
    """A serial number is in exactly one place, and it is not where this would take it from."""

    code = "serial.in_use"


class StockChanged(Conflict):
    """The count was made against another number than the present one."""

    code = "stock.changed"


class CountBelowReserved(Conflict):
    """Fewer were counted than are held; the holds are named."""

    code = "count.below_reserved"


class NothingLeft(Conflict):
    """More than what is still in transit was said to have arrived or been written off."""

    code = "transfer.more_than_shipped"


class AlreadyBack(Conflict):
    """A loan that has been returned before, in another way."""

    code = "loan.already_back"


class BadLines(Unprocessable):
    """Lines that cannot be booked; each is named in `errors`."""

    code = "lines.bad"


class InTheFuture(Unprocessable):
    """Something cannot have happened after now."""

    code = "occurred_at.future"


class OtherCurrency(Unprocessable):
    """Reported stock is confirmed in the currency it was reported in."""

    code = "stock.other_currency"


class ReceiptUsed(Conflict):
    """Pieces of this receipt were held, moved or counted away; what is left can be adjusted instead."""

    code = "receipt.used"
