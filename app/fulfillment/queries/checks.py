"""What must hold between requests, their lines, steps, stock and events: each difference named, for `check`."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.fulfillment.queries.requests import JSON, SELECT, Loaded, load_rows, steps_of
from app.fulfillment.rules.clocks import clocks, holds
from app.fulfillment.rules.states import State, request_state

PIECES = text("""
    SELECT l.id, l.state, l.quantity, coalesce(sum(r.quantity) FILTER (WHERE r.state = 'held'), 0)::bigint AS held,
        coalesce(sum(r.quantity - r.returned - r.lost) FILTER (WHERE r.state = 'issued'), 0)::bigint AS out
    FROM request_line l LEFT JOIN reservation r ON r.reference = l.id GROUP BY l.id
    HAVING NOT CASE
        WHEN l.state = 'awaiting_consent' THEN coalesce(sum(r.quantity) FILTER (WHERE r.state IN ('held', 'expired')), 0)
            = l.quantity
        WHEN l.state = 'accepted' THEN coalesce(sum(r.quantity - r.returned - r.lost)
            FILTER (WHERE r.state IN ('held', 'issued')), 0) = l.quantity
        WHEN l.state IN ('waiting', 'canceled', 'lost') THEN coalesce(sum(r.quantity - r.returned - r.lost)
            FILTER (WHERE r.state IN ('held', 'issued')), 0) = 0
        ELSE coalesce(sum(r.quantity - r.returned - r.lost) FILTER (WHERE r.state = 'issued'), 0) = l.quantity
    END
""")
BILLED = text("""
    SELECT l.id, l.state, l.covered, l.gross_minor, coalesce(sum(c.gross_minor), 0)::bigint AS charged
    FROM request_line l LEFT JOIN charge c ON c.line = l.id GROUP BY l.id
    HAVING NOT CASE
        WHEN l.state IN ('picked', 'packed', 'dispatched', 'delivered', 'fitted', 'confirmed')
            AND NOT coalesce(bool_or(c.reverses IS NOT NULL AND c.quantity = 0), false)
            THEN coalesce(sum(c.gross_minor), 0) = l.gross_minor
        WHEN l.state IN ('accepted', 'picked', 'packed', 'dispatched', 'delivered', 'fitted', 'confirmed')
            THEN coalesce(sum(c.gross_minor), 0) BETWEEN 0 AND l.gross_minor  -- in part so far, or credited for goodwill
        ELSE coalesce(sum(c.gross_minor), 0) = 0 END
""")
UNTOLD = text("""
    SELECT r.id, r.version, max(e.subject_version) AS told FROM part_request r
    LEFT JOIN event e ON e.subject = r.id AND e.type LIKE 'part\\_request.%'
    GROUP BY r.id HAVING max(e.subject_version) IS DISTINCT FROM r.version
""")
ORPHANS = text("""
    SELECT r.reference FROM reservation r WHERE r.reference LIKE 'lin\\_%'
      AND NOT EXISTS (SELECT FROM request_line l WHERE l.id = r.reference)
""")
CALLED_OFF = text("""
    SELECT c.id, l.id AS line, l.state, 'open for a line that is not held there' AS why
    FROM call_off c JOIN request_line l ON l.id = c.line
    WHERE c.state = 'open' AND NOT (l.state IN ('accepted', 'awaiting_consent') AND l.source = c.place AND l.confirmed = false)
    UNION ALL
    SELECT NULL, l.id, l.state, 'waits for a partner whom nobody asked' FROM request_line l
    WHERE l.confirmed IS NOT NULL AND NOT EXISTS (SELECT FROM call_off c WHERE c.line = l.id)
    UNION ALL
    SELECT NULL, l.id, l.state, 'confirmed by nobody' FROM request_line l
    WHERE l.confirmed AND NOT EXISTS (
        SELECT FROM call_off c WHERE c.line = l.id AND c.place = l.source AND c.state = 'confirmed')
""")
ALL = text(f"{SELECT} WHERE r.id > :after ORDER BY r.id LIMIT 500").columns(**JSON)
WATCHES = text("SELECT * FROM request_watch WHERE request = ANY(CAST(:ids AS text[]))")


async def faults(db: AsyncConnection) -> list[str]:
    """Every difference between what is stored and what follows from steps, reservations and charges (IK, IM2, IO1)."""
    found = [
        f"line {row.id}: {row.state} with {row.held} held and {row.out} out of {row.quantity}"
        for row in await db.execute(PIECES)
    ]
    found += [
        f"line {row.id}: {row.state}, quoted {row.gross_minor}, charged {row.charged}"
        for row in await db.execute(BILLED)
    ]
    found += [f"request {row.id}: version {row.version}, told {row.told}" for row in await db.execute(UNTOLD)]
    found += [f"reservation for {row.reference}: no such line" for row in await db.execute(ORPHANS)]
    found += [
        f"call-off {row.id or '-'} of line {row.line} ({row.state}): {row.why}" for row in await db.execute(CALLED_OFF)
    ]
    after = ""
    while rows := (await db.execute(ALL, {"after": after})).all():
        watches = {row.request: row for row in await db.execute(WATCHES, {"ids": [row.id for row in rows]})}
        for loaded in await load_rows(db, rows):
            found += _derived(loaded, watches.get(loaded.row.id))
        after = rows[-1].id
    return found


def _derived(loaded: Loaded, watch: Any) -> list[str]:
    """A request's state, its watch and its clocks, derived anew as of its last step."""
    now: datetime = max(step.recorded_at for step in loaded.steps)
    row, found = loaded.row, []
    state = request_state(State(line.state) for line in loaded.lines)
    if state.value != row.state:
        found.append(f"request {row.id}: stands at {row.state}, its lines say {state.value}")
    if watch is None:
        return [*found, f"request {row.id}: nobody watches its clocks"]
    steps = steps_of(loaded.steps)
    held = holds(steps)
    if held and held[-1].until is None and watch.on_hold is None:
        found.append(f"request {row.id}: not on hold, its steps say otherwise")
    for clock in clocks(loaded.timing, steps, now):
        if clock.line is not None and clock.state in ("met", "breached") and clock.ended_at is not None:
            on_time = clock.ended_at <= clock.due_at
            if on_time != (clock.state == "met"):
                found.append(f"request {row.id}: clock {clock.name} is {clock.state} at {clock.ended_at}")
        hours = (clock.due_at - clock.started_at).total_seconds() - clock.paused_s
        if hours < 0:
            found.append(f"request {row.id}: clock {clock.name} is due before it starts")
    return found
