"""The demo network's warranty cases: what its table promises is what the loaded devices answer."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import duty_actor
from app.core.db import begin, make_engine
from app.integrations.imports import KINDS, Work, import_table, read_file
from app.integrations.imports.holiday_years import calendar_table
from app.warranty import queries

pytestmark = pytest.mark.anyio

DEMO = Path(__file__).parents[2] / "demo"
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
ADMIN = duty_actor("tests")
YEARS = "CN:2015-2027"
LOADED = (
    "calendars",
    "customers",
    "contracts",
    "places",
    "areas",
    "sites",
    "parts",
    "substitutions",
    "models",
    "devices",
    "device_events",
)
CASES = list(csv.DictReader((DEMO / "warranty_cases.csv").read_text().splitlines()))


async def loaded(url: str) -> list[Any]:
    """The demo's network and devices through the importers a user has; gives what was refused."""
    engine = make_engine(url)
    bad = []
    for kind in [name for name in KINDS if name in LOADED]:
        table = calendar_table(YEARS, today=NOW.date()) if kind == "calendars" else read_file(DEMO / f"{kind}.csv")
        outcome = await import_table(engine, KINDS[kind], table, Work(actor=ADMIN, now=NOW, currency="CNY"))
        bad += outcome.bad
    await engine.dispose()
    return bad


async def answer(db: AsyncConnection, case: dict[str, str]) -> dict[str, str]:
    """The columns of a case as the single answer gives them; an empty cell of the table asks nothing."""
    on = date.fromisoformat(case["on"])
    told = await queries.warranty(db, actor=ADMIN, serial=case["serial"], on=on, known_at=None, now=NOW)
    part = next((one for one in told.components if one.position == case["position"]), None)
    return {
        "status": told.device.status,
        "last_day": str(told.device.last_day or ""),
        "payer": told.device.payer or "",
        "part_status": part.status if part else "",
        "part_last_day": str(part.last_day or "") if part else "",
    }


@pytest.fixture(scope="module")
def url(clone: Callable[[str], str], worker_id: str) -> str:
    """A database of its own, so that `faults` speaks of the demo alone."""
    return clone(f"demo_warranty_{worker_id}")


async def test_every_case_of_the_demo_is_answered_as_its_table_says(url: str) -> None:
    assert await loaded(url) == []
    engine = make_engine(url)
    async with begin(engine) as db:
        wrong = []
        for case in CASES:
            told = await answer(db, case)
            missed = {name: (case[name], told[name]) for name in told if case[name] not in ("", told[name])}
            wrong += [(case["serial"], case["rules"], case["words"], missed)] if missed else []
        checked = await queries.check_serials(
            db, actor=ADMIN, serials=[one["serial"] for one in CASES], on=None, now=NOW
        )
        faults = await queries.faults(db)
    await engine.dispose()
    assert wrong == []
    assert (checked.unknown, faults) == ([], [])
