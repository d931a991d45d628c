"""What a verdict rests on, as values and as JSON: stored with the verdict, they replay to the same bytes (W12)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Self

from app.warranty.rules.coverage import Installation, Position
from app.warranty.rules.events import NAMES, Cause, Event, payload_of, what_of
from app.warranty.rules.terms import Calendar, Terms

FoundOn = Literal["use", "opening"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What was reported; instants are aware. `settled_from` names the cause an earlier verdict was given on."""

    occurred_at: datetime
    reported_at: datetime
    cause: Cause
    system_stopped: bool
    found_on: FoundOn = "use"
    settled_from: Cause | None = None

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """From `plain()`."""
        return cls(
            occurred_at=datetime.fromisoformat(plain["occurred_at"]),
            reported_at=datetime.fromisoformat(plain["reported_at"]),
            cause=plain["cause"],
            system_stopped=plain["system_stopped"],
            found_on=plain["found_on"],
            settled_from=plain["settled_from"],
        )

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "occurred_at": self.occurred_at.isoformat(),
            "reported_at": self.reported_at.isoformat(),
            "cause": self.cause,
            "system_stopped": self.system_stopped,
            "found_on": self.found_on,
            "settled_from": self.settled_from,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A device the failure may be of: its serial, its installation and all its events."""

    serial: str
    installation_id: str
    installation: Installation
    events: tuple[Event, ...]

    @property
    def basis(self) -> int:
        """The latest event's seq: a later one may change the verdict."""
        return max((event.seq for event in self.events), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictInputs:
    """Everything `decide_verdict` reads. One candidate when the serial is known, else all of the site and model."""

    position: str
    failure: Failure
    candidates: tuple[Candidate, ...]
    calendar: Calendar | None = None
    serial_known: bool = True

    @property
    def calendar_version(self) -> str | None:
        """Which calendar the dates rest on; None where nothing is rolled over."""
        return None if self.calendar is None else self.calendar.version

    @property
    def basis(self) -> dict[str, Any]:
        """What must be unchanged for the verdict to stand: latest events, frozen terms, calendar."""
        return {
            "events": {one.installation_id: one.basis for one in self.candidates},
            "terms": {one.installation_id: one.installation.terms.plain() for one in self.candidates},
            "calendar": self.calendar_version,
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """From `plain()`."""
        return cls(
            position=plain["position"],
            failure=Failure.of(plain["failure"]),
            candidates=tuple(map(candidate_of, plain["candidates"])),
            calendar=Calendar.of(plain["calendar"]) if plain["calendar"] else None,
            serial_known=plain["serial_known"],
        )

    def plain(self) -> dict[str, Any]:
        """JSON values; the form that is stored."""
        return {
            "position": self.position,
            "failure": self.failure.plain(),
            "candidates": [plain_candidate(one) for one in self.candidates],
            "calendar": self.calendar.plain() if self.calendar else None,
            "serial_known": self.serial_known,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One field in which a new verdict differs from the one it supersedes."""

    field: str
    before: Any
    after: Any


def event_of(plain: Mapping[str, Any]) -> Event:
    """An event from its stored form."""
    return Event(
        seq=plain["seq"],
        id=plain["id"],
        occurred_at=datetime.fromisoformat(plain["occurred_at"]),
        recorded_at=datetime.fromisoformat(plain["recorded_at"]),
        what=what_of(plain["type"], plain["payload"]),
    )


def plain_event(event: Event) -> dict[str, Any]:
    """JSON values of an event."""
    return {
        "seq": event.seq,
        "id": event.id,
        "type": NAMES[type(event.what)],
        "occurred_at": event.occurred_at.isoformat(),
        "recorded_at": event.recorded_at.isoformat(),
        "payload": payload_of(event.what),
    }


def installation_of(plain: Mapping[str, Any]) -> Installation:
    """Frozen facts from their stored form: positions as `{position, part_number, key}`."""
    return Installation(
        serial=plain["serial"],
        terms=Terms.of(plain["terms"]),
        positions=positions_of(plain["positions"]),
        site=plain["site"],
        zones=plain["zones"],
        delivered_on=day_of(plain["delivered_on"]),
        oem_last_day=day_of(plain["oem_last_day"]),
    )


def positions_of(plain: Iterable[Mapping[str, Any]]) -> tuple[Position, ...]:
    """Frozen positions from their stored form."""
    return tuple(Position(one["position"], one["part_number"], one["key"]) for one in plain)


def plain_installation(frozen: Installation) -> dict[str, Any]:
    """JSON values of an installation."""
    return {
        "serial": frozen.serial,
        "terms": frozen.terms.plain(),
        "positions": [{"position": p.name, "part_number": p.part_number, "key": p.key} for p in frozen.positions],
        "site": frozen.site,
        "zones": dict(frozen.zones),
        "delivered_on": frozen.delivered_on.isoformat() if frozen.delivered_on else None,
        "oem_last_day": frozen.oem_last_day.isoformat() if frozen.oem_last_day else None,
    }


def candidate_of(plain: Mapping[str, Any]) -> Candidate:
    """A candidate from its stored form."""
    return Candidate(
        serial=plain["serial"],
        installation_id=plain["installation_id"],
        installation=installation_of(plain["installation"]),
        events=tuple(map(event_of, plain["events"])),
    )


def plain_candidate(candidate: Candidate) -> dict[str, Any]:
    """JSON values of a candidate."""
    return {
        "serial": candidate.serial,
        "installation_id": candidate.installation_id,
        "installation": plain_installation(candidate.installation),
        "events": [plain_event(event) for event in candidate.events],
    }


def day_of(text: str | None) -> date | None:
    """A date from ISO 8601, or None."""
    return None if text is None else date.fromisoformat(text)
