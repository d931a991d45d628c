"""What `check` asks of the warranty: everything derived is computed anew and compared; each difference is named."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.warranty.queries.facts import ALL, Known, by_installations, calendar_for, calendars
from app.warranty.rules.coverage import Cover, fold
from app.warranty.rules.events import UNIT
from app.warranty.rules.states import Piece, deviating, timeline
from app.warranty.rules.verdict import RULE_VERSION, canonical, verdict_bytes

BATCH = 500
NEXT_INSTALLATIONS = text("SELECT id FROM installation WHERE id > :after ORDER BY id LIMIT :limit")
COVERAGE = text("""
    SELECT installation, position, valid, status, first_day, last_day, payer, restarted, provisional
    FROM coverage WHERE installation = ANY(CAST(:ids AS text[]))
""")
SERIALS = text("""
    SELECT installation, array_agg(serial ORDER BY ordinal) AS serials FROM device
    WHERE installation = ANY(CAST(:ids AS text[])) GROUP BY installation
""")
NEXT_VERDICTS = text("""
    SELECT id, inputs, outcome, outcome_hash, rule_version FROM verdict WHERE id > :after ORDER BY id LIMIT :limit
""").columns(inputs=JSONB, outcome=JSONB)


def rows_of(installation: str, cover: Cover) -> list[dict[str, Any]]:
    """The coverage rows of an installation: the unit's whole timeline, and that of every position that deviates.

    Ranges are half-open; None is open. Shared by the service that writes them and the check that recomputes them.
    """
    rows = []
    for position in [UNIT, *deviating(cover)]:
        rows += [row_of(installation, position, piece) for piece in timeline(cover, position)]
    return rows


def row_of(installation: str, position: str, piece: Piece) -> dict[str, Any]:
    state = piece.state
    return {
        "installation": installation,
        "position": position,
        "start": piece.start,
        "end": piece.end,
        "status": state.status,
        "first_day": state.first_day,
        "last_day": state.last_day,
        "payer": state.payer,
        "restarted": state.restarted,
        "provisional": bool(state.provisional),
    }


async def faults(db: AsyncConnection) -> list[str]:
    """IW8, IW10, IW11: cover equals its events, histories have no holes, verdicts replay to their bytes."""
    found: list[str] = []
    async for batch in installations(db):
        found += await cover_faults(db, batch)
    after = ""
    while rows := (await db.execute(NEXT_VERDICTS, {"after": after, "limit": BATCH})).all():
        for row in rows:
            found += verdict_faults(row)
        after = rows[-1].id
    return found


async def installations(db: AsyncConnection) -> AsyncIterator[list[Known]]:
    """All installations, a batch at a time."""
    after = ""
    while ids := list((await db.execute(NEXT_INSTALLATIONS, {"after": after, "limit": BATCH})).scalars()):
        yield await by_installations(db, scope=ALL, ids=ids)
        after = ids[-1]


async def cover_faults(db: AsyncConnection, batch: list[Known]) -> list[str]:
    """Differences between rows and what the events say, for some installations."""
    ids = [one.row.installation for one in batch]
    stored: dict[str, set[tuple[Any, ...]]] = {one: set() for one in ids}
    for row in await db.execute(COVERAGE, {"ids": ids}):
        valid = row.valid
        stored[row.installation].add((row.position, valid.lower, valid.upper, *tuple(row)[3:]))
    serials = {row.installation: row.serials for row in await db.execute(SERIALS, {"ids": ids})}
    known_calendars = await calendars(db, terms=[one.candidate.installation.terms for one in batch])
    found: list[str] = []
    for one in batch:
        calendar = calendar_for(one.candidate.installation.terms, known_calendars)
        version = calendar.version if calendar else None
        if version == one.row.calendar_version:  # else the duty that follows the calendar has yet to run
            cover = fold(one.candidate.installation, one.candidate.events, calendar)
            found += history_faults(one, cover, serials[one.row.installation])
            expected = {tuple(row.values())[1:] for row in rows_of(one.row.installation, cover)}
            found += [
                f"coverage {one.row.installation}: missing {row}" for row in expected - stored[one.row.installation]
            ]
            found += [
                f"coverage {one.row.installation}: wrong {row}" for row in stored[one.row.installation] - expected
            ]
    return found


def history_faults(one: Known, cover: Cover, serials: list[str]) -> list[str]:
    """Events numbered 1..n, and the installation's own columns as its events say."""
    row, events = one.row, one.candidate.events
    checks = (
        ("events have a hole", [event.seq for event in events] == list(range(1, len(events) + 1))),
        ("version is not its latest event", row.version == len(events)),
        ("acceptance differs from its events", row.accepted_on == cover.accepted_on),
        ("serials differ from its swaps", serials == cover.serials() and row.present_serial == serials[-1]),
        ("site differs from its transfers", row.site == (cover.sites[-1][1] if cover.sites else row.sites[0])),
    )
    return [f"installation {row.installation}: {what}" for what, holds in checks if not holds]


def verdict_faults(row: Any) -> list[str]:
    """IW10: the stored inputs give the stored bytes, under the same rule version."""
    found = []
    if sha256(canonical(row.outcome)).hexdigest() != row.outcome_hash:
        found.append(f"verdict {row.id}: its outcome is not what was hashed")
    if row.rule_version == RULE_VERSION and sha256(verdict_bytes(row.inputs)).hexdigest() != row.outcome_hash:
        found.append(f"verdict {row.id}: does not replay")
    return found
