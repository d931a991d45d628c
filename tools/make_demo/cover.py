"""A small second opinion on warranty: folds the demo's events into last days, to check demo/warranty_cases.csv.

It knows only what the cases need (no assortments, no payers of restarted parts) and shares no code with app.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from zoneinfo import ZoneInfo

from tools.make_demo.basics import Row, last_day
from tools.make_demo.catalog import positions_of
from tools.make_demo.contracts import acceptance, terms_of

# Art. 203 against the State Council calendar of 2018, for the days the cases need.
ROLLS_TO = {"2018-07-28": "2018-07-30", "2018-09-22": "2018-09-25", "2018-10-01": "2018-10-08"}


@dataclass
class Cover:
    """What is known of one device after all events up to the day asked."""

    anchor: date | None
    terms: dict[str, object]
    oem_last_day: date | None
    zone: str
    months: int
    replaced: bool = False
    void: dict[str, date] = field(default_factory=dict)
    restarted: dict[str, date] = field(default_factory=dict)  # position -> last day; `unit` is the device
    pending: dict[str, Row] = field(default_factory=dict)  # position -> replacement not confirmed yet

    def nominal(self) -> date | None:
        """The device's last day without restarts (W2), rolled if the contract says so."""
        if self.anchor is None:
            return None
        end = last_day(self.anchor, self.months)
        return date.fromisoformat(ROLLS_TO.get(str(end), str(end))) if self.terms["holiday_rollover"] else end

    def end(self, position: str = "unit") -> date | None:
        """The last day of a position, restarts and the device's own restart included (W5, W6)."""
        days = [day for day in (self.nominal(), self.restarted.get("unit"), self.restarted.get(position)) if day]
        return max(days, default=None)

    def status(self, on: date, position: str = "unit") -> str:
        """covered | expired | not_started | void | replaced"""
        end = self.end(position)
        if self.replaced:
            return "replaced"
        if any(on >= self.void[where] for where in ("unit", position) if where in self.void):
            return "void"
        if self.anchor is None or end is None:
            return "not_started"
        return "covered" if on <= end else "expired"

    def payer(self, on: date) -> str | None:
        """W9, for the device's own interval."""
        status = self.status(on)
        if status == "not_started":
            return "vendor"
        if status != "covered" or self.anchor is None:
            return None
        oem, service = int(str(self.terms["oem_months"])), int(str(self.terms["oem_service_months"]))
        longest = int(str(self.terms["months"]))
        oem_end = last_day(self.anchor, min(oem, longest))
        if on <= min(oem_end, self.oem_last_day or oem_end):
            return "oem"
        layered = oem_end < on <= last_day(self.anchor, min(oem + service, longest))
        return "oem_service" if layered else "vendor"


def fold(devices: list[Row], events: list[Row], zones: dict[str, str], until: date) -> dict[str, Cover]:
    """Cover by serial, from what happened up to `until` (the corrections of facts included, whenever they came)."""
    settled = {row["event_ref"]: row for row in events if row["type"] == "corrected"}
    covers: dict[str, Cover] = {}
    models = {device["serial"]: device["model"] for device in devices}
    for device in devices:
        terms = terms_of(device["contract"])
        own = device.get("accepted_on")
        covers[device["serial"]] = Cover(
            anchor=as_date(own) or acceptance()[device["contract"]],
            terms=terms,
            oem_last_day=as_date(device.get("oem_last_day")),
            zone=zones[device["site"]],
            months=int(str(terms["months"])),
        )
    for row in events:
        cover = covers.get(row["serial"])  # None: a successor that comes into being after `until`
        if cover and row["occurred_at"].astimezone(ZoneInfo(cover.zone)).date() <= until:
            changed = {key: value for key, value in settled.get(row["ref"], {}).items() if key in ("cause", "on")}
            apply(covers, models, zones, row | {key: value for key, value in changed.items() if value})
    return covers


def as_date(day: date | str | None) -> date | None:
    """A date, its ISO text, or nothing."""
    return date.fromisoformat(str(day)) if day else None


def apply(covers: dict[str, Cover], models: dict[str, str], zones: dict[str, str], row: Row) -> None:
    """One event, in place."""
    cover = covers[row["serial"]]
    match row["type"]:
        case "accepted":
            cover.anchor = as_date(row["on"])
        case "component_replaced":
            cover.pending[row["position"]] = row
        case "device_replaced":
            successor = replace(cover, void=dict(cover.void), restarted=dict(cover.restarted), pending={"unit": row})
            cover.replaced = True
            covers[row["new_serial"]] = successor
            models[row["new_serial"]] = models[row["serial"]]
        case "operation_confirmed":
            restart(cover, models[row["serial"]], row)
        case "extended":
            cover.months += row["months"]
        case "voided":
            cover.void[row.get("position") or "unit"] = as_date(row["from"]) or date.max
        case "transferred":
            cover.zone = zones[row["site"]]


def restart(cover: Cover, model: str, row: Row) -> None:
    """W4: all five conditions, else nothing."""
    job = cover.pending.pop(row["position"], None)
    if job is None or cover.anchor is None:
        return
    on = row["occurred_at"].astimezone(ZoneInfo(cover.zone)).date()
    key = positions_of(model)[row["position"]][1]
    in_time = cover.terms["restart_after_expiry"] or on <= (cover.end(row["position"]) or on)
    if key and job["cause"] != "customer" and job["system_stopped"] and in_time:
        scope = "unit" if cover.terms["restart_scope"] == "device" else row["position"]
        end = last_day(on, int(str(cover.terms["months"])))
        cover.restarted[scope] = max(end, cover.restarted.get(scope, end))
