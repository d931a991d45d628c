"""The whole life of an installation as days to draw: each promise a stretch, cut where it is void, with who pays when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from app.warranty.rules.coverage import Cover, Interval
from app.warranty.rules.events import UNIT
from app.warranty.rules.terms import DAY, Layer, payer_on

Moment = Literal["fitted", "swapped", "void"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One promise, both days inclusive. A restart is a stretch of its own that begins the day after its anchor (W4)."""

    kind: Literal["base", "extension", "restart"]
    anchor: date
    months: int
    first: date
    last: date
    paid: tuple[Layer, ...]
    provisional: bool
    void: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A day to point out: a part or serial came in, or the cover became void."""

    day: date
    kind: Moment
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """A position's promises in the order of their beginnings, and what happened to it."""

    position: str
    part_number: str
    key: bool
    stretches: tuple[Stretch, ...]
    marks: tuple[Mark, ...]
    own: bool
    """Whether its days differ from the unit's."""


def lifetimes(cover: Cover) -> tuple[Lifetime, ...]:
    """The unit's life and each position's, as known at the instant the cover was folded for."""
    return tuple(_lifetime(cover, one.name, one.part_number, key=one.key) for one in cover.installation.positions)


def _lifetime(cover: Cover, position: str, part_number: str, *, key: bool) -> Lifetime:
    void = cover.void_from(position)
    stretches = [_stretch(cover, one, void) for one in cover.of(position)]
    return Lifetime(
        position=position,
        part_number=part_number,
        key=key,
        stretches=tuple(sorted((one for one in stretches if one), key=lambda one: (one.first, one.last))),
        marks=tuple(sorted(_marks(cover, position), key=lambda one: one.day)),
        own=position in cover.own or any(of == position for of, _, _ in cover.voids),
    )


def _stretch(cover: Cover, one: Interval, void: date | None) -> Stretch | None:
    """A void cover ends the day before; of one that never began nothing is left."""
    last = one.last if void is None else min(one.last, void - DAY)
    if last < one.first:
        return None
    return Stretch(
        kind=one.kind,
        anchor=one.anchor,
        months=one.months,
        first=one.first,
        last=last,
        paid=tuple(_paid(cover, one.first, last)),
        provisional=bool(one.provisional),
        void=last != one.last,
    )


def _paid(cover: Cover, first: date, last: date) -> Iterator[Layer]:
    """Who pays on each day, equal neighbors joined (W9)."""
    edges = {layer.first for layer in cover.paid} | {layer.last + DAY for layer in cover.paid}
    begins = sorted({first, *(day for day in edges if first < day <= last)})
    payer, start = payer_on(first, cover.paid), first
    for day in begins[1:]:
        following = payer_on(day, cover.paid)
        if following != payer:
            yield Layer(payer, start, day - DAY)
            payer, start = following, day
    yield Layer(payer, start, last)


def _marks(cover: Cover, position: str) -> Iterator[Mark]:
    if position == UNIT:
        yield from (Mark(day=one.on, kind="swapped", name=one.new_serial) for one in cover.swaps)
    else:
        start = cover.accepted_on or cover.installation.delivered_on  # what came in before is how it was delivered
        for one in cover.fitted.get(position, ()):
            if start is None or one.on > start:
                yield Mark(day=one.on, kind="fitted", name=one.serial or one.part_number)
    void = cover.void_from(position)
    if void is not None:
        yield Mark(day=void, kind="void")
