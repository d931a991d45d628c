"""`import`: loads a file of the customer's own, all rows or none, and names every bad one."""

import argparse
import asyncio
from datetime import date
from pathlib import Path

from app.accounts.rules import duty_actor
from app.cli.frame import Commands, Stop, command, database, engine_on, need_schema, progress
from app.core.clock import SystemClock
from app.core.i18n import LANGUAGES
from app.core.settings import Settings
from app.integrations.imports import ENCODINGS, KINDS, Outcome, Table, Work, import_table, read_file
from app.integrations.imports.holiday_years import calendar_table, is_range
from app.integrations.imports.report import sentence, write_report

SHOWN = 20


def add(commands: Commands) -> None:
    words = "Load a CSV or XLSX file: all rows or, if one is bad, none; every bad row is named with its reason."
    load = command(
        commands, "import", words,
        epilog="The columns are the fields of the API; demo/*.csv are examples. Calendars also come from the holidays "
        "package: import calendars CN:2026, or CN:2015-2027.",
    )  # fmt: skip
    load.add_argument("kind", choices=list(KINDS), metavar="KIND", help=", ".join(KINDS))
    load.add_argument("file", metavar="FILE", help="a .csv or .xlsx file; for calendars also COUNTRY:YEAR[-YEAR]")
    load.add_argument("--dry-run", action="store_true", help="judge every row, write nothing")
    load.add_argument("--report", type=Path, metavar="CSV", help="write the bad rows with their reasons into this file")
    load.add_argument("--encoding", choices=ENCODINGS, help="of a CSV file; without it: by its mark, UTF-8, or Chinese")
    load.add_argument("--language", choices=LANGUAGES, default="en", help="of the reasons")
    load.set_defaults(run=run)


def run(given: argparse.Namespace, settings: Settings) -> int:
    table = table_of(given, SystemClock().now().date())
    with database(settings) as url:
        outcome = asyncio.run(loaded(url, settings, given, table))
    if given.report and outcome.bad:
        with given.report.open("w", encoding="utf-8-sig", newline="") as target:
            write_report(target, table, outcome.bad, given.language)
    tell(outcome, given)
    return 1 if outcome.bad else 0


def table_of(given: argparse.Namespace, today: date) -> Table:
    """The rows of the file, or of the country and years that stand in its place."""
    if given.kind == "calendars" and is_range(given.file):
        return calendar_table(given.file, today=today)
    path = Path(given.file)
    if not path.is_file():
        raise Stop(f"There is no file {given.file}.", 2)
    return read_file(path, encoding=given.encoding)


async def loaded(url: str, settings: Settings, given: argparse.Namespace, table: Table) -> Outcome:
    await need_schema(url)
    async with engine_on(url) as engine:
        with progress() as shown:
            bar = shown.add_task(f"Importing {given.kind}", total=len(table.rows))
            work = Work(
                actor=duty_actor("import"),
                now=SystemClock().now(),
                currency=settings.currency,
                advance=lambda rows: shown.advance(bar, rows),
            )
            return await import_table(engine, KINDS[given.kind], table, work, dry_run=given.dry_run)


def tell(outcome: Outcome, given: argparse.Namespace) -> None:
    for one in outcome.bad[:SHOWN]:
        print(f"line {one.line}: {f'{one.field}: ' if one.field else ''}{sentence(one, given.language)}")
    if len(outcome.bad) > SHOWN:
        where = f"see {given.report}" if given.report else "--report FILE writes them all"
        print(f"… and {len(outcome.bad) - SHOWN} more; {where}")
    if outcome.bad:
        print(f"{outcome.rows} rows, {outcome.failed} bad: nothing was imported.")
    elif given.dry_run:
        print(f"{outcome.rows} rows, all good; dry run, nothing was imported.")
    else:
        print(f"{outcome.rows} rows imported.")
