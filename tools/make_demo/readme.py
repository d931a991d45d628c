"""The text of demo/README.md; its table is made of demo/warranty_cases.csv, so the two cannot drift apart."""

from tools.make_demo.showcase import cases

TEXT = """# The demo network

An invented service company on a real map: headquarters in Shanghai, a warehouse with couriers and engineers in
Yinchuan, a branch with couriers in Xi'an, nine more branches, partners and suppliers who only report their stock.
Customers, contracts, sites and serials are invented; nobody named here exists.

The files are ordinary imports: the columns have the names of the API's fields, so they serve as examples for your own.
`python -m tools.make_demo` rewrites all of them byte for byte, except `warranty_cases.csv`, which is kept by hand.

| file | what it holds |
|---|---|
| `places.csv`, `areas.csv` | warehouses, branches, partners, suppliers, vans; service areas with their sources |
| `couriers.csv`, `lanes.csv` | couriers and engineers with shifts; carriers' lanes with cut-offs |
| `customers.csv`, `contracts.csv`, `sites.csv` | who, under which terms (an empty cell: the defaults), where |
| `parts.csv`, `models.csv`, `substitutions.csv` | parts; models with their positions; what may stand in for what |
| `devices.csv`, `device_events.csv` | 2,000 devices and what happened to them since 2015 |
| `receipts.csv` | stock, delivery by delivery, with cost, lots, serials and the bin it was put in |
| `purchases.csv` | what was ordered at which cost and is still to be received |
| `stock_levels.csv` | what some places are kept at, how long they take to refill, how fast they are asked for |
| `day.json` | the demand of the demo day: rush hours, priorities, causes, areas |
| `warranty_cases.csv` | one device per warranty case and the answer to expect (the table below) |

How cells are written: dates `YYYY-MM-DD`, instants with offset, `true`/`false`, an empty cell for "not given", simple
lists separated by `;`, objects and nested lists as JSON text. UTF-8 without BOM.

Load in the order of the table, `receipts.csv` last or right after `parts.csv`; a bin that it names is made. A place's
`area` makes it a source of that one area and brings the area's code; `sources` in `areas.csv` gives the name and the
neighbors that a place serves too.
Whole devices are parts as well (part number = model code): a model would bring that part by itself, but without its
weight and fitting time. In `device_events.csv`, `ref` names the row and
`event_ref` the row that a `corrected` event is about; rows are in the order in which things happened. After
`device_replaced` the new serial is the device.

## Stock to look at

| ask for | in Yinchuan | what it shows |
|---|---|---|
| `PSU-12V-5A` | several cost layers, also on the vans | a 2-hour promise; FIFO cost after warranty |
| `PSU-12V-3A` | none | its successor `PSU-12V-5A` is there: a free upgrade keeps the 2 hours |
| `MB-CAM-B`, `SNS-8MP`, `MTR-PAN`, `PSU-NVR-250` | one piece | the price of the last piece |
| `LENS-PTZ-25X` | none | an 8-hour promise from another city |
| `SNS-THERM-640`, `SUP-CORE-48` | none | only a supplier reports them |
| `SLIP-RING-12` | none | nobody has it: refused, with what is free where |
| `BAT-12V-9AH` | several lots | one lot expired on 2026-11-15, one does on 2026-12-03: earliest valid expiry first |
| `HDD-4T`, `SNS-2MP`, `PSU-12V-5A` | some refurbished, defective or not genuine | never given as a replacement |

## Warranty cases

Look a serial up with `GET /v1/devices/{serial}/warranty?on=…`. A dash: not stated.

| serial | ask on | device | last day | payer | part | what it shows | rules |
|---|---|---|---|---|---|---|---|
"""


def readme() -> str:
    """The whole file."""
    lines = []
    for case in cases():
        part = (
            f"`{case['position']}` {case['part_status']} {case['part_last_day']}".strip() if case["position"] else "–"
        )
        stated = [case[name] or "–" for name in ("status", "last_day", "payer")]
        lines.append(
            f"| {case['serial']} | {case['on']} | {' | '.join(stated)} | {part} | {case['words']} | {case['rules']} |"
        )
    return TEXT + "\n".join(lines) + "\n"
