"""Who calls on the demo day, from demo/day.json and a seed alone: the calls, and what fate has in store for each."""

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal
from zoneinfo import ZoneInfo

FILES = Path(__file__).parent.parent.parent.parent / "demo"
UNUSABLE = ("device_replaced", "voided", "transferred")
Fate = Literal["smooth", "nobody_there", "lost"]


@dataclass(frozen=True, slots=True)
class AskedLine:
    part: str
    quantity: int
    position: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, and what is settled about it whoever dispatches. Seconds count from the call.

    `consents_s` and `agrees` matter only if the customer has to pay; `cancels_s` only while the part is not fitted;
    `fate` strikes the first drop.
    """

    number: int
    at: datetime
    serial: str
    model: str
    site: str
    area: str
    priority: str
    cause: str
    stopped: bool
    found_on: str
    lines: tuple[AskedLine, ...]
    answers_s: int
    consents_s: int
    agrees: bool
    cancels_s: int | None
    appointment_s: int | None
    fate: Fate


@dataclass(frozen=True, slots=True)
class Device:
    serial: str
    model: str
    site: str


def day_of(path: Path = FILES / "day.json") -> dict[str, Any]:
    """The day's description."""
    described: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return described


def instant_of(day: Mapping[str, Any], clock: str) -> datetime:
    """A time of the day's clock, in UTC."""
    wall = datetime.combine(date.fromisoformat(day["date"]), time.fromisoformat(clock))
    return wall.replace(tzinfo=ZoneInfo(day["timezone"])).astimezone(UTC)


def calls_of(day: Mapping[str, Any], *, seed: int, requests: int | None = None) -> list[Call]:
    """The day's calls in order; the same seed gives the same calls. Each device calls once."""
    chance = Random(seed)  # noqa: S311 - a reproducible day, no secret
    by_area, positions = _devices(), _positions()
    times = sorted(_time(day, chance) for _ in range(requests or day["requests"]))
    used: set[str] = set()
    return [_call(number, at, day, chance, by_area, positions, used) for number, at in enumerate(times, 1)]


def _time(day: Mapping[str, Any], chance: Random) -> datetime:
    """Uniform over the day, or within a rush hour by its share; whole seconds."""
    begins, ends = day["from"], day["to"]
    at = chance.random()
    for rush in day["rush_hours"]:
        if at < rush["share"]:
            begins, ends = rush["from"], rush["to"]
            break
        at -= rush["share"]
    first, last = instant_of(day, begins), instant_of(day, ends)
    return first + timedelta(seconds=int(chance.random() * (last - first).total_seconds()))


def _call(
    number: int,
    at: datetime,
    day: Mapping[str, Any],
    chance: Random,
    by_area: Mapping[str, Sequence[tuple[Device, str]]],
    positions: Mapping[str, Sequence[tuple[str, str]]],
    used: set[str],
) -> Call:
    area = _drawn(day["areas"], chance)
    device = _unused(by_area[area], used, chance)
    priority = _drawn(day["priorities"], chance)
    cancels = chance.randrange(300, 3600) if chance.random() < day["cancel_share"] else None
    appointment = chance.randrange(9000, 14400) // 60 * 60 if chance.random() < day["appointment_share"] else None
    troubles = {"nobody_there": day["nobody_there_share"], "lost": day["lost_share"]}
    late = chance.random() < day["late_answer_share"]
    return Call(
        number=number,
        at=at,
        serial=device.serial,
        model=device.model,
        site=device.site,
        area=area,
        priority=priority,
        cause=_drawn(day["causes"], chance),
        stopped=chance.random() < day["system_stopped"][priority],
        found_on=_drawn(day["found_on"], chance),
        lines=_lines(day, positions[device.model], chance),
        answers_s=chance.randrange(360, 1200) if late else chance.randrange(45, 280),
        consents_s=chance.randrange(300, 2700),
        agrees=chance.random() >= day["declined_share"],
        cancels_s=cancels,
        appointment_s=appointment if priority == "general" else None,
        fate=_fate(troubles, chance),
    )


def _fate(shares: Mapping[str, float], chance: Random) -> Fate:
    drawn = _drawn({**shares, "smooth": 1 - sum(shares.values())}, chance)
    return "lost" if drawn == "lost" else "nobody_there" if drawn == "nobody_there" else "smooth"


def _lines(day: Mapping[str, Any], fitted: Sequence[tuple[str, str]], chance: Random) -> tuple[AskedLine, ...]:
    """Different positions of one device; several pieces only of what sits in one position (a spare beside it)."""
    often = Counter(part for _, part in fitted)
    wanted = min(int(_drawn(day["lines"], chance)), len(fitted))
    found = []
    for position, part in chance.sample(list(fitted), wanted):
        pieces = int(_drawn(day["quantity"], chance))
        if pieces > 1 and often[part] == 1 and wanted == 1:
            found.append(AskedLine(part, pieces, None))
        else:
            found.append(AskedLine(part, 1, position))
    return tuple(found)


def _drawn(shares: Mapping[str, float], chance: Random) -> str:
    names = list(shares)
    return chance.choices(names, weights=[shares[name] for name in names])[0]


def _unused(devices: Sequence[tuple[Device, str]], used: set[str], chance: Random) -> Device:
    while True:
        device, _ = chance.choice(devices)
        if device.serial not in used:
            used.add(device.serial)
            return device


def _devices() -> dict[str, list[tuple[Device, str]]]:
    """Devices that stand as they were delivered, by the area of their site."""
    areas = {row["code"]: row["area"] for row in _rows("sites")}
    moved = {row["serial"] for row in _rows("device_events") if row["type"] in UNUSABLE}
    moved |= {row["new_serial"] for row in _rows("device_events") if row["new_serial"]}
    found: dict[str, list[tuple[Device, str]]] = {}
    for row in _rows("devices"):
        if row["serial"] not in moved:
            area = areas[row["site"]]
            found.setdefault(area, []).append((Device(row["serial"], row["model"], row["site"]), area))
    return found


def _positions() -> dict[str, list[tuple[str, str]]]:
    """Positions and part numbers of each model, without the device itself."""
    return {
        row["code"]: [
            (one["position"], one["part_number"]) for one in json.loads(row["positions"]) if one["position"] != "unit"
        ]
        for row in _rows("models")
    }


def _rows(kind: str) -> list[dict[str, str]]:
    with (FILES / f"{kind}.csv").open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))
