"""The demo network, loaded through the importers that everyone has, and keys to look at it with."""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.progress import Progress
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts import queries as accounts_queries
from app.accounts import service as accounts
from app.accounts.rules import ROLES, Role, duty_actor
from app.accounts.schemas import KeyIn
from app.cli.frame import Stop
from app.core.db import begin, reading
from app.integrations.imports import KINDS, Bad, Table, Work, load, read_file
from app.integrations.imports.holiday_years import calendar_table
from app.integrations.imports.report import sentence

FILES = Path(__file__).parent.parent.parent / "demo"
YEARS = "CN:2015-2027"
ORDER = (
    "places", "areas", "couriers", "customers", "contracts", "sites", "parts", "models", "substitutions", "lanes",
    "calendars", "devices", "device_events", "receipts",
    "purchases", "stock_levels",
)  # fmt: skip
DEMO = duty_actor("demo")
ONE_LOADER = text("SELECT pg_advisory_xact_lock(7205759403792794)")
OCCUPIED = text("SELECT EXISTS (SELECT FROM place)")


async def load_demo(
    engine: AsyncEngine, *, currency: str, now: datetime, shown: Progress | None = None, kinds: Sequence[str] = ORDER
) -> int | None:
    """Load the demo network in one transaction, all or nothing; None where there are places already.

    Gives how many rows. Raises Stop with the first bad rows, which would be a fault of the demo files. On a machine whose
    clock is behind the demo's last day, the rows are recorded on that day: nothing may happen before it is recorded.
    """
    tables = {kind: table_of(kind, now) for kind in kinds}
    now = max(now, newest_instant(tables.values()))
    async with begin(engine) as db:
        await db.execute(ONE_LOADER)
        if await db.scalar(OCCUPIED):
            return None
        for kind, table in tables.items():
            bar = shown.add_task(f"Demo: {kind}", total=len(table.rows)) if shown else None
            work = Work(actor=DEMO, now=now, currency=currency)
            if shown and bar is not None:
                work.advance = lambda rows, bar=bar: shown.advance(bar, rows)  # type: ignore[misc]
            await load(db, KINDS[kind], table, work)
            if work.bad:
                raise Stop(f"demo/{kind}.csv does not load: " + "; ".join(map(words_of, work.bad[:5])))
        return sum(len(table.rows) for table in tables.values())


def table_of(kind: str, now: datetime) -> Table:
    return calendar_table(YEARS, today=now.date()) if kind == "calendars" else read_file(FILES / f"{kind}.csv")


def newest_instant(tables: Iterable[Table]) -> datetime:
    """The last thing that the files say has happened."""
    cells = [row.cells.get(name) for table in tables for row in table.rows for name in ("occurred_at", "received_at")]
    return max((datetime.fromisoformat(str(cell)) for cell in cells if cell), default=datetime.min.replace(tzinfo=UTC))


def words_of(bad: Bad) -> str:
    return f"line {bad.line} {bad.field} {sentence(bad, 'en')}"


async def demo_keys(engine: AsyncEngine, *, folder: Path, now: datetime) -> dict[Role, str]:
    """One key per role: those of DATA_DIR/demo-keys.json that still count, fresh ones for the others.

    The database keeps only hashes, so the file (0600) is what lets a later start show the same keys.
    """
    path = folder / "demo-keys.json"
    known: dict[str, str] = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    keys: dict[Role, str] = {}
    async with reading(engine) as db:
        for role in ROLES:
            if role in known and await counts(db, known[role], role, now):
                keys[role] = known[role]
    if missing := [role for role in ROLES if role not in keys]:
        async with begin(engine) as db:
            for role in missing:
                new = KeyIn(name=f"demo {role}", role=role)
                keys[role] = (await accounts.create_key(db, actor=DEMO, new=new, now=now)).key
            keep(path, keys)  # before the commit: a key that nobody was told would count for ever
    return {role: keys[role] for role in ROLES}


def keep(path: Path, keys: Mapping[Role, str]) -> None:
    """Write the keys for their owner's eyes alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
        target.write(msgspec.json.encode({role: keys[role] for role in ROLES}))


async def counts(db: AsyncConnection, key: str, role: Role, now: datetime) -> bool:
    actor = await accounts_queries.actor_of_key(db, presented=key, now=now, request_id="demo")
    return actor is not None and actor.role == role
