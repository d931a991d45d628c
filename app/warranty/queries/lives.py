"""A device's whole life for people to look at: its warranty on a day together with every promise before and after."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.warranty.queries.answers import Warranty, answer
from app.warranty.queries.facts import DeviceFacts, by_serial, calendar_for, calendars
from app.warranty.rules.coverage import fold
from app.warranty.rules.inputs import VerdictInputs
from app.warranty.rules.lifetimes import Lifetime, lifetimes


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The answer of one day, the life it stands in, and which day it is at the site."""

    warranty: Warranty
    lifetimes: tuple[Lifetime, ...]
    facts: DeviceFacts
    delivered_on: date | None
    today: date


async def life(
    db: AsyncConnection, *, actor: Actor, serial: str, on: date | None, known_at: datetime | None, now: datetime
) -> Life:
    """A device as of a day (default today at its site) and as known at an instant (W10); NoSuchDevice."""
    found = await by_serial(db, actor=actor, serial=serial)
    installation = found.candidate.installation
    calendar = calendar_for(installation.terms, await calendars(db, terms=[installation.terms]))
    cover = fold(installation, found.candidate.events, calendar, known_at)
    today = fold(installation, found.candidate.events, calendar).day_at(now)
    return Life(
        warranty=answer(found, cover, on=on or today, known_at=known_at),
        lifetimes=lifetimes(cover),
        facts=found.facts,
        delivered_on=installation.delivered_on,
        today=today,
    )


def lives_of(inputs: VerdictInputs) -> tuple[Lifetime, ...]:
    """The life that a stored verdict rests on, folded anew from its inputs; none while the serial is not known."""
    if not inputs.serial_known:
        return ()
    one = inputs.candidates[0]
    return lifetimes(fold(one.installation, one.events, inputs.calendar))
