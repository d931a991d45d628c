"""The report on commitments (C8): lines of some months with what became of them, added up, and the late ones by reason.

A line counts in the month its request was accepted in, by its site's calendar. One that another line took the place of
does not count: the promise went over to that line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core import keyset
from app.core.errors import BadRequest
from app.core.types import Wire
from app.fulfillment.queries.requests import SCOPED, scope_of
from app.fulfillment.rules.clocks import Step
from app.fulfillment.rules.report import AGAIN_WITHIN, Judged, LineFacts, Tally, judge, tally, why_late

Dimension = Literal["contract", "area", "part", "priority"]
DIMENSIONS: tuple[Dimension, ...] = ("contract", "area", "part", "priority")
MOST_MONTHS = 24
DAY = timedelta(days=1)

FILTERED = f"""{SCOPED}
    AND (CAST(:customer AS text) IS NULL OR r.customer = :customer)
    AND (CAST(:contract AS text) IS NULL OR r.contract = :contract)
    AND (CAST(:area AS text) IS NULL OR r.area = :area)
    AND (CAST(:priority AS text) IS NULL OR r.asked_priority = :priority)"""
LINES = text(f"""
    SELECT l.id, l.request, l.kind, l.due_at, l.part_number, l.position, r.received_at, r.accepted_at, r.failed_at,
        r.installation, r.customer, r.contract, r.area, r.asked_priority AS priority, r.device_serial, r.site,
        r.ticket_number, s.timezone,
        CAST(date_trunc('month', r.accepted_at AT TIME ZONE s.timezone) AS date) AS month,
        t.picked_at, t.dispatched_at, t.handed_at, t.delivered_at, t.fitted_at, t.gone_at, t.lost_at,
        t.failed_delivery_at, t.failed_delivery, t.held, t.escalated
    FROM part_request r
    JOIN site s ON s.code = r.site
    JOIN request_line l ON l.request = r.id
    CROSS JOIN LATERAL (
        SELECT min(x.occurred_at) FILTER (WHERE x.verb = 'picked') AS picked_at,
            min(x.occurred_at) FILTER (WHERE x.verb = 'dispatched') AS dispatched_at,
            min(x.occurred_at) FILTER (
                WHERE x.verb = 'dispatched' AND x.line = l.id AND x.details ->> 'waybill' IS NOT NULL) AS handed_at,
            min(x.occurred_at) FILTER (WHERE x.verb = 'delivered') AS delivered_at,
            min(x.occurred_at) FILTER (WHERE x.verb = 'fitted') AS fitted_at,
            min(x.occurred_at) FILTER (WHERE x.verb = 'canceled'
                OR (x.verb IN ('lost', 'resourced') AND coalesce(x.details ->> 'replaced_by', '') <> '')) AS gone_at,
            min(x.occurred_at) FILTER (WHERE x.verb = 'lost') AS lost_at,
            min(x.occurred_at) FILTER (WHERE x.verb = 'delivery_failed') AS failed_delivery_at,
            min(x.details ->> 'reason') FILTER (WHERE x.verb = 'delivery_failed') AS failed_delivery,
            jsonb_agg(jsonb_build_array(x.verb, x.occurred_at, x.line) ORDER BY x.occurred_at, x.seq)
                FILTER (WHERE x.verb IN ('held', 'resumed')) AS held,
            count(*) FILTER (WHERE x.verb = 'escalated' AND x.details ->> 'level' = 'breach'
                AND (x.details ->> 'clock_line' = l.id OR x.details ->> 'clock_line' IS NULL)) AS escalated
        FROM request_step x
        WHERE x.request = r.id AND (x.line = l.id OR x.line IS NULL) AND x.occurred_at <= :now
    ) t
    WHERE r.accepted_at >= :earliest AND r.accepted_at < :latest AND {FILTERED}
        AND (CAST(:part AS text) IS NULL OR l.part_number = :part)
        AND NOT EXISTS (SELECT FROM request_line n WHERE n.request = r.id AND n.replaces = l.id)
    ORDER BY r.accepted_at, l.id
""").columns(held=JSONB)
OLDEST = text(f"""
    SELECT r.accepted_at FROM part_request r WHERE {FILTERED} ORDER BY r.accepted_at LIMIT 1
""")
AGAIN = text("""
    SELECT l.id AS line, e.request AS earlier, e.ticket_number AS earlier_ticket, e.fitted_at
    FROM request_line l JOIN part_request r ON r.id = l.request
    JOIN LATERAL (
        SELECT o.id AS request, o.ticket_number, max(f.occurred_at) AS fitted_at
        FROM part_request o JOIN request_line p ON p.request = o.id AND p.position = l.position
        JOIN request_step f ON f.request = o.id AND f.line = p.id AND f.verb = 'fitted'
        WHERE o.installation = r.installation AND o.id <> r.id AND o.customer = r.customer
            AND f.occurred_at <= r.failed_at AND f.occurred_at > r.failed_at - CAST(:within AS interval)
        GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 1
    ) e ON true
    WHERE l.id = ANY(CAST(:lines AS text[]))
""")


class BadMonth(BadRequest):
    """A month is written `2026-10`."""

    code = "report.bad_month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the lines a report is about; None is all."""

    customer: str | None = None
    contract: str | None = None
    area: str | None = None
    part: str | None = None
    priority: str | None = None

    @property
    def binds(self) -> dict[str, str | None]:
        return {name: getattr(self, name) for name in ("customer", "contract", "area", "part", "priority")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """One line as a report sees it: its row, its facts, and its commitment judged."""

    row: Any
    facts: LineFacts
    judged: Judged


class TallyOut(Wire):
    """A month, or a group in it. Rates are percent, null of nothing; `two_hour_coverage` stands beside the hit rate
    because un-stocking a part would flatter the latter."""

    month: str
    group: str | None
    lines: int
    two_hour_promised: int
    two_hour_met: int
    two_hour_hit_rate: float | None
    two_hour_coverable: int
    two_hour_covered: int
    two_hour_coverage: float | None
    national_promised: int
    national_met: int
    commitments_met: float | None
    missed: int
    canceled: int
    open: int
    failed_again: int
    escalated: int


class CommitmentsOut(Wire):
    """Newest month first; within a month the groups by name. `next` is the page of earlier months."""

    by: str | None
    items: list[TallyOut]
    next: str | None


class MissOut(Wire):
    """A commitment that was not kept in time; `ended_at` null: not to this moment."""

    request: str
    line: str
    ticket: str | None
    customer: str
    contract: str
    area: str | None
    site: str
    priority: str
    part_number: str
    device_serial: str | None
    kind: str
    due_at: datetime
    ended_at: datetime | None
    late_s: int
    why: str
    why_facts: dict[str, Any]
    escalated: int
    timezone: str


class AgainOut(Wire):
    """A position that failed again within 90 days of its last repair: what must not happen."""

    request: str
    line: str
    ticket: str | None
    customer: str
    device_serial: str | None
    position: str
    part_number: str
    failed_at: datetime
    earlier_request: str
    earlier_ticket: str | None
    earlier_fitted_at: datetime
    days: int
    timezone: str


def month_of(written: str) -> date:
    """The first day of a month written `2026-10`, or BadMonth."""
    try:
        day = date.fromisoformat(f"{written}-01") if len(written) == 7 else None
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year < 2200:
        raise BadMonth(month=written[:20])
    return day


def before(month: date, months: int = 1) -> date:
    """The month so many months before."""
    count = month.year * 12 + month.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def newest_month(now: datetime) -> date:
    """The latest month that it is anywhere."""
    return (now + timedelta(hours=14)).date().replace(day=1)


async def lines_of(
    db: AsyncConnection, *, actor: Actor, asked: Asked, first: date, last: date, now: datetime
) -> list[ReportLine]:
    """The lines accepted in the months from `first` to `last`, judged as of now."""
    edges = [datetime.fromisoformat(f"{one.isoformat()}T00:00:00+00:00") for one in (first, before(last, -1))]
    binds = {"earliest": edges[0] - DAY, "latest": edges[1] + DAY, "now": now, **asked.binds, **scope_of(actor)}
    rows = [row for row in await db.execute(LINES, binds) if first <= row.month <= last]
    found = [(row, facts_of(row)) for row in rows]
    return [ReportLine(row=row, facts=facts, judged=judge(facts, now)) for row, facts in found]


def facts_of(row: Any) -> LineFacts:
    return LineFacts(
        line=row.id,
        kind=row.kind,
        received_at=row.received_at,
        due_at=row.due_at,
        picked_at=row.picked_at,
        dispatched_at=row.dispatched_at,
        handed_at=row.handed_at,
        delivered_at=row.delivered_at,
        fitted_at=row.fitted_at,
        gone_at=row.gone_at,
        lost_at=row.lost_at,
        failed_delivery_at=row.failed_delivery_at,
        failed_delivery=row.failed_delivery,
        held=tuple(
            Step(verb=verb, occurred_at=datetime.fromisoformat(at), line=line) for verb, at, line in row.held or ()
        ),
    )


async def commitments(
    db: AsyncConnection,
    *,
    actor: Actor,
    asked: Asked,
    now: datetime,
    by: Dimension | None = None,
    last: date | None = None,
    first: date | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> CommitmentsOut:
    """Commitments kept, month by month from `last` (default: now) back to `first`, so many months a page (12; at most
    24); `by` splits each month. Months without a line are left out."""
    months = min(keyset.capped(limit), MOST_MONTHS) if limit is not None else 12
    newest = before(keyset.decode(cursor, date)[0]) if cursor else last or newest_month(now)
    oldest_at = await db.scalar(OLDEST, {**asked.binds, **scope_of(actor)})
    if oldest_at is None:
        return CommitmentsOut(by=by, items=[], next=None)
    oldest = max(first or date.min, (oldest_at - DAY).date().replace(day=1))
    start = max(oldest, before(newest, months - 1))
    lines = await lines_of(db, actor=actor, asked=asked, first=start, last=newest, now=now)
    again = {one.line for one in await again_of(db, lines)}
    groups: dict[tuple[date, str | None], list[ReportLine]] = {}
    for one in lines:
        groups.setdefault((one.row.month, group_of(one, by)), []).append(one)
    ordered = sorted(groups, key=lambda key: (-key[0].toordinal(), key[1] is None, key[1] or ""))
    following = keyset.encode([start]) if start > oldest else None
    return CommitmentsOut(by=by, items=[tally_out(*key, groups[key], again) for key in ordered], next=following)


def group_of(line: ReportLine, by: Dimension | None) -> str | None:
    return None if by is None else getattr(line.row, "part_number" if by == "part" else by)


def tally_out(month: date, group: str | None, lines: Sequence[ReportLine], again: set[str]) -> TallyOut:
    found: Tally = tally((one.facts, one.judged) for one in lines)
    return TallyOut(
        month=f"{month:%Y-%m}",
        group=group,
        lines=found.lines,
        two_hour_promised=found.local_promised,
        two_hour_met=found.local_met,
        two_hour_hit_rate=found.hit_rate,
        two_hour_coverable=found.coverable,
        two_hour_covered=found.covered,
        two_hour_coverage=found.coverage,
        national_promised=found.national_promised,
        national_met=found.national_met,
        commitments_met=found.kept,
        missed=found.missed,
        canceled=found.canceled,
        open=found.open,
        failed_again=sum(one.row.id in again for one in lines),
        escalated=sum(one.row.escalated > 0 for one in lines),
    )


async def misses(
    db: AsyncConnection,
    *,
    actor: Actor,
    asked: Asked,
    month: date,
    now: datetime,
    cursor: str | None = None,
    limit: int | None = None,
) -> tuple[list[MissOut], str | None]:
    """The lines of a month whose commitment was not kept, in the order they fell due, with the reason."""
    size = keyset.capped(limit)
    after = keyset.decode(cursor, datetime, str) if cursor else None
    late = await all_misses(db, actor=actor, asked=asked, month=month, now=now)
    rest = [one for one in late if after is None or (one.due_at, one.line) > after]
    following = keyset.encode([rest[size - 1].due_at, rest[size - 1].line]) if len(rest) > size else None
    return rest[:size], following


async def all_misses(db: AsyncConnection, *, actor: Actor, asked: Asked, month: date, now: datetime) -> list[MissOut]:
    """All of them: a page that sorts them by anything else needs them whole."""
    lines = await lines_of(db, actor=actor, asked=asked, first=month, last=month, now=now)
    return [miss_out(one) for one in sorted((one for one in lines if one.judged.state == "missed"), key=place)]


async def every_month(
    db: AsyncConnection, *, actor: Actor, asked: Asked, now: datetime, by: Dimension | None = None
) -> list[TallyOut]:
    """The commitments of all months, newest first: so many months at a time, as far back as there are any."""
    found = await commitments(db, actor=actor, asked=asked, now=now, by=by, limit=MOST_MONTHS)
    items = list(found.items)
    while found.next is not None:
        found = await commitments(db, actor=actor, asked=asked, now=now, by=by, cursor=found.next, limit=MOST_MONTHS)
        items += found.items
    return items


def place(line: ReportLine) -> tuple[datetime, str]:
    return line.judged.due_at, line.row.id


def miss_out(one: ReportLine) -> MissOut:
    row, reason = one.row, why_late(one.facts, one.judged.due_at)
    return MissOut(
        request=row.request,
        line=row.id,
        ticket=row.ticket_number,
        customer=row.customer,
        contract=row.contract,
        area=row.area,
        site=row.site,
        priority=row.priority,
        part_number=row.part_number,
        device_serial=row.device_serial,
        kind=row.kind,
        due_at=one.judged.due_at,
        ended_at=one.judged.ended_at,
        late_s=one.judged.late_s,
        why=reason.code,
        why_facts=dict(reason.facts),
        escalated=row.escalated,
        timezone=row.timezone,
    )


async def failed_again(
    db: AsyncConnection, *, actor: Actor, asked: Asked, month: date, now: datetime
) -> list[AgainOut]:
    """Positions of a month's lines that had been repaired within 90 days before, newest failure first."""
    lines = await lines_of(db, actor=actor, asked=asked, first=month, last=month, now=now)
    return await again_of(db, lines)


async def again_of(db: AsyncConnection, lines: Sequence[ReportLine]) -> list[AgainOut]:
    known = {one.row.id: one.row for one in lines if one.row.position is not None and one.row.installation is not None}
    if not known:
        return []
    rows = await db.execute(AGAIN, {"lines": list(known), "within": AGAIN_WITHIN})
    found = [again_out(known[row.line], row) for row in rows]
    return sorted(found, key=lambda one: (one.failed_at, one.line), reverse=True)


def again_out(row: Any, earlier: Any) -> AgainOut:
    return AgainOut(
        request=row.request,
        line=row.id,
        ticket=row.ticket_number,
        customer=row.customer,
        device_serial=row.device_serial,
        position=row.position,
        part_number=row.part_number,
        failed_at=row.failed_at,
        earlier_request=earlier.earlier,
        earlier_ticket=earlier.earlier_ticket,
        earlier_fitted_at=earlier.fitted_at,
        days=(row.failed_at - earlier.fitted_at).days,
        timezone=row.timezone,
    )
