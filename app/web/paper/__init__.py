"""Papers: a finished value and words become the bytes of a PDF. No question, no decision, no database."""

from app.web.paper.customer_papers import quotation, verdict
from app.web.paper.press import PaperNotMade
from app.web.paper.values import (
    Bar,
    DispatchNote,
    Label,
    Letterhead,
    PartLine,
    Party,
    PickJob,
    PickList,
    Quotation,
    QuotedLine,
    ReasonLine,
    Timeline,
    TimelineRow,
    VerdictPaper,
)
from app.web.paper.warehouse_papers import dispatch_note, label, labels, pick_list
from app.web.paper.words import letterhead

__all__ = [
    "Bar",
    "DispatchNote",
    "Label",
    "Letterhead",
    "PaperNotMade",
    "PartLine",
    "Party",
    "PickJob",
    "PickList",
    "Quotation",
    "QuotedLine",
    "ReasonLine",
    "Timeline",
    "TimelineRow",
    "VerdictPaper",
    "dispatch_note",
    "label",
    "labels",
    "letterhead",
    "pick_list",
    "quotation",
    "verdict",
]
