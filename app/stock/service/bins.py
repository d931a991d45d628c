"""Bins: where pieces lie inside a place. Moving them there changes no quantity and no value, and is told as an event."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import FieldError
from app.core.events import Event, announce, announce_all
from app.core.ids import new_id
from app.stock.queries.bins import bin_for
from app.stock.queries.lookups import place_for
from app.stock.rules.ledger import Key
from app.stock.schemas import BinIn, BinOut, PutAwayIn, PutAwayLineIn, PutAwayLineOut, PutAwayOut
from app.stock.service.books import open_books
from app.stock.service.refusals import BadLines, BinThere, NothingThere

ADD = text("""
    INSERT INTO bin (place, code, note) VALUES (:place, :code, :note) ON CONFLICT DO NOTHING RETURNING code
""")
MEET = text("""
    INSERT INTO bin (place, code) SELECT :place, code FROM unnest(CAST(:codes AS text[])) AS n(code) ORDER BY code
    ON CONFLICT DO NOTHING RETURNING code
""")
KNOWN = text("SELECT code FROM bin WHERE place = :place AND code = ANY(CAST(:codes AS text[]))")
KEYS = text("""
    SELECT part, condition, genuine FROM stock_balance
    WHERE place = :place AND part = ANY(CAST(:parts AS text[])) AND on_hand > 0
""")
MOVE = text("UPDATE stock_layer SET bin = :bin WHERE id = ANY(CAST(:ids AS bigint[]))")


async def add_bin(db: AsyncConnection, *, actor: Actor, new: BinIn, now: datetime) -> BinOut:
    """Name a bin of a place. Raises NoSuchPlace, BinThere."""
    await place_for(db, actor=actor, place=new.place)
    row = {"place": new.place, "code": new.code, "note": new.note}
    if await db.scalar(ADD, row) is None:
        raise BinThere(place=new.place, bin=new.code)
    await announce(db, _created(new.place, new.code, new.note), by=actor, now=now)
    return await bin_for(db, actor=actor, place=new.place, code=new.code)


async def meet_bins(db: AsyncConnection, *, actor: Actor, place: str, codes: Sequence[str], now: datetime) -> None:
    """Make the bins of a place that a file names and nobody named before."""
    if codes:
        made = (await db.execute(MEET, {"place": place, "codes": sorted(set(codes))})).scalars()
        await announce_all(db, [_created(place, code, None) for code in made], by=actor, now=now)


def _created(place: str, code: str, note: str | None) -> Event:
    facts = {"place": place, "code": code, "note": note}
    return Event(type="bin.created", subject=f"{place}/{code}", place=place, data=facts)


async def need_bins(db: AsyncConnection, *, place: str, bins: Sequence[str | None]) -> None:
    """Refuse lines whose bin the place does not have, each by name."""
    named = sorted({code for code in bins if code is not None})
    if not named:
        return
    known = set((await db.execute(KNOWN, {"place": place, "codes": named})).scalars())
    errors = [
        FieldError(f"lines.{at}.bin", "bin.unknown", {"place": place, "bin": code})
        for at, code in enumerate(bins)
        if code is not None and code not in known
    ]
    if errors:
        raise BadLines(errors=errors)


async def put_away(db: AsyncConnection, *, actor: Actor, new: PutAwayIn, now: datetime) -> PutAwayOut:
    """Put pieces into a bin, held or free, whole layers at a time: a layer lies in one bin.

    Raises NoSuchPlace, NoSuchBin, NothingThere. What lies there already stays, and is named all the same.
    """
    await place_for(db, actor=actor, place=new.place)
    if new.bin is not None:
        await bin_for(db, actor=actor, place=new.place, code=new.bin)
    asked = {"place": new.place, "parts": sorted({line.part_number for line in new.lines})}
    keys = {Key(new.place, row.part, row.condition, row.genuine) for row in await db.execute(KEYS, asked)}
    books = await open_books(db, keys=keys, whole=True)
    moved: dict[int, Any] = {}
    for line in new.lines:
        meant = [layer for layer in books.layers.values() if _meant(line, layer)]
        if not meant or (line.serials is not None and len(meant) < len(set(line.serials))):
            raise NothingThere(part_number=line.part_number, place=new.place)
        moved |= {layer.id: layer for layer in meant}
    await db.execute(MOVE, {"bin": new.bin, "ids": sorted(moved)})
    lines = [
        PutAwayLineOut(
            part_number=layer.key.part,
            quantity=layer.quantity,
            lot=layer.lot,
            serial=layer.serial,
            from_bin=layer.bin,
        )
        for _, layer in sorted(moved.items())
    ]
    put = PutAwayOut(id=new_id("put", now), bin=new.bin, lines=lines)
    facts = {"place": new.place, "bin": new.bin, "lines": lines, "note": new.note}
    await announce(db, Event(type="stock.put_away", subject=put.id, place=new.place, data=facts), by=actor, now=now)
    return put


def _meant(line: PutAwayLineIn, layer: Any) -> bool:
    return (
        layer.key.part == line.part_number
        and (line.serials is None or layer.serial in line.serials)
        and (line.lot is None or layer.lot == line.lot)
        and (line.from_bin is None or layer.bin == line.from_bin)
        and not (line.only_unplaced and layer.bin is not None)
    )
