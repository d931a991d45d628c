"""receipts.csv: what lies where and in which bin, from which delivery, at which cost. Uneven on purpose. purchases.csv: what
is still to come. stock_levels.csv: what places are kept at."""

from datetime import date

from tools.make_demo.basics import Chance, Row, instant, last_day
from tools.make_demo.catalog import PARTS, UNITS, costs, tracking
from tools.make_demo.geography import PLACES

# Nobody has these: asking for them is refused (or served by a substitute).
NOWHERE = {"SLIP-RING-12", "PSU-12V-2A", "CAM-T640"}
# Only a supplier has these.
SUPPLIER_ONLY = {"SNS-THERM-640", "SUP-CORE-48"}
# Of our own places, only headquarters has these.
HQ_ONLY = {"MB-NVR-64", "MTR-TILT", "SW-CORE-48", "UPS-10K", "VW-55", "PANEL-55"}

WHOLE_UNITS_YINCHUAN = {
    "CAM-B200": 4,
    "CAM-B400": 3,
    "CAM-D400": 3,
    "SW-POE-8": 3,
    "FTX-20": 4,
    "AP-AX": 2,
    "NVR-16": 1,
}
VAN_PARTS = ("PSU-12V-5A", "PSU-5V-2A", "FAN-40", "CBL-CAT6-3M", "CBL-FIB-LC-3M", "ANT-AP-5D", "LENS-28", "SFP-1G-SM")
OUTSIDE = {
    "YC-PT": ("PSU-12V-5A", "PSU-24V-3A", "HDD-4T", "BAT-12V-9AH", "READER-IC"),
    "XA-PT": ("PSU-12V-5A", "HDD-8T", "BAT-12V-9AH", "LOCK-MAG-280", "AP-RADIO-AX"),
    "LZ-PT": ("PSU-12V-5A", "SNS-2MP", "HDD-4T", "SFP-1G-SM", "PSU-SW-370"),
    "BJ-PT": ("SNS-4MP", "MB-CAM-A", "HDD-8T", "PSU-CORE-600", "BRD-UPS-INV", "PANEL-55"),
    "HZ-SUP": ("SNS-THERM-640", "SNS-2MP", "SNS-4MP", "SNS-8MP", "LENS-PTZ-25X", "MB-CAM-B", "MTR-PAN", "CAM-B800"),
    "SZ-SUP": ("SUP-CORE-48", "BRD-SW-24", "PSU-CORE-600", "SFP-10G-LR", "AP-RADIO-AX", "BRD-SW-8", "SW-POE-24"),
    "DG-SUP": ("PSU-12V-5A", "PSU-12V-5A-B", "PSU-24V-3A", "BAT-12V-100AH", "BAT-12V-38AH", "BRD-UPS-INV"),
    "SU-SUP": ("HDD-4T", "HDD-8T", "HDD-16T", "RAID-CARD-8", "RAM-8G", "MB-NVR-16"),
}
# place, part, quantity, condition, genuine: never available for a replacement (S4)
UNFIT = [
    ("YC-WH", "HDD-4T", 2, "refurbished", True),
    ("YC-WH", "BRD-SW-8", 1, "refurbished", True),
    ("YC-WH", "SNS-2MP", 1, "defective", True),
    ("YC-WH", "PSU-12V-5A", 3, "new", False),
    ("YC-WH", "MB-NVR-64", 1, "refurbished", True),
    ("XA-BR", "CAM-B200", 1, "refurbished", True),
    ("XA-BR", "LENS-28", 2, "defective", True),
    ("SH-HQ", "MB-CAM-A", 4, "refurbished", True),
]
DELIVERIES = [
    date(2024, 4, 16),
    date(2024, 11, 5),
    date(2025, 3, 18),
    date(2025, 8, 27),
    date(2025, 12, 9),
    date(2026, 3, 24),
    date(2026, 6, 16),
    date(2026, 9, 8),
    date(2026, 10, 20),
    date(2026, 11, 17),
]
SHELF_MONTHS = {"BAT-12V-9AH": 18, "BAT-12V-38AH": 18, "BAT-12V-100AH": 24, "BAT-CR2032": 60, "DESIC-50G": 24}


SHELVED = {code for code, _, kind, *_ in PLACES if kind in ("own", "branch")}
# Each part has its bin, the same in every warehouse: racks of 24 bins, six bays of four levels, smaller parts first.
FIRST_BAY = 8
# place, reference, part, quantity: ordered and on its way.
TO_COME = [
    ("YC-WH", "PO-2026-1120", "PSU-12V-5A", 10),
    ("YC-WH", "PO-2026-1120", "PSU-12V-3A", 6),
    ("YC-WH", "PO-2026-1120", "HDD-4T", 4),
    ("YC-WH", "PO-2026-1120", "BAT-12V-9AH", 8),
    ("YC-WH", "PO-2026-1121", "CAM-B200", 2),
    ("YC-WH", "PO-2026-1121", "FAN-40", 20),
    ("XA-BR", "PO-2026-1118", "PSU-12V-5A", 6),
    ("XA-BR", "PO-2026-1118", "SNS-2MP", 3),
    ("SH-HQ", "PO-2026-1119", "HDD-8T", 10),
    ("SH-HQ", "PO-2026-1119", "MB-CAM-A", 12),
]


# place, what it is kept at, hours until it is refilled, pieces a day for an emergency, a severe, a general request
LEVELS = [
    ("XA-BR", 6, 72, (0.1, 0.4, 0.5)),
    ("XA-VAN-1", 3, 48, (0.1, 0.3, 0.3)),
    ("YC-VAN-1", 3, 48, (0.1, 0.3, 0.3)),
    ("YC-VAN-2", 3, 48, (0.1, 0.3, 0.3)),
    ("YC-WH", 12, 72, (0.2, 0.8, 1.0)),
]


def bin_of(part: str) -> str:
    """Rack, bay and level of a part: `A-03-2`."""
    at = FIRST_BAY + [*(row[0] for row in PARTS), *UNITS].index(part)
    return f"{chr(ord('A') + at // 24)}-{at % 24 // 4 + 1:02}-{at % 4 + 1}"


class Shelves:
    """Collects receipt lines; serials and lots are numbered as they come."""

    def __init__(self) -> None:
        self.chance = Chance("stock")
        self.rows: list[Row] = []
        self.costs, self.tracking = costs(), tracking()
        self.serials = 0

    def cost(self, part: str, day: date) -> str:
        """The landed cost of that delivery: the typical cost, a trend of -3 % a year for prices, and some noise."""
        cents = round(float(self.costs[part]) * 100)
        years = (date(2026, 1, 1) - day).days / 365
        permille = 1000 + round(30 * years) + self.chance.between(-45, 45)
        cents = max(1, cents * permille // 1000)
        return f"{cents // 100}.{cents % 100:02}"

    def receive(
        self, place: str, part: str, quantity: int, day: date, condition: str = "new", *, genuine: bool = True
    ) -> None:
        """One line of one delivery."""
        tracked = self.tracking[part]
        row: Row = {
            "place": place,
            "reference": f"RC-{place}-{day:%Y%m%d}",
            "part_number": part,
            "quantity": quantity,
            "unit_cost": self.cost(part, day),
            "currency": "CNY",
            "condition": condition,
            "genuine": genuine,
            "received_at": instant(day, "10:00"),
        }
        if place in SHELVED:
            row["bin"] = bin_of(part)
        if tracked == "serial":
            row["serials"] = [f"{part}-S{self.serials + n:05}" for n in range(1, quantity + 1)]
            self.serials += quantity
        elif tracked == "lot":
            row["lot"] = f"L{day:%y%m}-{self.chance.between(10, 99)}"
            if part in SHELF_MONTHS:
                row["expires_on"] = last_day(day, SHELF_MONTHS[part])
        self.rows.append(row)

    def layers(self, place: str, part: str, count: int, least: int, most: int) -> None:
        """The same part from several deliveries, each of `least` to `most` pieces: several cost layers."""
        first = 4 if part in SHELF_MONTHS else 0
        days = [self.chance.pick(DELIVERIES[first:]) for _ in range(count)]
        for day in sorted(set(days)):
            self.receive(place, part, self.chance.between(least, most), day)


def yinchuan(shelves: Shelves) -> None:
    """Rich but finite, uneven; some parts absent, some down to the last piece."""
    for number, _, tracked, *_, level in PARTS:
        serial = tracked == "serial"
        match level:
            case "rich":
                shelves.layers("YC-WH", number, 4, *((2, 4) if serial else (3, 9)))
            case "some":
                shelves.layers("YC-WH", number, 2, 1, 3)
            case "last":
                shelves.layers("YC-WH", number, 1, 1, 1)
    for unit, quantity in WHOLE_UNITS_YINCHUAN.items():
        shelves.layers("YC-WH", unit, 1, quantity, quantity)
    # One lot past its date and one about to pass it: earliest expiry first, but never an expired one (P2).
    shelves.receive("YC-WH", "BAT-12V-9AH", 6, date(2025, 5, 15))
    shelves.receive("YC-WH", "BAT-12V-9AH", 4, date(2025, 6, 3))


def headquarters(shelves: Shelves) -> None:
    """The central warehouse has nearly everything, in depth."""
    for number in [*(part[0] for part in PARTS), *UNITS]:
        if number in NOWHERE | SUPPLIER_ONLY:
            continue
        deep = number not in UNITS and float(shelves.costs[number]) < 300
        layers = 2 if deep or shelves.chance.unit() < 0.25 else 1
        shelves.layers("SH-HQ", number, layers, *((8, 30) if deep else (1, 5)))


def branches(shelves: Shelves) -> None:
    """Xi'an holds two thirds of the range, the others about ten parts each."""
    chance = shelves.chance
    common = [part[0] for part in PARTS if part[0] not in NOWHERE | SUPPLIER_ONLY | HQ_ONLY]
    for number in [*common, "CAM-B200", "CAM-D400", "SW-POE-8", "AP-AX", "FTX-20"]:
        if number == "PSU-12V-5A" or chance.unit() < 0.66:
            shelves.layers("XA-BR", number, 2 if chance.unit() < 0.4 else 1, 1, 5)
    for code, _, kind, *_ in PLACES:
        if kind == "branch" and code != "XA-BR":
            chosen = {chance.pick(common) for _ in range(11)}
            for number in sorted(chosen):
                shelves.layers(code, number, 1, 1, 4)


def vans_and_others(shelves: Shelves) -> None:
    """Engineers' vans carry small things; partners and suppliers report what they have."""
    for code, _, kind, *_ in PLACES:
        if kind == "van":
            for number in VAN_PARTS:
                if number == "PSU-12V-5A" or shelves.chance.unit() < 0.75:
                    shelves.layers(code, number, 1, 1, 3)
    for code, numbers in OUTSIDE.items():
        for number in numbers:
            dear = float(shelves.costs[number]) > 1000
            shelves.layers(code, number, 1, *((1, 3) if dear else (3, 12)))


def receipts() -> list[Row]:
    """receipts.csv, by place, delivery and part."""
    shelves = Shelves()
    yinchuan(shelves)
    headquarters(shelves)
    branches(shelves)
    vans_and_others(shelves)
    for place, part, quantity, condition, genuine in UNFIT:
        shelves.receive(place, part, quantity, date(2026, 6, 16), condition, genuine=genuine)
    return sorted(shelves.rows, key=lambda row: (row["place"], row["received_at"], row["part_number"]))


def purchases() -> list[Row]:
    """purchases.csv: at the typical cost."""
    typical = costs()
    return [
        {
            "place": place,
            "reference": reference,
            "part_number": part,
            "quantity": quantity,
            "unit_cost": typical[part],
            "currency": "CNY",
        }
        for place, reference, part, quantity in TO_COME
    ]


def levels() -> list[Row]:
    """stock_levels.csv: warehouses that are refilled in days, and vans whose pieces save the drive to them."""
    rows = []
    for place, base_stock, lead_time_hours, a_day in LEVELS:
        for part in VAN_PARTS:
            rows.append(
                {
                    "place": place,
                    "part_number": part,
                    "base_stock": base_stock,
                    "lead_time_hours": lead_time_hours,
                    "emergency_per_day": a_day[0],
                    "severe_per_day": a_day[1],
                    "general_per_day": a_day[2],
                }
            )
    return rows
