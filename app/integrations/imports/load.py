"""Loads a table as a kind of thing: every row is judged and tried, every bad one is named, and one bad one undoes all."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.rules import Actor
from app.core.db import attempt, begin
from app.core.errors import FieldError, Refusal
from app.core.http import constraint_of
from app.core.types import Wire, wrong_fields
from app.integrations.imports.cells import NumberInIdentifier, Sort, sort_of, value_of
from app.integrations.imports.refusals import BadHeadings
from app.integrations.imports.table import LINE, REASON, Row, Table

T = TypeVar("T", bound=Wire)


@dataclass(frozen=True, slots=True)
class Bad:
    """A bad row: its line, the field if one is to blame, and the code and facts of its text."""

    line: int
    field: str
    code: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A row whose shape is right, with the line it came from."""

    line: int
    row: T


@dataclass(slots=True)
class Work:
    """What writers need beside rows: who, when, the company's currency, whom to tell about progress; and what went
    wrong so far."""

    actor: Actor
    now: datetime
    currency: str
    advance: Callable[[int], None] = lambda rows: None
    bad: list[Bad] = field(default_factory=list)

    def refuse(self, line: int, refusal: Refusal) -> None:
        """Name a row by what was refused: each wrong field, or the refusal itself."""
        self.bad += [Bad(line, one.field, one.code, dict(one.facts)) for one in refusal.errors] or [
            Bad(line, "", refusal.code, refusal.facts)
        ]


Writer = Callable[[AsyncConnection, Sequence[Read[Any]], Work], Awaitable[None]]
Verb = Callable[[AsyncConnection, Any, Work], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of import: the shape of its rows, and what writes them and puts refusals into `work.bad`."""

    name: str
    shape: type[Wire]
    write: Writer


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an import went. Something was written only if nothing is bad and it was not a dry run."""

    kind: str
    rows: int
    bad: list[Bad]

    @property
    def failed(self) -> int:
        return len({one.line for one in self.bad})


class Undo(Exception):
    """Ends the transaction of a dry run, or of an import with bad rows."""


async def import_table(engine: AsyncEngine, kind: Kind, table: Table, work: Work, *, dry_run: bool = False) -> Outcome:
    """Load a table in one transaction of its own: all rows or, if any is bad or the run is dry, none."""
    outcome = Outcome(kind.name, len(table.rows), work.bad)
    try:
        async with begin(engine) as db:
            await load(db, kind, table, work)
            if work.bad or dry_run:
                raise Undo
    except Undo:
        pass
    return outcome


async def load(db: AsyncConnection, kind: Kind, table: Table, work: Work) -> None:
    """Load a table in the caller's transaction; bad rows are in `work.bad`, and then the caller must undo.

    Raises BadHeadings. Rows whose shape is wrong are named and left out, so that the rest still gets its verdict.
    """
    hints = fields_of(kind.shape)
    check_headings(table, kind.shape)
    sorts = {name: sort_of(hint) for name, hint in hints.items()}
    rows = [read for row in table.rows if (read := shaped(table, row, kind.shape, sorts, work.bad)) is not None]
    work.advance(len(table.rows) - len(rows))
    await kind.write(db, rows, work)
    work.bad.sort(key=lambda one: one.line)


def fields_of(shape: type[Wire]) -> dict[str, Any]:
    """A shape's columns as the wire names them, with their annotations."""
    hints = get_type_hints(shape, include_extras=True)
    return {one.encode_name: hints[one.name] for one in msgspec.structs.fields(shape)}


def check_headings(table: Table, shape: type[Wire]) -> None:
    known = msgspec.structs.fields(shape)
    names = {one.encode_name for one in known}
    listed = sorted(names)
    errors = [
        FieldError(one, "imports.column_unknown", {"known": listed})
        for one in table.columns
        if one not in names and one not in (LINE, REASON)
    ]
    errors += [
        FieldError(one.encode_name, "imports.column_missing")
        for one in known
        if one.required and one.encode_name not in table.columns
    ]
    if errors:
        raise BadHeadings(errors=errors)


def shaped(table: Table, row: Row, shape: type[T], sorts: dict[str, Sort], bad: list[Bad]) -> Read[T] | None:
    """A row in its shape, or None, with everything that is wrong about it named."""
    before, raw = len(bad), {}
    for column, cell in row.cells.items():
        if column in (LINE, REASON):
            continue
        try:
            raw[column] = value_of(cell, sorts[column])
        except NumberInIdentifier:
            facts = {"cell": table.address(row, column), "number": str(cell)}
            bad.append(Bad(row.line, column, "imports.number_in_identifier", facts))
    if row.beyond:
        bad.append(Bad(row.line, "", "imports.cells_beyond", {"cells": row.beyond}))
    if len(bad) > before:
        return None
    try:
        return Read(row.line, msgspec.convert(raw, shape))
    except msgspec.ValidationError as wrong:
        found = wrong_fields(raw, shape) or [("", str(wrong))]
        bad += [worded(row.line, path, message) for path, message in found]
        return None


WORDS = (
    (re.compile(r"Expected `(?P<expected>[^`]+)`, got `(?P<got>[^`]+)`"), "imports.expected"),
    (re.compile(r"Expected `\w+` (?P<bound>[<>]=? \S+)"), "imports.out_of_range"),
    (re.compile(r"Expected `\w+` of length (?P<bound>[<>]=? \d+)"), "imports.wrong_length"),
    (re.compile(r"Expected `\w+` matching regex"), "imports.wrong_form"),
    (re.compile(r"Expected `\w+` with a timezone"), "imports.no_offset"),
    (re.compile(r"Invalid (RFC3339|ISO8601) encoded (?P<sort>\w+)"), "imports.no_date"),
    (re.compile(r"Invalid enum value '?(?P<given>[^']*)'?"), "imports.not_one_of"),
)


def worded(line: int, path: str, message: str) -> Bad:
    """A wrong field in our words, which both languages have."""
    if message.startswith("field."):
        return Bad(line, path, message, {})
    for pattern, code in WORDS:
        if found := pattern.search(message):
            return Bad(line, path, code, found.groupdict())
    return Bad(line, path, "field.bad", {"why": message})


def one_by_one(verb: Verb) -> Writer:
    """A writer that gives each row to a verb, each in a savepoint, so that every bad one is found."""

    async def write(db: AsyncConnection, rows: Sequence[Read[Any]], work: Work) -> None:
        for one in rows:
            await tried(db, one.line, lambda row=one.row: verb(db, row, work), work)  # type: ignore[misc]
            work.advance(1)

    return write


async def tried(db: AsyncConnection, line: int, verb: Callable[[], Awaitable[object]], work: Work) -> bool:
    """Run a verb for a line in a savepoint of its own; what it refuses is named. Whether it went well."""
    try:
        async with attempt(db):
            await verb()
    except Refusal as refusal:
        work.refuse(line, refusal)
        return False
    except (IntegrityError, DataError) as broken:
        constraint = constraint_of(broken) or type(broken).__name__
        work.bad.append(Bad(line, "", "imports.refused_by_database", {"constraint": constraint}))
        return False
    return True
