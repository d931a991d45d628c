"""From what was read to the finished pages of devices: the look-up's rows, and one device with its whole history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from app.accounts.rules import ADMIN, DISPATCHER, ENGINEER, Role
from app.core.http import reasons_out
from app.fulfillment.rules.states import ENDED
from app.warranty.queries.lives import Life
from app.warranty.schemas import DeviceOut, EventOut
from app.web.engineer.words import EVENT, LINE, for_field, full_time
from app.web.life import Picture, picture
from app.web.render import Words
from app.web.verdict import Verdict, device_verdict, verdict_of
from app.web.words import PRIORITY

MAY_ASK: tuple[Role, ...] = (ENGINEER, DISPATCHER, ADMIN)
TOLD: Mapping[str, str] = {
    "accepted": "the system was accepted on {on}",
    "component_installed": "{position}: {part_number} {serial}",
    "component_replaced": "{position}: {part_number} {serial}, cause: {cause}, system stopped: {system_stopped}",
    "device_replaced": "swapped for {new_serial}, cause: {cause}, system stopped: {system_stopped}",
    "operation_confirmed": "{position} runs normally",
    "extended": "{months} months more: {reason}",
    "voided": "from {from_day} on: {reason}",
    "transferred": "it stands at {site} now",
    "corrected": "an earlier entry was wrong: {reason}",
}
NO_FACTS: Mapping[str, str] = {"serial": "", "part_number": "", "reason": "", "position": "unit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device in a list."""

    serial: str
    address: str
    model: str
    site: str
    customer: str
    contract: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One event of a device's history."""

    what: str
    words: str
    serial: str
    at: str
    recorded: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRef:
    """A request of the device, in a line."""

    address: str
    label: str
    at: str
    parts: str
    priority: str
    step: str
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """Everything the page of one device shows."""

    serial: str
    verdict: Verdict
    picture: Picture
    model: str
    model_name: str
    site: str
    site_name: str
    place: str
    customer: str
    contract: str
    zone: str
    days: tuple[tuple[str, str], ...]
    terms: tuple[str, ...]
    replaces: str | None
    replaced_by: str | None
    on: str
    known_at: str
    asked: bool
    link: str
    history: tuple[HistoryRow, ...]
    older: str | None
    requests: tuple[RequestRef, ...]
    ask: str | None


def device_rows(rows: Iterable[Any], say: Words) -> tuple[DeviceRow, ...]:
    """Devices with their big word, as of today at their sites."""
    return tuple(
        DeviceRow(
            serial=row.serial,
            address=f"/devices/{quote(row.serial, safe='')}",
            model=row.model_name,
            site=row.site_name,
            customer=row.customer_name,
            contract=row.contract,
            verdict=verdict_of(
                status=row.status or "not_started",
                first_day=row.first_day,
                last_day=row.last_day,
                payer=row.payer,
                on=row.today,
                say=say,
            ),
        )
        for row in rows
    )


def device_view(
    life: Life,
    device: DeviceOut,
    *,
    where: Any,
    model_name: str,
    history: Iterable[EventOut],
    older: str | None,
    requests: Iterable[Any],
    names: Mapping[str, str],
    people: Mapping[str, str],
    asked: bool,
    role: Role,
    now: datetime,
    say: Words,
) -> DeviceView:
    """The finished page."""
    zone, warranty = where.timezone, life.warranty
    address = f"/devices/{quote(device.serial, safe='')}"
    known_at = (warranty.known_at or now).astimezone(UTC)
    link = urlencode({"on": warranty.on.isoformat(), "known_at": f"{known_at:%Y-%m-%dT%H:%M:%SZ}"})
    days = (
        (say("delivered on"), device.delivered_on),
        (say("accepted on"), device.accepted_on),
        (say("installed on"), device.installed_on),
        (say("replaced on"), device.replaced_on),
        (say("the OEM's own last day"), device.oem_last_day),
    )
    return DeviceView(
        serial=device.serial,
        verdict=device_verdict(life, reasons_out(warranty.reasons, say.language), say),
        picture=picture(life, names, say),
        model=device.model,
        model_name=model_name,
        site=device.site,
        site_name=where.site_name,
        place=where.address or "",
        customer=where.customer_name,
        contract=device.contract,
        zone=zone,
        days=tuple((word, day.isoformat()) for word, day in days if day is not None),
        terms=tuple(terms_told(device.terms, say)),
        replaces=device.replaces,
        replaced_by=device.replaced_by,
        on=warranty.on.isoformat(),
        known_at=for_field(warranty.known_at, zone) if warranty.known_at else "",
        asked=asked,
        link=f"{address}?{link}",
        history=tuple(history_row(one, zone, people, say) for one in history),
        older=older,
        requests=request_refs(requests, zone, say),
        ask=f"{address}/ask" if role in MAY_ASK and device.replaced_by is None else None,
    )


def terms_told(terms: Mapping[str, Any], say: Words) -> Iterable[str]:
    """The warranty's terms, as frozen into the device, in sentences."""
    months, oem, service = (int(terms.get(one, 0)) for one in ("months", "oem_months", "oem_service_months"))
    yield say("{months} months free of charge, from the day after acceptance", months=months)
    if oem:
        yield say("the OEM pays for the first {months} months", months=min(oem, months))
    if service and oem < months:
        yield say("its service contract pays to month {months}; for all else we pay", months=min(oem + service, months))
    if terms.get("restart_scope") == "device":
        yield say(
            "a failed key part that stopped the system starts the whole device anew for {months} months", months=months
        )
    else:
        yield say("a failed key part that stopped the system starts anew itself for {months} months", months=months)
    if not terms.get("restart_after_expiry", True):
        yield say("nothing starts anew once the warranty has ended")
    if terms.get("holiday_rollover"):
        yield say("a last day on a holiday moves to the next working day")
    if terms.get("doa_days") is not None:
        yield say("found on opening the box: replaced at once, within {days} days of delivery", days=terms["doa_days"])
    else:
        yield say("found on opening the box: replaced at once, whatever the cause")
    yield say("complete goods go back without a reason within {days} days of delivery", days=terms.get("return_days"))


def history_row(one: EventOut, zone: str, people: Mapping[str, str], say: Words) -> HistoryRow:
    """An event in words; when it was recorded is said where that was another day."""
    facts = {**NO_FACTS, **one.payload}
    at, recorded = full_time(one.occurred_at, zone), full_time(one.recorded_at, zone)
    return HistoryRow(
        what=say(EVENT[one.type]),
        words=" ".join(say(TOLD[one.type], **facts).replace(" ,", ",").replace(" ，", "，").split()),
        serial=one.serial,
        at=at,
        recorded="" if at[:10] == recorded[:10] else recorded,
        by=people.get(one.actor, one.actor),
    )


def request_refs(rows: Iterable[Any], zone: str, say: Words) -> tuple[RequestRef, ...]:
    return tuple(
        RequestRef(
            address=f"/requests/{row.id}",
            label=row.ticket_number or f"R-{row.id[-5:].upper()}",
            at=full_time(row.received_at, zone),
            parts=("、" if say.language == "zh-CN" else ", ").join(row.parts),
            priority=say(PRIORITY[row.priority]),
            step=say(LINE[row.state]),
            open=row.state not in ENDED,
        )
        for row in rows
    )
