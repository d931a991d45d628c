"""What a scan stands for, as this asker may see it: one question to the database, however many kinds of things it asks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.fulfillment.queries.requests import SCOPED as REQUEST_SCOPED
from app.fulfillment.queries.requests import scope_of
from app.warranty.queries.facts import SCOPED as DEVICE_SCOPED
from app.web.scanned import Scan

Kind = Literal["device", "piece", "lot", "part", "bin", "request", "verdict"]
MOST = 8
"""Of one kind; who means another says more."""

IN_PLACES = "(CAST(:scope_places AS text[]) IS NULL OR {column} = ANY(CAST(:scope_places AS text[])))"
OPEN = "r.state NOT IN ('confirmed', 'canceled', 'lost')"
FIND = text(f"""
    (SELECT 'device' AS kind, d.serial AS code, NULL AS part, i.model AS name, s.name AS place, true AS present
     FROM device d JOIN installation i ON i.id = d.installation JOIN site s ON s.code = i.site
     WHERE d.serial = ANY(CAST(:serials AS text[])) AND {DEVICE_SCOPED} LIMIT :most)
    UNION ALL
    (SELECT 'piece', t.serial, t.part, p.name, coalesce(w.name, ''), w.code IS NOT NULL
     FROM stock_serial t JOIN part p ON p.number = t.part LEFT JOIN place w ON w.code = t.place
     WHERE t.serial = ANY(CAST(:serials AS text[]))
       AND ({IN_PLACES.format(column="t.place")} OR (w.code IS NULL AND EXISTS (
           SELECT FROM stock_movement m WHERE m.serial = t.serial AND m.place = ANY(CAST(:scope_places AS text[])))))
     LIMIT :most)
    UNION ALL
    (SELECT 'lot', l.lot, l.part, p.name, string_agg(DISTINCT w.name, ', '), true
     FROM stock_layer l JOIN part p ON p.number = l.part JOIN place w ON w.code = l.place
     WHERE l.lot = ANY(CAST(:lots AS text[])) AND l.quantity > 0 AND {IN_PLACES.format(column="l.place")}
     GROUP BY l.lot, l.part, p.name ORDER BY l.part LIMIT :most)
    UNION ALL
    (SELECT 'part', p.number, p.number, p.name, '', true FROM part p WHERE p.number = ANY(CAST(:parts AS text[])) LIMIT :most)
    UNION ALL
    (SELECT 'bin', b.code, b.place, coalesce(b.note, ''), w.name, true FROM bin b JOIN place w ON w.code = b.place
     WHERE b.code = ANY(CAST(:bins AS text[])) AND (CAST(:place AS text) IS NULL OR b.place = :place)
       AND {IN_PLACES.format(column="b.place")} ORDER BY b.place LIMIT :most)
    UNION ALL
    (SELECT 'verdict', v.id, NULL, v.device_serial, '', true
     FROM verdict v LEFT JOIN installation i ON i.id = v.installation LEFT JOIN site s ON s.code = i.site
     WHERE v.id = CAST(:verdict AS text)
       AND (CAST(:scope_customers AS text[]) IS NULL OR v.customer = ANY(CAST(:scope_customers AS text[])))
       AND (CAST(:scope_areas AS text[]) IS NULL OR i.id IS NULL OR s.area = ANY(CAST(:scope_areas AS text[]))))
    UNION ALL
    (SELECT 'request', r.id, r.matched, coalesce(r.ticket_number, ''), s.name, {OPEN}
     FROM (
         SELECT r.*, r.id AS matched FROM part_request r WHERE r.id = CAST(:request AS text)
         UNION ALL
         SELECT r.*, CAST(:request_end AS text) FROM part_request r WHERE right(r.id, 5) = CAST(:request_end AS text)
         UNION ALL
         SELECT r.*, r.ticket_number FROM part_request r WHERE r.ticket_number = ANY(CAST(:tickets AS text[]))
         UNION ALL
         SELECT r.*, l.fitted_serial FROM request_line l JOIN part_request r ON r.id = l.request
         WHERE l.fitted_serial = ANY(CAST(:serials AS text[]))
         UNION ALL
         SELECT r.*, l.removed_serial FROM request_line l JOIN part_request r ON r.id = l.request
         WHERE l.removed_serial = ANY(CAST(:serials AS text[]))
         UNION ALL
         SELECT r.*, m.serial FROM stock_movement m JOIN reservation h ON h.id = m.reservation
             JOIN request_line l ON l.id = h.reference JOIN part_request r ON r.id = l.request
         WHERE m.serial = ANY(CAST(:serials AS text[])) AND m.why = 'issue'
         UNION ALL
         SELECT r.*, r.device_serial FROM part_request r WHERE r.device_serial = ANY(CAST(:devices AS text[])) AND {OPEN}
     ) r JOIN site s ON s.code = r.site
     WHERE {REQUEST_SCOPED} ORDER BY {OPEN} DESC, r.id DESC LIMIT :most)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One thing that a scan may stand for. `code` is what it is called by, `matched` what of the scan it answers to.

    `name` is a model's, a part's or a ticket's, `place` where it is; `present`: in stock, or still open. Of a bin `part`
    is its place's code.
    """

    kind: Kind
    code: str
    matched: str
    part: str | None = None
    name: str = ""
    place: str = ""
    present: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look for, each by its own name."""

    serials: Sequence[str] = ()
    lots: Sequence[str] = ()
    parts: Sequence[str] = ()
    tickets: Sequence[str] = ()
    devices: Sequence[str] = ()
    bins: Sequence[str] = ()
    place: str | None = None
    request: str | None = None
    request_end: str | None = None
    verdict: str | None = None
    order: Sequence[str] = field(default=())
    """Names, the likeliest first: what answers to a later one counts only where nothing answers to an earlier."""


def wanted_of(scan: Scan) -> list[Wanted]:
    """What a scan may stand for, the surest reading first; the next is asked only if the one before finds nothing."""
    plain = Wanted(
        serials=scan.tries,
        lots=scan.tries,
        parts=scan.tries,
        tickets=scan.tries,
        devices=scan.tries,
        bins=scan.tries,
        request_end=scan.request_end,
        order=(scan.request_end, *scan.tries) if scan.request_end else scan.tries,
    )
    if scan.kind == "gs1":
        return [*map(_said, (scan, *scan.others)), plain]
    if scan.gtin is not None:
        return [plain, Wanted(parts=_gtins(scan.gtin))]
    if scan.device is not None:
        return [Wanted(serials=(scan.device,), devices=(scan.device,))]
    if scan.part is not None:
        return [_said(scan)]
    if scan.bin is not None:
        return [Wanted(bins=(scan.bin,), place=scan.place)]
    if scan.request is not None or scan.verdict is not None:
        return [Wanted(request=scan.request, verdict=scan.verdict)]
    return [plain]


def _said(scan: Scan) -> Wanted:
    """What a GS1 code or a part's address names: its piece, its lot, at last its part."""
    serials, lots = _some(scan.serial), _some(scan.lot)
    parts = (*_some(scan.part), *(_gtins(scan.gtin) if scan.gtin else ()))
    return Wanted(serials=serials, devices=serials, lots=lots, parts=parts, order=(*serials, *lots, *parts))


def _gtins(gtin: str) -> tuple[str, ...]:
    """A trade item number as 14, 13, 12 or 8 digits: shorter ones have zeros before them."""
    return tuple(gtin[14 - digits :] for digits in (14, 13, 12, 8) if not gtin[: 14 - digits].strip("0"))


def _some(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


async def found(db: AsyncConnection, *, actor: Actor, scan: Scan) -> tuple[Match, ...]:
    """What a scan stands for within the asker's scope, the likeliest first; empty if nothing answers to it."""
    for wanted in wanted_of(scan):
        matches = await _asked(db, actor, wanted)
        if matches:
            return matches
    return ()


async def _asked(db: AsyncConnection, actor: Actor, wanted: Wanted) -> tuple[Match, ...]:
    binds = {
        "serials": list(wanted.serials),
        "lots": list(wanted.lots),
        "parts": list(wanted.parts),
        "tickets": list(wanted.tickets),
        "devices": list(wanted.devices),
        "bins": list(wanted.bins),
        "place": wanted.place,
        "request": wanted.request,
        "request_end": wanted.request_end,
        "verdict": wanted.verdict,
        "most": MOST,
    }
    rows = await db.execute(FIND, binds | scope_of(actor))
    return likeliest(_of_part([_match(row) for row in rows], wanted.parts), wanted.order)


def _of_part(matches: list[Match], parts: Sequence[str]) -> list[Match]:
    """Lots and serials of the part that the code names, where there are any: others are called alike by chance. A maker's
    own part number names none of ours, and excludes nothing."""
    kinds = ("piece", "lot")
    if not any(one.kind in kinds and one.part in parts for one in matches):
        return matches
    return [one for one in matches if one.kind not in kinds or one.part in parts]


def likeliest(matches: Iterable[Match], order: Sequence[str]) -> tuple[Match, ...]:
    """Those that answer to the earliest name that anything answers to, each once."""
    once = list(dict.fromkeys(matches))
    places = {name: at for at, name in reversed(list(enumerate(order)))}
    first = min((places.get(one.matched, 0) for one in once), default=0)
    return tuple(one for one in once if places.get(one.matched, 0) == first)


def _match(row: Any) -> Match:
    request = row.kind == "request"
    return Match(
        kind=row.kind,
        code=row.code,
        matched=row.part if request else row.code,
        part=None if request else row.part,
        name=row.name or "",
        place=row.place or "",
        present=bool(row.present),
    )
