"""`python -m bench.audit [--events N]`: how long the seal looks for new events behind a long trail, and by what plan."""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.rules import duty_actor
from app.core.clock import SystemClock
from app.core.db import begin, make_engine, reading
from app.core.embedded import embedded
from app.core.events import SETTLED, UNSEALED, Event, Sealer, announce
from app.core.migrate import migrate_sync

LOOKS, FRESH = 15, 20
FILL = text("""
    WITH made AS (
        INSERT INTO event (id, type, occurred_at, recorded_at, actor, request_id, subject, subject_version, data, after_hash)
        SELECT 'evt_' || md5(n::text), 'part_request.accepted', now(), now(), 'usr_1', md5(n::text), 'req_' || n, 1,
            '{"state": "accepted"}', repeat(md5(n::text), 2) FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n
        RETURNING seq, after_hash)
    INSERT INTO event_seal (n, event_seq, hash) SELECT seq, seq, after_hash FROM made
""")
WHOLE = text("""
    SELECT e.seq FROM event e WHERE e.xid < pg_snapshot_xmin(pg_current_snapshot())
      AND NOT EXISTS (SELECT FROM event_seal s WHERE s.event_seq = e.seq) ORDER BY e.seq LIMIT 5000
""")
"""What the duty asked before it remembered anything."""


async def main(count: int, url: str) -> None:
    engine = make_engine(url, pool_size=4, role=None)
    for first in range(1, count + 1, 10_000):  # a transaction each, as events have many
        async with begin(engine) as db:
            await db.execute(FILL, {"first": first, "last": min(first + 9_999, count)})
    async with engine.connect() as db:
        await (await db.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {count:,} sealed events", flush=True)
    sealer = Sealer()
    began = time.perf_counter()
    await sealer.run(engine)
    print(f"a process's first look: {(time.perf_counter() - began) * 1000:.1f} ms")
    before, after = [], []
    for _ in range(LOOKS):
        async with begin(engine) as db:
            for number in range(FRESH):
                event = Event(type="area.set", subject=f"A-{number}")
                await announce(db, event, by=duty_actor("bench"), now=SystemClock().now())
        mark = sealer.mark
        before.append(await timed(engine))
        began = time.perf_counter()
        assert await sealer.run(engine) == FRESH
        after.append((time.perf_counter() - began) * 1000)
    for name, found in (("looking at all", before), ("behind the mark, sealing included", after)):
        print(f"{name}: median {statistics.median(found):.1f} ms, slowest of {LOOKS} {max(found):.1f} ms")
    async with reading(engine) as db:
        below = await db.scalar(SETTLED)
        for name, statement, binds in (
            ("looking at all", WHOLE, {}),
            ("behind the mark", UNSEALED, {"xid": mark.xid, "seq": mark.seq, "below": below, "most": 5000}),
            ("a first look", UNSEALED, {"xid": 0, "seq": 0, "below": below, "most": 5000}),
        ):
            print(f"\n{name}:\n" + "\n".join(await plan(db, str(statement), binds)))
    await engine.dispose()


async def timed(engine: AsyncEngine) -> float:
    began = time.perf_counter()
    async with begin(engine) as db:
        (await db.execute(WHOLE)).all()
    return (time.perf_counter() - began) * 1000


async def plan(db: AsyncConnection, statement: str, binds: dict[str, object]) -> list[str]:
    """The nodes that took rows, each with its rows and time."""
    told = await db.scalar(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"), binds)
    found = json.loads(told) if isinstance(told, str) else told
    lines: list[str] = []

    def walk(node: dict[str, object], depth: int) -> None:
        where = node.get("Index Name") or node.get("Relation Name") or ""
        rows, took = node["Actual Rows"], node["Actual Total Time"]
        lines.append(f"{'  ' * depth}{node['Node Type']} {where}: {rows} rows, {took} ms, {node['Actual Loops']} loops")
        for one in node.get("Plans", []):  # type: ignore[attr-defined]
            walk(one, depth + 1)

    walk(found[0]["Plan"], 1)
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    with tempfile.TemporaryDirectory(prefix="sl-") as folder, embedded(Path(folder) / "pg") as running:
        migrate_sync(running)
        asyncio.run(main(parser.parse_args().events, running))
