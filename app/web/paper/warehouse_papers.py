"""The papers that go with parts: pick list, dispatch note, labels."""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from app.core.errors import Unprocessable
from app.web.paper.drawing import bars, link_code
from app.web.paper.press import PRESS
from app.web.paper.values import DispatchNote, Label, PartLine, Party, PickJob, PickList
from app.web.paper.words import frame, wall_time
from app.web.render import Words

QR_MM = 24.0
BARS_MM, BARS_HIGH_MM = 94.0, 12.0
MOST_LABELS = 500


class TooManyLabels(Unprocessable):
    """More labels than are printed at once."""

    code = "web.too_many_labels"


async def pick_list(paper: PickList, say: Words) -> bytes:
    """The pick list as PDF, A4."""
    data = frame(say("Pick list"), paper.head, paper.made_at, paper.zone, say)
    data["words"] |= {
        "place": say("Warehouse"),
        "requests": say("Requests"),
        "count": say("Pieces"),
        "made_by": say("Made by"),
        "bin": say("Bin"),
        "no_bin": say("no bin"),
        "part": say("Part"),
        "pieces": say("Serial or lot"),
        "lot": say("lot"),
        "quantity": say("Quantity"),
        "nothing": say("Nothing is to be picked here just now."),
        "picked_by": say("Picked by"),
        "checked_by": say("Checked by"),
        "time": say("Time"),
    }
    data |= {
        "number": wall_time(paper.made_at, paper.zone),
        "place": paper.place,
        "made_by": paper.made_by,
        "count": sum(line.quantity for job in paper.jobs for line in job.lines),
        "jobs": await asyncio.to_thread(lambda: [_job(one) for one in paper.jobs]),
    }
    return await PRESS.set("pick_list", data, made_at=paper.made_at)


def _job(one: PickJob) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in one.__slots__}
    drawn = {"qr": link_code(one.link, most_mm=18.5), "bars": bars(one.code, most_mm=52, height_mm=11)}
    return plain | drawn | {"lines": [_line(line) for line in one.lines]}


def _line(one: PartLine) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


async def dispatch_note(paper: DispatchNote, say: Words) -> bytes:
    """The dispatch note as PDF, A4."""
    data = frame(say("Dispatch note"), paper.head, paper.made_at, paper.zone, say)
    data["words"] |= {
        "to": say("To"),
        "from": say("From"),
        "promise": say("Promised"),
        "by": say("Brought by"),
        "waybill": say("Waybill"),
        "parcels": say("Parcels"),
        "ticket": say("Ticket"),
        "device": say("Device"),
        "model": say("Model"),
        "part": say("Part"),
        "pieces": say("Serial or lot"),
        "lot": say("lot"),
        "quantity": say("Quantity"),
        "return_title": say("To come back"),
        "return_words": say("Please hand the removed part to the courier, or keep it for collection:"),
        "complete": say("Please check number and serials on receipt, and sign."),
        "handed_over": say("Handed over by"),
        "received": say("Received by"),
        "time": say("Date and time"),
    }
    plain = {name: getattr(paper, name) for name in paper.__slots__ if name not in ("head", "made_at", "zone")}
    data |= plain | {"to": party(paper.to), "lines": [_line(line) for line in paper.lines], "qr": link_code(paper.link)}
    return await PRESS.set("dispatch_note", data, made_at=paper.made_at)


def party(one: Party) -> dict[str, Any]:
    """An address as data."""
    return {name: getattr(one, name) for name in one.__slots__}


async def label(one: Label, say: Words) -> bytes:
    """One label as PDF of 100 by 60 mm."""
    return await labels([one], say)


async def labels(many: Sequence[Label], say: Words, *, on: Literal["roll", "sheet"] = "roll") -> bytes:
    """Labels as PDF: each a page of 100 by 60 mm for a roll, or eight on a sheet of A4. At least one.

    Raises TooManyLabels.
    """
    if len(many) > MOST_LABELS:
        raise TooManyLabels(count=len(many), limit=MOST_LABELS)
    first = many[0]
    data = {
        "language": "zh" if say.language == "zh-CN" else "en",
        "region": "cn" if say.language == "zh-CN" else "us",
        "words": {"title": say("Labels"), "serial": say("serial"), "lot": say("lot")},
        "on_sheet": on == "sheet",
        "labels": await asyncio.to_thread(lambda: [_label(one, say) for one in many]),
    }
    return await PRESS.set("label", data, made_at=first.made_at)


def _label(one: Label, say: Words) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in one.__slots__ if name not in ("made_at", "warranty_end")}
    end = one.warranty_end
    return plain | {
        "qr": link_code(one.link, most_mm=QR_MM),
        "bars": bars(one.code, most_mm=BARS_MM, height_mm=BARS_HIGH_MM),
        "warranty": say("warranty to {day}", day=end.isoformat()) if end is not None else None,
    }
