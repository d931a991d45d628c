"""Facts that decisions rest on: installations with their events, calendars, and what a failure's verdict reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.rules import Actor
from app.core.errors import NotFound, Unprocessable
from app.warranty.rules.coverage import Cover, Installation, fold
from app.warranty.rules.inputs import Candidate, Failure, VerdictInputs, event_of, positions_of
from app.warranty.rules.states import sitting
from app.warranty.rules.terms import Calendar, Terms

SCOPED = """
    (CAST(:scope_customers AS text[]) IS NULL OR i.customer = ANY(CAST(:scope_customers AS text[])))
    AND (CAST(:scope_areas AS text[]) IS NULL OR s.area = ANY(CAST(:scope_areas AS text[])))
"""
ALL: Mapping[str, Any] = {"scope_customers": None, "scope_areas": None}
FACTS = f"""
    SELECT d.serial, d.ordinal, i.id AS installation, i.contract, i.customer, i.model, i.site, i.sites, i.first_serial,
        i.serial AS present_serial, i.delivered_on, i.accepted_on, i.oem_last_day, i.terms, i.terms_frozen_at,
        i.positions, i.calendar_version, i.created_at, i.version, s.area, s.timezone,
        (SELECT jsonb_object_agg(z.code, z.timezone) FROM site z WHERE z.code = ANY (i.sites)) AS zones,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('seq', e.seq, 'id', e.id, 'type', e.type, 'payload', e.payload,
            'occurred_at', e.occurred_at, 'recorded_at', e.recorded_at) ORDER BY e.seq), '[]')
            FROM warranty_event e WHERE e.installation = i.id) AS events
    FROM device d JOIN installation i ON i.id = d.installation JOIN site s ON s.code = i.site
    WHERE {SCOPED}
"""
# Each row as one JSON text: read straight into its type, it takes a third of the time that two dozen columns take.
BY_SERIALS = text(f"""
    SELECT CAST(row_to_json(f) AS text) FROM ({FACTS} AND d.serial = ANY(CAST(:serials AS text[]))) f ORDER BY f.serial
""")
BY_INSTALLATIONS = text(f"""
    SELECT CAST(row_to_json(f) AS text)
    FROM ({FACTS} AND i.id = ANY(CAST(:installations AS text[])) AND d.serial = i.serial) f ORDER BY f.installation
""")
BY_MODEL = text(f"""
    SELECT CAST(row_to_json(f) AS text)
    FROM ({FACTS} AND i.site = :site AND i.model = :model AND d.serial = i.serial ORDER BY d.serial LIMIT 500) f
    ORDER BY f.serial
""")
CALENDARS = text("""
    SELECT DISTINCT ON (country, year) country, year, version, published, working_days_off, make_up_days
    FROM calendar_version WHERE country = ANY(CAST(:countries AS text[])) ORDER BY country, year, version DESC
""")
KIN = text("""
    WITH RECURSIVE kin (number) AS (
        SELECT CAST(:part AS text)
        UNION
        SELECT CASE WHEN b.from_part = k.number THEN b.to_part ELSE b.from_part END
        FROM kin k JOIN substitution b ON k.number IN (b.from_part, b.to_part)
        WHERE b.model IN ('', :model) AND b.valid @> CAST(:on AS date)
    )
    SELECT number FROM kin
""")


class NoSuchDevice(NotFound):
    """No device by that serial, or by that site and model, that this asker may see."""

    code = "device.not_found"


class PartNotOfDevice(Unprocessable):
    """No position of the device takes this part or one it may stand in for."""

    code = "part.not_of_device"


class PositionAmbiguous(Unprocessable):
    """Several positions take the part; the request must name one."""

    code = "position.ambiguous"


class PositionUnknown(Unprocessable):
    """The device has no such position."""

    code = "position.unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """Where a device stands and whom it belongs to; `version` is the seq of its installation's latest event."""

    serial: str
    installation: str
    contract: str
    customer: str
    site: str
    area: str | None
    zone: str
    model: str
    version: int
    present_serial: str


class FactsRow(msgspec.Struct, frozen=True):
    """A row of FACTS."""

    serial: str
    ordinal: int
    installation: str
    contract: str
    customer: str
    model: str
    site: str
    sites: list[str]
    first_serial: str
    present_serial: str
    delivered_on: date | None
    accepted_on: date | None
    oem_last_day: date | None
    terms: dict[str, Any]
    terms_frozen_at: datetime | None
    positions: list[dict[str, Any]]
    calendar_version: str | None
    created_at: datetime
    version: int
    area: str | None
    timezone: str
    zones: dict[str, str]
    events: list[dict[str, Any]]


ROW = msgspec.json.Decoder(FactsRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One device's row and its history, ready to fold."""

    row: FactsRow
    candidate: Candidate

    @property
    def facts(self) -> DeviceFacts:
        row = self.row
        return DeviceFacts(
            serial=row.serial,
            installation=row.installation,
            contract=row.contract,
            customer=row.customer,
            site=row.site,
            area=row.area,
            zone=row.timezone,
            model=row.model,
            version=row.version,
            present_serial=row.present_serial,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFacts:
    """A failure's verdict inputs and the devices it may be of, the candidates' order."""

    inputs: VerdictInputs
    devices: tuple[DeviceFacts, ...]


def known(raw: str) -> Known:
    """A row of FACTS, as JSON text, as values."""
    row = ROW.decode(raw)
    return Known(
        row=row,
        candidate=Candidate(
            serial=row.serial,
            installation_id=row.installation,
            installation=Installation(
                serial=row.first_serial,
                terms=Terms.of(row.terms),
                positions=positions_of(row.positions),
                site=row.sites[0],
                zones=row.zones,
                delivered_on=row.delivered_on,
                oem_last_day=row.oem_last_day,
            ),
            events=tuple(map(event_of, row.events)),
        ),
    )


async def by_serials(db: AsyncConnection, *, scope: Mapping[str, Any], serials: Sequence[str]) -> list[Known]:
    """Devices with their histories, in the order of serials; unknown and out of scope are left out alike."""
    rows = await db.scalars(BY_SERIALS, {**scope, "serials": list(serials)})
    return [known(raw) for raw in rows]


async def by_serial(db: AsyncConnection, *, actor: Actor, serial: str) -> Known:
    """One device with its history, or NoSuchDevice."""
    found = await by_serials(db, scope=actor.scope, serials=[serial])
    if not found:
        raise NoSuchDevice(serial=serial)
    return found[0]


async def by_installations(db: AsyncConnection, *, scope: Mapping[str, Any], ids: Sequence[str]) -> list[Known]:
    """The present device of each installation, in the order of ids."""
    rows = await db.scalars(BY_INSTALLATIONS, {**scope, "installations": list(ids)})
    return [known(raw) for raw in rows]


async def calendars(db: AsyncConnection, *, terms: Sequence[Terms]) -> dict[str, Calendar]:
    """The newest calendar of each country that some of the terms roll over by; none is asked where none rolls."""
    countries = sorted({one.calendar for one in terms if one.holiday_rollover})
    if not countries:
        return {}
    years: dict[str, list[Any]] = {country: [] for country in countries}
    for row in await db.execute(CALENDARS, {"countries": countries}):
        years[row.country].append(row)
    return {country: calendar_of(country, rows) for country, rows in years.items()}


def calendar_of(country: str, rows: Sequence[Any]) -> Calendar:
    """One value from a country's years; its version names each year's, `CN 2026.2 2027.1`."""
    return Calendar(
        country=country,
        version=" ".join([country, *(f"{row.year}.{row.version}" for row in rows)]),
        published=frozenset(row.year for row in rows if row.published),
        days_off=frozenset(day for row in rows for day in row.working_days_off),
        make_up_days=frozenset(day for row in rows for day in row.make_up_days),
    )


def calendar_for(terms: Terms, found: Mapping[str, Calendar]) -> Calendar | None:
    """The calendar one device's terms roll over by; None where they do not."""
    return found.get(terms.calendar) if terms.holiday_rollover else None


async def failure_facts(
    db: AsyncConnection,
    *,
    actor: Actor,
    failure: Failure,
    serial: str | None,
    part_number: str | None,
    position: str | None = None,
    site: str | None = None,
    model: str | None = None,
) -> FailureFacts:
    """Everything a verdict rests on, in one read for a known serial, position and part.

    Without a serial the devices of that site and model are the candidates (provisional verdict). A position left out
    is inferred from the part. Refuses with NoSuchDevice, PositionUnknown, PositionAmbiguous or PartNotOfDevice.
    """
    if serial is not None:
        found = [await by_serial(db, actor=actor, serial=serial)]
    else:
        rows = await db.scalars(BY_MODEL, {**actor.scope, "site": site, "model": model})
        found = [known(raw) for raw in rows]
        if not found:
            raise NoSuchDevice(site=site, model=model)
    first = found[0]
    at = await position_of(db, first, part_number=part_number, position=position, on=failure.occurred_at)
    known_calendars = await calendars(db, terms=[one.candidate.installation.terms for one in found])
    inputs = VerdictInputs(
        position=at,
        failure=failure,
        candidates=tuple(one.candidate for one in found),
        calendar=calendar_for(first.candidate.installation.terms, known_calendars),
        serial_known=serial is not None,
    )
    return FailureFacts(inputs=inputs, devices=tuple(one.facts for one in found))


async def position_of(
    db: AsyncConnection, known: Known, *, part_number: str | None, position: str | None, on: datetime
) -> str:
    """The position a part belongs to: the named one if it takes the part, else the only one that does."""
    installation = known.candidate.installation
    names = [one.name for one in installation.positions]
    if position is not None and position not in names:
        raise PositionUnknown(position=position, positions=names)
    if part_number is None:
        if position is None:
            raise PositionAmbiguous(part_number=None, positions=names)
        return position
    cover = fold(installation, known.candidate.events)
    day = cover.day_at(on)
    fitting = taking(cover, day, {part_number})
    if not fitting or (position is not None and position not in fitting):
        rows = await db.execute(KIN, {"part": part_number, "model": known.row.model, "on": day})
        fitting = taking(cover, day, set(rows.scalars()))
    if not fitting or (position is not None and position not in fitting):
        raise PartNotOfDevice(part_number=part_number, model=known.row.model, position=position)
    if position is None and len(fitting) > 1:
        raise PositionAmbiguous(part_number=part_number, positions=fitting)
    return position or fitting[0]


def taking(cover: Cover, day: date, numbers: set[str]) -> list[str]:
    """Positions that hold one of the parts on that day, or that the model gives one of them."""
    return [
        one.name
        for one in cover.installation.positions
        if one.part_number in numbers or sitting(cover, one.name, day)[0] in numbers
    ]
