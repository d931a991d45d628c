"""Doors to the warehouse's papers: the pick list, the dispatch note, labels. None of them shows a price."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.core.db import reading
from app.fulfillment.rules.clocks import ClockName
from app.web import addresses, paper
from app.web.frame import signed_in
from app.web.render import HEADERS, Words, language_of
from app.web.sessions import SignedIn
from app.web.warehouse import shelves
from app.web.warehouse.picking import PICKERS
from app.web.warehouse.queries import Facts, queue_facts
from app.web.warehouse.queue import due_of, label_of, leaving, queue, way_words
from app.web.warehouse.receiving import RECEIVERS
from app.web.warehouse.refusals import NoReceipt, NotYours
from app.web.warehouse.views import QueueRow
from app.web.words import PRIORITY, PROMISE, clock_time

Web = Request[Any, Any, Any]
GONE = ("canceled", "lost")
MOST_JOBS = 200


@get("/picking/list.pdf", opt=signed_in(*PICKERS), include_in_schema=False)
async def pick_list_paper(
    request: Web,
    who: NamedDependency[SignedIn],
    place: FromQuery[str | None] = None,
    only: FromQuery[str | None] = None,
) -> Response[bytes]:
    """What is to be picked, at one place or of one request, what must leave first on top."""
    now, say = request.app.state.clock.now(), Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        facts = await queue_facts(db, actor=who.actor, now=now, place=place or None, request=only or None)
    rows = queue(facts, now=now, say=say, place=place or None, step="pick", everything=True).rows[:MOST_JOBS]
    if only and not facts.lines:
        raise NotYours(id=only)
    made = paper.PickList(
        head=paper.letterhead(request.app.state.settings),
        place=" · ".join(dict.fromkeys(row.place_name for row in rows)) or (place or "—"),
        jobs=tuple(_job(request, facts, row, say) for row in rows),
        made_at=now,
        zone=facts.lines[0].timezone if facts.lines else "UTC",
        made_by=who.actor.name,
    )
    return pdf(await paper.pick_list(made, say), "pick-list")


def _job(request: Web, facts: Facts, row: QueueRow, say: Words) -> paper.PickJob:
    lines = [line for line in facts.lines if line.request == row.request and line.source == row.place]
    return paper.PickJob(
        label=row.label,
        code=f"P-{row.request[-5:].upper()}",
        link=addresses.absolute(request, addresses.short(row.request)),
        site=row.site,
        customer=row.customer,
        priority=row.priority_word,
        due=row.clock.spare,
        handover=f"{row.clock.promise} · {row.way}" if row.way else row.clock.promise,
        lines=tuple(one for line in lines if line.state == "accepted" for one in part_lines(facts, line, say)),
        urgent=row.priority == "emergency",
    )


def part_lines(facts: Facts, line: Any, say: Words) -> list[paper.PartLine]:
    """A line bin by bin, with its serials, or lot by lot."""
    note = say("in place of {part}, a free upgrade", part=line.asked_part) if line.asked_part != line.part else None
    groups: dict[tuple[str | None, str | None], list[Any]] = {}
    for one in facts.pieces.get(line.id, ()):
        if one.state in ("held", "issued") and one.out:
            groups.setdefault((one.bin, one.lot if line.tracking == "lot" else None), []).append(one)
    return [
        paper.PartLine(
            part_number=line.part,
            part_name=line.part_name,
            quantity=sum(one.out for one in group),
            bin=place,
            serials=tuple(str(one.serial) for one in group if one.serial),
            lot=lot,
            note=note,
        )
        for (place, lot), group in groups.items()
    ]


async def _one(request: Web, who: SignedIn, request_id: str) -> tuple[Facts, datetime, Words]:
    now = request.app.state.clock.now()
    async with reading(request.app.state.engine) as db:
        facts = await queue_facts(db, actor=who.actor, now=now, request=request_id)
    if not any(line.state not in GONE for line in facts.lines):
        raise NotYours(id=request_id)
    return facts, now, Words(language_of(request))


@get("/picking/{request_id:str}/note.pdf", opt=signed_in(*PICKERS), include_in_schema=False)
async def dispatch_note_paper(
    request: Web, who: NamedDependency[SignedIn], request_id: FromPath[str]
) -> Response[bytes]:
    """What goes out with the parcel."""
    facts, now, say = await _one(request, who, request_id)
    lines = [line for line in facts.lines if line.state not in GONE]
    first = lines[0]
    leaves, urgent = min(((leaving(facts, line, now), line) for line in lines), key=lambda pair: pair[0].at)
    kind: ClockName = "national" if urgent.kind == "national" else "local"
    made = paper.DispatchNote(
        head=paper.letterhead(request.app.state.settings),
        label=label_of(first),
        link=addresses.absolute(request, addresses.short(request_id)),
        from_place=" · ".join(dict.fromkeys(line.place_name for line in lines)),
        to=paper.Party(name=first.site_name, customer=first.customer_name, address=first.address),
        by=_brought_by(facts, first, way_words(facts, leaves, say)),
        promise=say(PROMISE[kind], at=clock_time(due_of(urgent), urgent.timezone, now, say)),
        lines=tuple(one for line in lines for one in part_lines(facts, line, say)),
        made_at=now,
        zone=first.timezone,
        device=first.device_serial,
        model=first.model,
        ticket=first.ticket_number,
        waybill=first.waybill,
        old_parts=tuple(line.asked_part for line in lines if line.covered),
    )
    return pdf(await paper.dispatch_note(made, say), f"note-{label_of(first)}")


def _brought_by(facts: Facts, line: Any, planned: str) -> str:
    if line.carrier and not line.courier:
        return str(line.carrier)
    return next((str(one.name) for one in facts.couriers if one.code == line.courier), planned)


@get("/picking/{request_id:str}/labels.pdf", opt=signed_in(*PICKERS), include_in_schema=False)
async def label_papers(request: Web, who: NamedDependency[SignedIn], request_id: FromPath[str]) -> Response[bytes]:
    """A label for each piece by serial, else one for each lot or part."""
    facts, now, say = await _one(request, who, request_id)
    lines = [line for line in facts.lines if line.state not in GONE]
    parts = [(line, one) for line in lines for one in part_lines(facts, line, say)]
    found = [
        paper.Label(
            link=addresses.absolute(request, addresses.short(request_id)),
            code=serial or one.lot or line.part,
            part_number=line.part,
            part_name=line.part_name,
            quantity=1 if serial else one.quantity,
            made_at=now,
            request=label_of(line),
            site=line.site_name,
            customer=line.customer_name,
            serial=serial,
            lot=one.lot,
            warranty_end=date.fromisoformat(line.covered_until) if line.covered_until else None,
            priority=say(PRIORITY[line.priority]),
        )
        for line, one in parts
        for serial in (one.serials or (None,))
    ]
    return pdf(await paper.labels(found, say), f"labels-{label_of(lines[0])}")


@get("/receiving/{receipt_id:str}/labels.pdf", opt=signed_in(*RECEIVERS), include_in_schema=False)
async def received_labels(request: Web, who: NamedDependency[SignedIn], receipt_id: FromPath[str]) -> Response[bytes]:
    """A label for each serial or lot that came in, whose code leads to where it lies."""
    now, say = request.app.state.clock.now(), Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        rows = await shelves.receipt_rows(db, actor=who.actor, receipt=receipt_id)
    if not rows:
        raise NoReceipt(receipt=receipt_id)
    return pdf(await paper.labels(_received(request, rows, now), say), f"labels-{rows[0].note}")


def _received(request: Web, rows: Sequence[Any], now: datetime) -> list[paper.Label]:
    return [
        paper.Label(
            link=addresses.absolute(request, addresses.part(row.part, lot=row.lot, serial=row.serial)),
            code=row.serial or row.lot or row.part,
            part_number=row.part,
            part_name=row.part_name,
            quantity=row.quantity,
            made_at=now,
            serial=row.serial,
            lot=row.lot,
        )
        for row in rows[:500]
    ]


def pdf(content: bytes, name: str) -> Response[bytes]:
    """A paper, shown in the browser and kept by nobody on the way."""
    headers = {key: value for key, value in HEADERS.items() if key != "Content-Security-Policy"}
    shown = f"inline; filename*=UTF-8''{quote(name, safe='')}.pdf"
    return Response(content, media_type="application/pdf", headers=headers | {"Content-Disposition": shown})


HANDLERS = [pick_list_paper, dispatch_note_paper, label_papers, received_labels]
