"""Keeping what was learned of travel: the source in force, times, lines. Asked outside, written here."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.routing.queries import KEPT, Leg, memory_of, source_in_force
from app.routing.travel.known import SourceInForce, Times, key_of
from app.routing.travel.matrix import Matrix, Point

END = text("UPDATE travel_source SET in_force = false WHERE in_force AND version IS DISTINCT FROM :version")
BEGIN = text("""
    INSERT INTO travel_source (version, by_hour, in_force, since) VALUES (:version, :by_hour, true, :now)
    ON CONFLICT (version) DO UPDATE SET in_force = true, since = excluded.since
""")
KEEP = text("""
    INSERT INTO travel_time (source, bucket, origin, target, seconds, asked_at)
    SELECT :source, :bucket, o, t, s, :now
    FROM unnest(CAST(:origins AS bigint[]), CAST(:targets AS bigint[]), CAST(:seconds AS bigint[])) AS n (o, t, s)
    ON CONFLICT (source, bucket, origin, target) DO UPDATE SET seconds = excluded.seconds, asked_at = excluded.asked_at
""")
DRAW = text("""
    INSERT INTO travel_line (source, origin, target, line, asked_at) VALUES (:source, :origin, :target, :line, :now)
    ON CONFLICT (source, origin, target) DO UPDATE SET line = excluded.line, asked_at = excluded.asked_at
""")
MARK = text("""
    INSERT INTO region_dirty (region, why, marked_at)
    SELECT region, 'travel', :now FROM region_plan WHERE region = :region AND plan IS NOT NULL
""")
FORGET = tuple(
    text(f"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE asked_at <= :before LIMIT 20000))
    """)
    for table in ("travel_time", "travel_line")
)
FORGET_SOURCES = text("""
    DELETE FROM travel_source s WHERE NOT in_force AND since <= :before
      AND NOT EXISTS (SELECT FROM travel_time t WHERE t.source = s.id)
      AND NOT EXISTS (SELECT FROM travel_line l WHERE l.source = s.id)
""")


async def put_in_force(db: AsyncConnection, *, version: str | None, by_hour: bool, now: datetime) -> None:
    """Plans and promises use this source's times from now on; None: all ways are estimated. Does nothing if so already."""
    present = await source_in_force(db)
    if (present.version if present else None) == version:
        return
    await db.execute(END, {"version": version})
    if version is not None:
        await db.execute(BEGIN, {"version": version, "by_hour": by_hour, "now": now})


async def keep_times(db: AsyncConnection, *, of: Times, points: Sequence[Point], matrix: Matrix, now: datetime) -> None:
    """Keep every pair of a matrix that roads gave, and remember it in this process; no road is worth knowing too."""
    keys = [key_of(point) for point in points]
    cells = sorted(
        {
            (keys[a], keys[b], None if (a, b) in matrix.unknown else matrix.seconds[a][b])
            for a in range(len(keys))
            for b in range(len(keys))
            if keys[a] != keys[b]
        },
        key=lambda cell: cell[:2],
    )
    columns = {"origins": [a for a, _, _ in cells], "targets": [b for _, b, _ in cells]}
    binds = {"source": of.source.id, "bucket": of.bucket, "seconds": [one for _, _, one in cells], "now": now}
    await db.execute(KEEP, binds | columns)
    memory_of(db, of.source, of.bucket, now).put(cells)


async def keep_line(db: AsyncConnection, *, source: SourceInForce, leg: Leg, line: str | None, now: datetime) -> None:
    """Keep how a leg runs on the map; None: there is no road."""
    ends = {"origin": key_of(leg[0]), "target": key_of(leg[1])}
    await db.execute(DRAW, {"source": source.id, "line": line, "now": now} | ends)


async def mark_region(db: AsyncConnection, *, region: str, now: datetime) -> None:
    """What a region's plan rests on has changed: it is planned anew."""
    await db.execute(MARK, {"region": region, "now": now})


async def forget_times(db: AsyncConnection, *, now: datetime) -> int:
    """Take out what is too old to be used, and sources that nothing is left of; a part at a time."""
    before = now - KEPT
    gone = sum([(await db.execute(one, {"before": before})).rowcount for one in FORGET])
    await db.execute(FORGET_SOURCES, {"before": before})
    return gone
