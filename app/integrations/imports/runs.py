"""The history of imports: a file that is looked at, what it would do, and whether it was loaded. Transactions are others'."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import Conflict, NotFound, Refusal
from app.core.events import Event, announce
from app.core.ids import new_id
from app.core.types import Wire
from app.integrations.imports.load import Bad, Kind, Work, load
from app.integrations.imports.table import Table

KEPT = timedelta(days=7)
SILENT = timedelta(minutes=2)
"""A run that gave no sign of life for so long is broken off: its process ended. Nothing was written."""
COLUMNS = """id, kind, file_name, file_hash, size_bytes, content IS NOT NULL AS has_content, state, rows, done, failed,
    refusal, would, created_by, created_at, beat_at, loaded_by, loaded_at"""

FORGET = text("UPDATE import_run SET content = NULL WHERE content IS NOT NULL AND created_at < :before")
BEGIN = text("""
    INSERT INTO import_run (id, kind, file_name, file_hash, size_bytes, content, state, created_by, created_at, beat_at)
    VALUES (:id, :kind, :file_name, :file_hash, :size_bytes, :content, 'checking', :by, :now, :now)
""")
ONE = text(f"SELECT {COLUMNS} FROM import_run WHERE id = :id")
CONTENT = text("SELECT content, bad FROM import_run WHERE id = :id")
SAME = text(f"""
    SELECT {COLUMNS} FROM import_run
    WHERE file_hash = :hash AND kind = :kind AND id <> :but AND state = 'loaded' ORDER BY loaded_at DESC LIMIT 1
""")
AGAIN = text("UPDATE import_run SET state = 'checking', done = 0, beat_at = :now WHERE id = :id AND state <> 'loaded'")
BEAT = text("UPDATE import_run SET done = :done, rows = greatest(rows, :rows), beat_at = :now WHERE id = :id")
CHECKED = text("""
    UPDATE import_run SET state = 'checked', rows = :rows, done = :rows, failed = :failed, beat_at = :now,
        bad = CAST(:bad AS jsonb), would = CAST(:would AS jsonb), refusal = NULL WHERE id = :id AND state = 'checking'
""")
REFUSED = text("""
    UPDATE import_run SET state = 'refused', refusal = CAST(:refusal AS jsonb), beat_at = :now
    WHERE id = :id AND state IN ('checking', 'loading')
""")
CLAIM = text("""
    UPDATE import_run SET state = 'loading', done = 0, beat_at = :now
    WHERE id = :id AND state = 'checked' AND failed = 0 AND content IS NOT NULL
""")
LOADED = text("""
    UPDATE import_run SET state = 'loaded', done = rows, content = NULL, loaded_by = :by, loaded_at = :now,
        beat_at = :now, would = CAST(:would AS jsonb) WHERE id = :id AND state = 'loading'
""")
TURNED = text("""
    UPDATE import_run SET state = 'checked', failed = :failed, bad = CAST(:bad AS jsonb), beat_at = :now
    WHERE id = :id AND state = 'loading'
""")
NEWEST = text("SELECT coalesce(max(seq), 0) FROM event")
DONE_HERE = text("""
    SELECT type, count(*) AS count FROM event WHERE seq > :since AND xid = pg_current_xact_id() GROUP BY type ORDER BY type
""")
MET = text("SELECT (SELECT count(*) FROM customer) AS customers, (SELECT count(*) FROM area) AS areas")


class NoSuchImport(NotFound):
    code = "imports.not_found"


class NotReady(Conflict):
    """Only a file whose every row was found good is loaded, and only once."""

    code = "imports.not_ready"


class RunOut(Wire):
    """A file on its way in, and how it stands."""

    id: str
    kind: str
    file_name: str
    file_hash: str
    size_bytes: int
    has_content: bool
    state: str
    rows: int
    done: int
    failed: int
    refusal: dict[str, Any] | None
    would: dict[str, Any]
    created_by: str
    created_at: datetime
    beat_at: datetime
    loaded_by: str | None
    loaded_at: datetime | None

    def running(self, now: datetime) -> bool:
        return self.state in ("checking", "loading") and now - self.beat_at <= SILENT

    def broken_off(self, now: datetime) -> bool:
        return self.state in ("checking", "loading") and now - self.beat_at > SILENT


def hash_of(raw: bytes) -> str:
    """What tells the same file again."""
    return hashlib.sha256(raw).hexdigest()


async def begin_run(
    db: AsyncConnection, *, actor: Actor, kind: str, file_name: str, raw: bytes, content: bytes, now: datetime
) -> RunOut:
    """Keep a file that is to be looked at. `raw` is as it was sent, `content` as it is read."""
    await db.execute(FORGET, {"before": now - KEPT})
    run_id = new_id("imp", now)
    row = {"id": run_id, "kind": kind, "file_name": file_name[:200], "file_hash": hash_of(raw), "by": actor.id}
    await db.execute(BEGIN, row | {"size_bytes": len(raw), "content": content, "now": now})
    told = {"kind": kind, "file_name": row["file_name"], "file_hash": row["file_hash"]}
    await announce(db, Event(type="import.sent", subject=run_id, data=told), by=actor, now=now)
    return await run_by_id(db, run_id=run_id)


async def run_by_id(db: AsyncConnection, *, run_id: str) -> RunOut:
    row = (await db.execute(ONE, {"id": run_id})).one_or_none()
    if row is None:
        raise NoSuchImport(id=run_id)
    return RunOut(**row._mapping)


async def loaded_before(db: AsyncConnection, *, run: RunOut) -> RunOut | None:
    """The latest time that this very file was loaded as this kind (T132)."""
    row = (await db.execute(SAME, {"hash": run.file_hash, "kind": run.kind, "but": run.id})).one_or_none()
    return None if row is None else RunOut(**row._mapping)


async def content_of(db: AsyncConnection, *, run_id: str) -> tuple[bytes | None, list[Bad]]:
    """The file, unless it is gone, and its bad rows."""
    row = (await db.execute(CONTENT, {"id": run_id})).one()
    return row.content, [Bad(**one) for one in row.bad]


async def start_again(db: AsyncConnection, *, run_id: str, now: datetime) -> RunOut:
    """Look at a file anew, as after a broken-off run."""
    await db.execute(AGAIN, {"id": run_id, "now": now})
    return await run_by_id(db, run_id=run_id)


async def claim_load(db: AsyncConnection, *, run_id: str, now: datetime) -> RunOut:
    """Take a good file for loading; of two who ask at once, one gets it."""
    if not (await db.execute(CLAIM, {"id": run_id, "now": now})).rowcount:
        raise NotReady(id=run_id)
    return await run_by_id(db, run_id=run_id)


async def beat(db: AsyncConnection, *, run_id: str, done: int, rows: int, now: datetime) -> None:
    """A sign of life, with how far it is."""
    await db.execute(BEAT, {"id": run_id, "done": done, "rows": rows, "now": now})


async def tried_out(db: AsyncConnection, kind: Kind, table: Table, work: Work) -> dict[str, Any]:
    """Load a table and count what that recorded in this very transaction, which the caller ends or undoes: what was made
    and changed, and customers and areas that were named for the first time."""
    since = await db.scalar(NEWEST)
    before = (await db.execute(MET)).one()
    await load(db, kind, table, work)
    after = (await db.execute(MET)).one()
    recorded = {row.type: row.count for row in await db.execute(DONE_HERE, {"since": since})}
    named = {"customers": recorded.get("customer.created", 0), "areas": 0}
    met = {name: getattr(after, name) - getattr(before, name) - named[name] for name in named}
    return {"events": recorded, "met": {name: count for name, count in met.items() if count > 0}}


async def end_check(
    db: AsyncConnection, *, run_id: str, rows: int, bad: Sequence[Bad], would: dict[str, Any], now: datetime
) -> None:
    """Write down what looking at a file found."""
    binds = {"id": run_id, "rows": rows, "failed": failed_of(bad), "bad": _json(bad), "would": _json(would), "now": now}
    await db.execute(CHECKED, binds)


async def end_load(db: AsyncConnection, *, actor: Actor, run: RunOut, would: dict[str, Any], now: datetime) -> None:
    """Note, in the transaction that loaded it, that a file was loaded; its content is no longer needed."""
    done = await db.execute(LOADED, {"id": run.id, "by": actor.id, "would": _json(would), "now": now})
    if not done.rowcount:
        raise NotReady(id=run.id)
    told = {"kind": run.kind, "file_name": run.file_name, "file_hash": run.file_hash, "rows": run.rows}
    await announce(db, Event(type="import.loaded", subject=run.id, version=2, data=told), by=actor, now=now)


async def turn_back(db: AsyncConnection, *, run_id: str, bad: Sequence[Bad], now: datetime) -> None:
    """Rows that were good when looked at are bad by now: nothing was loaded."""
    await db.execute(TURNED, {"id": run_id, "failed": failed_of(bad), "bad": _json(bad), "now": now})


async def refuse_run(db: AsyncConnection, *, run_id: str, refusal: Refusal, now: datetime) -> None:
    """Write down why a whole file is refused."""
    errors = [{"field": one.field, "code": one.code, "facts": dict(one.facts)} for one in refusal.errors]
    told = {"code": refusal.code, "facts": dict(refusal.facts), "errors": errors}
    await db.execute(REFUSED, {"id": run_id, "refusal": _json(told), "now": now})


def failed_of(bad: Sequence[Bad]) -> int:
    return len({one.line for one in bad})


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
