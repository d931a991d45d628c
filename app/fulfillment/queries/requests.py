"""Part requests as they stand: rows, steps, verdicts and reserved pieces, loaded together for one or a page of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import ENGINEER, INTEGRATION, Actor
from app.core import keyset
from app.core.errors import NotFound
from app.fulfillment.rules.clocks import Clock, ClockMinutes, LineCommitment, Step, Timing, clocks
from app.stock.queries.holds import Reserved, reservations

SCOPED = """
    (CAST(:scope_customers AS text[]) IS NULL OR r.customer = ANY(CAST(:scope_customers AS text[])))
    AND (CAST(:scope_areas AS text[]) IS NULL OR r.area = ANY(CAST(:scope_areas AS text[])))
    AND (CAST(:scope_places AS text[]) IS NULL OR EXISTS (
        SELECT FROM request_line l WHERE l.request = r.id AND l.source = ANY(CAST(:scope_places AS text[]))))
    AND (CAST(:only_mine AS text) IS NULL OR r.created_by = :only_mine)
"""
SELECT = "SELECT r.*, w.on_hold FROM part_request r LEFT JOIN request_watch w ON w.request = r.id"
JSON = {"timing": JSONB, "reasons": JSONB}
ONE = text(f"{SELECT} WHERE r.id = :id AND {SCOPED}").columns(**JSON)
ONE_LOCKED = text(f"{SELECT} WHERE r.id = :id AND {SCOPED} FOR UPDATE OF r").columns(**JSON)
PAGE = text(f"""
    {SELECT} WHERE {SCOPED}
      AND (CAST(:state AS text) IS NULL OR r.state = :state
           OR (:state = 'open' AND r.state NOT IN ('confirmed', 'canceled', 'lost')))
      AND (CAST(:place AS text) IS NULL OR EXISTS (
          SELECT FROM request_line l WHERE l.request = r.id AND l.source = :place))
      AND (CAST(:area AS text) IS NULL OR r.area = :area)
      AND (CAST(:ticket AS text) IS NULL OR r.ticket_number = :ticket OR r.ticket_system || ':' || r.ticket_number = :ticket)
      AND (CAST(:after AS text) IS NULL OR r.id < :after)
    ORDER BY r.id DESC LIMIT :limit
""").columns(**JSON)
LINES = text("""
    SELECT l.* FROM request_line l WHERE l.request = ANY(CAST(:ids AS text[])) ORDER BY l.request, l.n
""").columns(commitment_reasons=JSONB, sourcing=JSONB, price_terms=JSONB)
STEPS = text("""
    SELECT * FROM request_step WHERE request = ANY(CAST(:ids AS text[])) ORDER BY request, occurred_at, seq
""").columns(details=JSONB)
VERDICTS = text("SELECT id, outcome FROM verdict WHERE id = ANY(CAST(:ids AS text[]))").columns(outcome=JSONB)


_STAYS = {"lost": "unsourced", "resourced": "moved"}


class NoSuchRequest(NotFound):
    """No request by that id that this asker may see."""

    code = "request.not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One request with all that its answer is made of."""

    row: Any
    lines: tuple[Any, ...]
    steps: tuple[Any, ...]
    verdicts: Mapping[str, Mapping[str, Any]]
    reserved: Mapping[str, tuple[Reserved, ...]]

    @property
    def timing(self) -> Timing:
        return timing_of(self.row, self.lines)

    def clocks(self, now: datetime) -> list[Clock]:
        """Every clock as it stands at `now`."""
        return clocks(self.timing, steps_of(self.steps), now)


def scope_of(actor: Actor) -> dict[str, Any]:
    """Scope binds; an integration or engineer sees its own, or what its scope of customers or areas names."""
    unscoped = actor.customers is None and actor.areas is None
    mine = actor.id if actor.role in (INTEGRATION, ENGINEER) and unscoped else None
    return {**actor.scope, "only_mine": mine}


def timing_of(row: Any, lines: Sequence[Any]) -> Timing:
    """What a request's clocks rest on, from its rows."""
    return Timing(
        priority=row.asked_priority,
        received_at=row.received_at,
        minutes={
            level: ClockMinutes(
                answer=one["answer_minutes"],
                depart=one["depart_minutes"],
                on_site=one["on_site_minutes"],
                done=one["done_minutes"],
                done_after_arrival=one["done_after_arrival_minutes"],
            )
            for level, one in row.timing.items()
        },
        lines=tuple(LineCommitment(line.id, line.kind, line.due_at) for line in lines),
        appointment_at=row.appointment_at,
    )


def steps_of(rows: Sequence[Any]) -> list[Step]:
    """Recorded steps as the clocks read them: only another line in its place ends a line's clock. A loss without one, and
    the same line from another place, leave the promise as it was."""
    return [
        Step(
            verb=_STAYS.get(row.verb, row.verb) if not row.details.get("replaced_by") else row.verb,
            occurred_at=row.occurred_at,
            line=row.line,
            priority=row.details.get("priority"),
            method=row.details.get("method"),
            by_carrier=row.details.get("waybill") is not None,
        )
        for row in rows
    ]


async def load(db: AsyncConnection, *, actor: Actor, request_id: str, lock: bool = False) -> Loaded:
    """One request, its row locked for a verb if asked; NoSuchRequest if it is not this actor's to see."""
    statement = ONE_LOCKED if lock else ONE
    row = (await db.execute(statement, {"id": request_id, **scope_of(actor)})).one_or_none()
    if row is None:
        raise NoSuchRequest(id=request_id)
    return (await load_rows(db, [row]))[0]


async def load_rows(db: AsyncConnection, rows: Sequence[Any]) -> list[Loaded]:
    """Everything about some requests in four reads, however many there are."""
    ids = {"ids": [row.id for row in rows]}
    lines = (await db.execute(LINES, ids)).all() if rows else []
    steps = (await db.execute(STEPS, ids)).all() if rows else []
    ids_of_verdicts = {"ids": sorted({line.verdict for line in lines})}
    found: Any = await db.execute(VERDICTS, ids_of_verdicts) if lines else []
    verdicts = {row.id: row.outcome for row in found}
    reserved: dict[str, list[Reserved]] = {}
    for one in await reservations(db, references=[line.id for line in lines]) if lines else []:
        reserved.setdefault(one.reference, []).append(one)
    held = {key: tuple(value) for key, value in reserved.items()}
    lines_of, steps_by = _by_request(lines), _by_request(steps)
    return [
        Loaded(
            row=row,
            lines=tuple(lines_of.get(row.id, ())),
            steps=tuple(steps_by.get(row.id, ())),
            verdicts=verdicts,
            reserved=held,
        )
        for row in rows
    ]


def _by_request(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.request, []).append(row)
    return found


async def page(
    db: AsyncConnection,
    *,
    actor: Actor,
    state: str | None,
    place: str | None,
    area: str | None,
    ticket: str | None,
    cursor: str | None,
    limit: int | None,
) -> tuple[list[Loaded], str | None]:
    """Requests newest first, a page at a time."""
    size = keyset.capped(limit)
    after = keyset.decode(cursor, str)[0] if cursor else None
    binds = {"state": state, "place": place, "area": area, "ticket": ticket, "after": after, "limit": size + 1}
    rows = (await db.execute(PAGE, binds | scope_of(actor))).all()
    more = len(rows) > size
    return await load_rows(db, rows[:size]), keyset.encode([rows[size - 1].id]) if more else None
