"""Devices and what happened to them: thousands in a few statements; row by row only to name what is wrong."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import attempt
from app.core.errors import Refusal, Unprocessable
from app.core.types import Code, Wire
from app.integrations.imports.load import Bad, Kind, Read, Work, tried
from app.integrations.imports.refusals import AlreadyImported
from app.warranty import service
from app.warranty.schemas import DeviceIn, EventIn, EventRow

AT_ONCE = 5_000
RENAMED = {"serial": "part_serial"}
"""In a file of events, `serial` is the device's; the fitted part's is `part_serial`."""

RECORDED = text("""
    SELECT id, serial, type, occurred_at, payload ->> 'position' AS position, corrects
    FROM warranty_event WHERE serial = ANY(CAST(:serials AS text[]))
""")

DeviceEventIn = msgspec.defstruct(
    "DeviceEventIn",
    [("serial", Code), ("ref", Code | None, None), ("event_ref", Code | None, None)]
    + [
        (RENAMED.get(one.encode_name, one.name), one.type)
        if one.required
        else (RENAMED.get(one.encode_name, one.name), one.type, one.default)
        for one in msgspec.structs.fields(EventIn)
    ],
    bases=(Wire,),
    rename={"from_day": "from"},
    kw_only=True,
    forbid_unknown_fields=True,
    module=__name__,
    namespace={"__doc__": "One event of a file: the device's serial, the event's fields, and names between rows."},
)


class UnknownRef(Unprocessable):
    """`event_ref` names no row of this file that was taken before."""

    code = "imports.unknown_ref"


Key = tuple[str, str, datetime, str | None, str | None]


async def write_devices(db: AsyncConnection, rows: Sequence[Read[DeviceIn]], work: Work) -> None:
    """Register all devices; the service itself names every bad row."""
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        try:
            async with attempt(db):
                await service.import_devices(db, actor=work.actor, rows=[one.row for one in part], now=work.now)
        except Refusal as refusal:
            named = [(one.field.split(".", 2), one) for one in refusal.errors if one.field.startswith("rows.")]
            work.bad += [
                Bad(part[int(path[1])].line, path[2] if len(path) > 2 else "", one.code, dict(one.facts))
                for path, one in named
            ] or [Bad(part[0].line, "", refusal.code, refusal.facts)]
        work.advance(len(part))


async def write_events(db: AsyncConnection, rows: Sequence[Read[Any]], work: Work) -> None:
    """Append events in the file's order. Those that are recorded already are refused and stand for their `ref`."""
    refs: dict[str, str] = {}
    fresh = await unrecorded(db, rows, refs, work)
    done = len(rows) - len(fresh)
    work.advance(done)
    try:
        async with attempt(db):
            await in_runs(db, fresh, dict(refs), work)
    except Refusal:
        await singly(db, fresh, refs, work)
    else:
        work.advance(len(fresh))


async def unrecorded(
    db: AsyncConnection, rows: Sequence[Read[Any]], refs: dict[str, str], work: Work
) -> list[Read[Any]]:
    """The rows that are not in the database already, nor twice in the file (T132)."""
    found = await db.execute(RECORDED, {"serials": sorted({one.row.serial for one in rows})})
    known: dict[Key, str] = {
        (row.serial, row.type, row.occurred_at, row.position, row.corrects): row.id for row in found
    }
    fresh = []
    for one in rows:
        row = one.row
        target = row.event or refs.get(row.event_ref or "")
        key: Key = (row.serial, row.type, row.occurred_at, row.position, target)
        corrects_fresh = row.type == "corrected" and target is None
        if row.occurred_at is None or corrects_fresh or key not in known:
            fresh.append(one)
            if not corrects_fresh:
                known[key] = ""
            continue
        if row.ref and known[key]:
            refs[row.ref] = known[key]
        work.refuse(one.line, AlreadyImported(what=f"{row.serial} {row.type}"))
    return fresh


def event_of(row: Any, refs: dict[str, str]) -> EventIn:
    """The event of a row; what it calls by `event_ref` must have been taken."""
    given = {one.name: getattr(row, RENAMED.get(one.encode_name, one.name)) for one in msgspec.structs.fields(EventIn)}
    if row.event_ref is not None:
        if row.event_ref not in refs:
            raise UnknownRef(ref=row.event_ref)
        given["event"] = refs[row.event_ref]
    return EventIn(**given)


async def in_runs(db: AsyncConnection, rows: Sequence[Read[Any]], refs: dict[str, str], work: Work) -> None:
    """Whole runs in a few statements; alone only events that others name, since their ids are needed."""
    named = {one.row.event_ref for one in rows if one.row.event_ref}
    run: list[EventRow] = []

    async def flush() -> None:
        if run:
            await service.import_events(db, actor=work.actor, rows=run, now=work.now)
            run.clear()

    for one in rows:
        if one.row.event_ref or one.row.ref in named:
            await flush()
            await append(db, one.row, refs, work)
        else:
            run.append(EventRow(serial=one.row.serial, event=event_of(one.row, refs)))
    await flush()


async def singly(db: AsyncConnection, rows: Sequence[Read[Any]], refs: dict[str, str], work: Work) -> None:
    """One by one, each in a savepoint, to name every bad row."""
    for one in rows:
        await tried(db, one.line, lambda row=one.row: append(db, row, refs, work), work)  # type: ignore[misc]
        work.advance(1)


async def append(db: AsyncConnection, row: Any, refs: dict[str, str], work: Work) -> None:
    made = await service.append_event(db, actor=work.actor, serial=row.serial, new=event_of(row, refs), now=work.now)
    if row.ref:
        refs[row.ref] = made.id


DEVICES = (
    Kind("devices", DeviceIn, write_devices),
    Kind("device_events", cast("type[Wire]", DeviceEventIn), write_events),
)
