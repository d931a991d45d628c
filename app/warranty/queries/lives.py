"""A device's whole life for people to look at: its warranty on a day together with every promise before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.warranty.queries.answers import Warranty, answer
from app.warranty.queries.facts import DeviceFacts, by_serial, calendar_for, calendars
from app.warranty.rules.coverage import fold
from app.warranty.rules.events import UNIT
from app.warranty.rules.inputs import VerdictInputs
from app.warranty.rules.lifetimes import Lifetime, lifetimes
from app.warranty.rules.states import State, serial_state


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a stored verdict rests on, folded anew from its inputs: the lives of the unit and the position, each with
    its state on the day of the failure."""

    lifetimes: tuple[Lifetime, ...]
    states: Mapping[str, State]
    delivered_on: date | None


def proof_of(inputs: VerdictInputs, on: date) -> Proof | None:
    """None while the serial is not known: then several devices were weighed."""
    if not inputs.serial_known:
        return None
    one = inputs.candidates[0]
    cover = fold(one.installation, one.events, inputs.calendar)
    wanted = (UNIT, inputs.position)
    return Proof(
        lifetimes=tuple(life for life in lifetimes(cover) if life.position in wanted),
        states={position: serial_state(cover, one.serial, position, on) for position in wanted},
        delivered_on=one.installation.delivered_on,
    )
