"""What a handheld is told when a scan or a step does not fit: what it is, what is needed, and what to do."""

from app.core.errors import Conflict, NotFound


class NotYours(NotFound):
    """No such request at this person's places."""

    code = "web.pick_not_found"


class PickedAlready(Conflict):
    """Somebody else was quicker; nothing was booked twice."""

    code = "web.pick_already"


class WrongPart(Conflict):
    """Another part than the one to pick, with both bins known."""

    code = "web.pick_wrong_part"


class WrongPartUnplaced(Conflict):
    """Another part than the one to pick; where it belongs is not known here."""

    code = "web.pick_wrong_part_unplaced"


class WrongBin(Conflict):
    """Another bin than the one the piece lies in."""

    code = "web.pick_wrong_bin"


class BinFirst(Conflict):
    """A bin where a piece was to be scanned."""

    code = "web.pick_bin_not_piece"


class NothingKnown(Conflict):
    """A code that stands for nothing that lies at this place."""

    code = "web.stock_nothing_known"


class NoReceipt(NotFound):
    """No receipt by that id at this person's places."""

    code = "web.receipt_not_found"


class NothingScanned(Conflict):
    """A receipt without a line."""

    code = "web.receipt_empty"
