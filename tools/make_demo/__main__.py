"""`python -m tools.make_demo`: writes demo/, checks it, prints what it holds. Exit code 1 if anything is wrong."""

import json
import sys
from collections import Counter
from pathlib import Path

from tools.make_demo import catalog, contracts, events, fleet, geography, history, showcase, stock
from tools.make_demo.basics import write_sheet
from tools.make_demo.checks import Sheets, faults
from tools.make_demo.readme import readme

DEMO = Path(__file__).parents[2] / "demo"
# In the order of loading: each sheet names only what an earlier one brought. Places bring the bare code of their area.
FIELDS: dict[str, tuple[str, ...]] = {
    "places": (
        "code",
        "name",
        "kind",
        "latitude",
        "longitude",
        "timezone",
        "area",
        "preparation_minutes",
        "opening_hours",
        "stock",
    ),
    "areas": ("code", "name", "sources"),
    "couriers": ("code", "name", "place", "shift", "capacity_g", "skills", "role"),
    "customers": ("code", "name", "engineer", "contact"),
    "contracts": ("number", "customer", "currency", "accepted_on", "terms"),
    "sites": ("code", "customer", "name", "latitude", "longitude", "timezone", "area", "address"),
    "parts": ("number", "name", "tracking", "fitting_minutes", "weight_g", "hazardous"),
    "models": ("code", "name", "positions"),
    "substitutions": ("from_part", "to_part", "kind", "model", "valid_from", "valid_to"),
    "lanes": ("carrier", "from_place", "to_area", "cutoffs", "transit_hours", "cost"),
    "devices": ("serial", "model", "site", "contract", "delivered_on", "accepted_on", "oem_last_day"),
    "device_events": events.FIELDS,
    "receipts": (
        "place",
        "reference",
        "part_number",
        "quantity",
        "unit_cost",
        "currency",
        "lot",
        "serials",
        "condition",
        "genuine",
        "expires_on",
        "received_at",
        "bin",
    ),
    "purchases": ("place", "reference", "part_number", "quantity", "unit_cost", "currency"),
    "stock_levels": (
        "place",
        "part_number",
        "base_stock",
        "lead_time_hours",
        "emergency_per_day",
        "severe_per_day",
        "general_per_day",
    ),
}


def network() -> Sheets:
    """All sheets of the demo, in the order of loading."""
    devices = history.devices()
    return {
        "places": geography.places(),
        "areas": geography.areas(),
        "couriers": fleet.couriers(),
        "customers": geography.customers(),
        "contracts": contracts.contracts(),
        "sites": geography.sites(),
        "parts": catalog.parts(),
        "models": catalog.models(),
        "substitutions": catalog.substitutions(),
        "lanes": fleet.lanes(),
        "devices": devices,
        "device_events": events.numbered([*showcase.history(), *history.events(devices)]),
        "receipts": stock.receipts(),
        "purchases": stock.purchases(),
        "stock_levels": stock.levels(),
    }


def main() -> int:
    """Writes, checks, sums up."""
    sheets, day = network(), fleet.day()
    for name, fields in FIELDS.items():
        rows = [{key: value for key, value in row.items() if key != "weight"} for row in sheets[name]]
        print(f"{name + '.csv':20}{write_sheet(DEMO / f'{name}.csv', fields, rows):6} rows")
    (DEMO / "day.json").write_text(json.dumps(day, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (DEMO / "README.md").write_text(readme(), encoding="utf-8")
    areas = {site["code"]: site["area"] for site in sheets["sites"]}
    for title, counted in (
        ("devices by area", Counter(areas[row["site"]] for row in sheets["devices"])),
        ("events by type", Counter(row["type"] for row in sheets["device_events"])),
        ("receipt lines by place", Counter(row["place"] for row in sheets["receipts"])),
    ):
        print(f"{title}: " + ", ".join(f"{name} {number}" for name, number in counted.most_common()))
    found = faults(sheets, day)
    print("\n".join(found) or f"all checks hold, {len(showcase.cases())} warranty cases as expected")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
