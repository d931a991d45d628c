"""What must hold in the demo: references, identities, dates, counts, and the answers of the warranty cases."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from tools.make_demo import showcase
from tools.make_demo.basics import LAST_EVENT_DAY, Row, as_json, kilometers
from tools.make_demo.catalog import positions_of, tracking
from tools.make_demo.cover import Cover, fold
from tools.make_demo.stock import NOWHERE, SUPPLIER_ONLY

Sheets = dict[str, list[Row]]


def faults(sheets: Sheets, day: dict[str, object]) -> list[str]:
    """Everything that is wrong, in words; empty when the demo is sound."""
    found: list[str] = []
    for check in (
        keys,
        references,
        geography,
        models_and_parts,
        device_dates,
        event_order,
        stock_lines,
        stock_stories,
        counts,
        answers,
    ):
        found += [f"{check.__name__}: {fault}" for fault in check(sheets)]
    return found + [f"day: {fault}" for fault in shares(day)]


def codes(sheets: Sheets, name: str, field: str = "code") -> set[str]:
    """The keys of a sheet."""
    return {row[field] for row in sheets[name]}


def twice(values: Iterable[str]) -> list[str]:
    """What occurs more than once."""
    return [value for value, times in Counter(values).items() if times > 1]


def keys(sheets: Sheets) -> Iterator[str]:
    """Keys are unique; a serial is in exactly one place."""
    for name, field in KEYS.items():
        yield from (f"{name} {key} twice" for key in twice(row[field] for row in sheets[name]))
    runs = (f"lane {row['carrier']} {row['from_place']} {row['to_area']}" for row in sheets["lanes"])
    yield from (f"{run} twice" for run in twice(runs))
    serials = [row["serial"] for row in sheets["devices"]]
    serials += [row["new_serial"] for row in sheets["device_events"] if row.get("new_serial")]
    serials += [row["part_serial"] for row in sheets["device_events"] if row.get("part_serial")]
    serials += [serial for row in sheets["receipts"] for serial in row.get("serials", ())]
    yield from (f"serial {serial} twice" for serial in twice(serials))


KEYS = {
    "areas": "code",
    "places": "code",
    "customers": "code",
    "contracts": "number",
    "sites": "code",
    "parts": "number",
    "models": "code",
    "couriers": "code",
    "devices": "serial",
    "device_events": "ref",
}
POINTS_TO = [
    ("places", "area", "areas"),
    ("customers", "engineer", "couriers"),
    ("contracts", "customer", "customers"),
    ("sites", "customer", "customers"),
    ("sites", "area", "areas"),
    ("couriers", "place", "places"),
    ("lanes", "from_place", "places"),
    ("lanes", "to_area", "areas"),
    ("devices", "model", "models"),
    ("devices", "site", "sites"),
    ("devices", "contract", "contracts"),
    ("device_events", "site", "sites"),
    ("device_events", "event_ref", "device_events"),
    ("receipts", "place", "places"),
    ("purchases", "place", "places"),
    ("purchases", "part_number", "parts"),
    ("stock_levels", "place", "places"),
    ("stock_levels", "part_number", "parts"),
]


def references(sheets: Sheets) -> Iterator[str]:
    """Whatever is named exists; a device's site and contract belong to one customer."""
    for name, field, target in POINTS_TO:
        known = codes(sheets, target, KEYS[target])
        missing = {row[field] for row in sheets[name] if row.get(field)} - known
        yield from (f"{name}.{field} {key} unknown" for key in sorted(missing))
    places = codes(sheets, "places")
    yield from (f"area {row['code']} source {s}" for row in sheets["areas"] for s in row["sources"] if s not in places)
    site_customer = {row["code"]: row["customer"] for row in sheets["sites"]}
    contract_customer = {row["number"]: row["customer"] for row in sheets["contracts"]}
    for row in sheets["devices"]:
        if site_customer[row["site"]] != contract_customer[row["contract"]]:
            yield f"{row['serial']}: site and contract of two customers"


def geography(sheets: Sheets) -> Iterator[str]:
    """Sites of Yinchuan and Xi'an lie 2 to 25 km around the warehouse; every place's area lists it."""
    sources = {row["code"]: row["sources"] for row in sheets["areas"]}
    points = {row["code"]: (row["latitude"], row["longitude"]) for row in sheets["places"]}
    for row in sheets["sites"]:
        if (home := {"YINCHUAN": "YC-WH", "XIAN": "XA-BR"}.get(row["area"])) is not None:
            km = kilometers(points[home], (row["latitude"], row["longitude"]))
            if not 1.5 <= km <= 25:
                yield f"{row['code']} is {km:.1f} km from {home}"
    for row in sheets["places"]:
        if row["area"] and row["code"] not in sources[row["area"]]:
            yield f"{row['code']} is no source of {row['area']}"
    reached = {(row["from_place"], row["to_area"]) for row in sheets["lanes"]}
    for row in sheets["places"]:
        if row["kind"] != "van":
            yield from (f"no lane {row['code']} to {area}" for area in sources if (row["code"], area) not in reached)


def models_and_parts(sheets: Sheets) -> Iterator[str]:
    """Positions and substitutions name known parts; supersession has no cycle."""
    known = codes(sheets, "parts", "number")
    for model in sheets["models"]:
        yield from (
            f"{model['code']}: part {p['part_number']}" for p in model["positions"] if p["part_number"] not in known
        )
    after: dict[str, list[str]] = {}
    for edge in sheets["substitutions"]:
        yield from (f"substitution of {edge[f]}" for f in ("from_part", "to_part") if edge[f] not in known)
        if edge["kind"] == "supersedes":
            after.setdefault(edge["from_part"], []).append(edge["to_part"])
    for start in after:
        seen, ahead = set(), [start]
        while ahead:
            here = ahead.pop()
            ahead += [part for part in after.get(here, []) if part not in seen]
            if start in after.get(here, []):
                yield f"supersession returns to {start}"
                break
            seen.add(here)


def device_dates(sheets: Sheets) -> Iterator[str]:
    """Delivered before accepted, and not after the last event day."""
    accepted = {row["number"]: row["accepted_on"] for row in sheets["contracts"]}
    for row in sheets["devices"]:
        delivered, own = as_day(row.get("delivered_on")), as_day(row.get("accepted_on"))
        anchor = own or as_day(accepted[row["contract"]])
        if delivered and (delivered > LAST_EVENT_DAY or (anchor and delivered > anchor)):
            yield f"{row['serial']} delivered {delivered}, accepted {anchor}"
        if anchor and anchor > LAST_EVENT_DAY:
            yield f"{row['serial']} accepted {anchor}"


def as_day(value: object) -> date | None:
    """A date, its text, or nothing."""
    return date.fromisoformat(str(value)) if value else None


def event_order(sheets: Sheets) -> Iterator[str]:
    """Each event is after delivery and before the end, at a serial that exists then, at a position of its model."""
    model = {row["serial"]: row["model"] for row in sheets["devices"]}
    delivered = {row["serial"]: as_day(row.get("delivered_on")) for row in sheets["devices"]}
    gone: set[str] = set()
    by_ref: dict[str, Row] = {}
    last = datetime.fromisoformat("2015-01-01T00:00:00+00:00")
    for row in sheets["device_events"]:
        serial, when = row["serial"], row["occurred_at"]
        first = delivered.get(serial)
        if serial not in model or serial in gone or first is None:
            yield f"{row['ref']}: no device {serial} then"
            continue
        if when < last or not first <= when.date() <= LAST_EVENT_DAY:
            yield f"{row['ref']}: {when} out of order"
        if row.get("position") and row["position"] not in positions_of(model[serial]):
            yield f"{row['ref']}: {model[serial]} has no {row['position']}"
        if row["type"] == "corrected" and by_ref.get(row["event_ref"], {}).get("serial") != serial:
            yield f"{row['ref']} corrects no earlier event of {serial}"
        if successor := row.get("new_serial"):
            gone.add(serial)
            model[successor], delivered[successor] = model[serial], when.date()
        by_ref[row["ref"]], last = row, when


def stock_lines(sheets: Sheets) -> Iterator[str]:
    """As many serials as pieces, a lot where lots are tracked, dates in order, nothing received in the future."""
    tracked, kinds = tracking(), {row["code"]: row["kind"] for row in sheets["places"]}
    for row in sheets["receipts"]:
        what, name = tracked.get(row["part_number"]), f"{row['reference']} {row['part_number']}"
        if what is None:
            yield f"{name}: unknown part"
        if len(row.get("serials", ())) != (row["quantity"] if what == "serial" else 0):
            yield f"{name}: serials and quantity differ"
        if bool(row.get("lot")) != (what == "lot"):
            yield f"{name}: lot and tracking differ"
        if (
            row["received_at"].date() > LAST_EVENT_DAY
            or (row.get("expires_on") or date.max) <= row["received_at"].date()
        ):
            yield f"{name}: dates"
        if row["quantity"] < 1 or float(row["unit_cost"]) <= 0:
            yield f"{name}: quantity or cost"
        if bool(row.get("bin")) != (kinds[row["place"]] in ("own", "branch")):
            yield f"{name}: warehouses have bins, and they alone"


def stock_stories(sheets: Sheets) -> Iterator[str]:
    """What README says about the stock is so: new and genuine pieces by place."""
    free: dict[str, Counter[str]] = {}
    for row in sheets["receipts"]:
        if row["condition"] == "new" and row["genuine"]:
            free.setdefault(row["part_number"], Counter())[row["place"]] += row["quantity"]
    nothing: Counter[str] = Counter()
    local = ("YC-WH", "YC-VAN-1", "YC-VAN-2", "YC-PT")
    for part in ("MB-CAM-B", "SNS-8MP", "MTR-PAN", "PSU-NVR-250"):
        if free[part]["YC-WH"] != 1:
            yield f"{part} is not down to one piece in Yinchuan"
    for part in ("PSU-12V-3A", "LENS-PTZ-25X", *SUPPLIER_ONLY, *NOWHERE):
        if any(free.get(part, nothing)[place] for place in local):
            yield f"{part} should be absent in Yinchuan"
    for part in SUPPLIER_ONLY:
        if not all(place.endswith("-SUP") for place in free[part]):
            yield f"{part} should be with suppliers only"
    yield from (f"{part} should be nowhere" for part in NOWHERE if part in free)
    layers = [row for row in sheets["receipts"] if (row["place"], row["part_number"]) == ("YC-WH", "PSU-12V-5A")]
    if len({row["unit_cost"] for row in layers if row["genuine"]}) < 2 or not free["PSU-12V-5A"]["YC-VAN-1"]:
        yield "PSU-12V-5A should lie in several cost layers in Yinchuan, and on a van"
    if not free["LENS-PTZ-25X"]["SH-HQ"]:
        yield "LENS-PTZ-25X should be at headquarters"


WANTED = {
    "places": (24, 30),
    "customers": (20, 20),
    "contracts": (24, 28),
    "sites": (60, 60),
    "parts": (40, 100),
    "models": (12, 20),
    "devices": (2000, 2000),
    "device_events": (250, 1200),
    "receipts": (350, 500),
}


def counts(sheets: Sheets) -> Iterator[str]:
    """The demo keeps its size."""
    for name, (least, most) in WANTED.items():
        if not least <= len(sheets[name]) <= most:
            yield f"{len(sheets[name])} {name}, wanted {least} to {most}"


def answers(sheets: Sheets) -> Iterator[str]:
    """Each warranty case gets the expected answer from the second opinion (cover.py)."""
    zones = {row["code"]: row["timezone"] for row in sheets["sites"]}
    for case in showcase.cases():
        on = date.fromisoformat(case["on"])
        given = fold(sheets["devices"], sheets["device_events"], zones, on).get(case["serial"])
        if given is None:
            yield f"{case['serial']} is no device"
            continue
        got = answer(given, on, case["position"])
        wanted = {field: case[field] for field in got if case[field]}
        if wanted != {field: got[field] for field in wanted}:
            yield f"{case['serial']} on {on}: wanted {as_json(wanted)}, got {as_json(got)}"


def answer(cover: Cover, on: date, position: str) -> dict[str, str]:
    """The answer in the columns of warranty_cases.csv."""
    return {
        "status": cover.status(on),
        "last_day": str(cover.end() or ""),
        "payer": cover.payer(on) or "",
        "part_status": cover.status(on, position) if position else "",
        "part_last_day": str(cover.end(position) or "") if position else "",
    }


def shares(day: dict[str, object]) -> Iterator[str]:
    """Weights of the demo day add up to 1."""
    for name in ("priorities", "causes", "found_on", "lines", "quantity", "areas"):
        weights = day[name]
        if not isinstance(weights, dict) or abs(sum(weights.values()) - 1) > 1e-9:
            yield f"{name} do not add up to 1"
