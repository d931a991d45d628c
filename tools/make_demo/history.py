"""The other devices, some 1,950 of them, and what happened to them since 2015; all drawn, always the same."""

from datetime import date, datetime, timedelta

from tools.make_demo import showcase
from tools.make_demo.basics import LAST_EVENT_DAY, Chance, Row, instant, last_day
from tools.make_demo.catalog import positions_of, tracking
from tools.make_demo.contracts import CONTRACTS, acceptance, terms_of
from tools.make_demo.events import confirmed, event, replaced, swapped
from tools.make_demo.geography import sites

DEVICES = 2000
CITY = {
    "YINCHUAN": "YC",
    "SHIZUISHAN": "SZ",
    "WUZHONG": "WZ",
    "XIAN": "XA",
    "LANZHOU": "LZ",
    "XINING": "XN",
    "SHANGHAI": "SH",
    "URUMQI": "UR",
    "BEIJING": "BJ",
}
MIX = {
    "CAM-B200": 24,
    "CAM-B400": 14,
    "CAM-B800": 5,
    "CAM-D400": 18,
    "CAM-P225": 7,
    "CAM-T640": 0.5,
    "NVR-16": 4,
    "NVR-64": 1.2,
    "SW-POE-8": 6,
    "SW-POE-24": 4,
    "SW-CORE-48": 0.6,
    "FTX-20": 5,
    "AP-AX": 8,
    "UPS-3K": 2,
    "UPS-10K": 0.6,
    "ACS-4D": 2.5,
    "VW-55": 1,
}
CAUSES = {
    "defect": 50,
    "wear": 16,
    "material": 8,
    "installation": 6,
    "software": 5,
    "commissioning": 4,
    "customer": 5,
    "force_majeure": 3,
    "undetermined": 5,
}
REASONS = ("检验报告更正 test report corrected", "原厂分析结果 maker's analysis", "现场照片复核 photos reviewed")


def devices() -> list[Row]:
    """devices.csv: the showcase and the drawn ones, by serial."""
    chance = Chance("devices")
    shown = showcase.devices()
    places = {site["code"]: site for site in sites()}
    weights = {site["code"]: float(site["weight"]) for site in places.values()}
    contracts: dict[str, list[str]] = {}
    for number, customer, _, _ in CONTRACTS:
        contracts.setdefault(customer, []).append(number)
    number_of: dict[str, int] = {}
    taken = {row["serial"] for row in showcase.cases()}
    rows = list(shown)
    while len(rows) < DEVICES:
        site = places[chance.weighted(weights)]
        model = chance.weighted(MIX)
        prefix = f"{model.split('-')[0]}-{CITY[site['area']]}"
        number_of[prefix] = number_of.get(prefix, 100) + 1
        serial = f"{prefix}-{number_of[prefix]:04}"
        contract = chance.pick(contracts[site["customer"]])
        dates = dated(chance, contract)
        if serial not in taken:
            rows.append({"serial": serial, "model": model, "site": site["code"], "contract": contract, **dates})
    return sorted(rows, key=lambda row: str(row["serial"]))


def dated(chance: Chance, contract: str) -> Row:
    """Delivery, an acceptance of its own for later phases (6 %), and the OEM's own end (8 %)."""
    accepted = acceptance()[contract]
    if accepted is None:
        delivered = None if chance.unit() < 0.08 else chance.day(date(2026, 9, 1), date(2026, 11, 18))
        return {"delivered_on": delivered}
    delivered = accepted - timedelta(days=chance.between(15, 60))
    row: Row = {"delivered_on": delivered}
    if chance.unit() < 0.06:
        delivered = accepted + timedelta(days=chance.between(40, 500))
        own = delivered + timedelta(days=chance.between(5, 30))
        if own <= LAST_EVENT_DAY:
            row = {"delivered_on": delivered, "accepted_on": own}
    if chance.unit() < 0.08:
        shipped = row["delivered_on"] - timedelta(days=chance.between(10, 90))
        row["oem_last_day"] = last_day(shipped, int(str(terms_of(contract)["oem_months"])))
    return row


class Story:
    """Draws the events of the devices, one device after the other."""

    def __init__(self) -> None:
        self.chance = Chance("history")
        self.zones = {site["code"]: site["timezone"] for site in sites()}
        self.neighbors: dict[str, list[str]] = {}
        for site in sites():
            self.neighbors.setdefault(site["customer"], []).append(site["code"])
        self.tracking = tracking()
        self.spare = 0
        self.successor: dict[str, int] = {}

    def part_serial(self, part: str) -> str:
        """The serial of a part put in, where the part has one."""
        if self.tracking[part] != "serial":
            return ""
        self.spare += 1
        return f"{part}-H{self.spare:05}"

    def next_serial(self, serial: str) -> str:
        """A successor's serial: the same prefix, from 5001 on."""
        prefix = serial.rsplit("-", 1)[0]
        self.successor[prefix] = self.successor.get(prefix, 5000) + 1
        return f"{prefix}-{self.successor[prefix]:04}"

    def moment(self, device: Row, first: date, last: date) -> datetime:
        """A working moment at the site, not after the last event day."""
        clock = f"{self.chance.between(8, 18):02}:{self.chance.between(0, 59):02}"
        return instant(self.chance.day(first, min(last, LAST_EVENT_DAY)), clock, self.zones[device["site"]])

    def built_in(self, device: Row) -> list[Row]:
        """component_installed for the serial-tracked positions, in the days after delivery."""
        last = min(device["delivered_on"] + timedelta(days=10), LAST_EVENT_DAY)
        when = self.moment(device, device["delivered_on"], last)
        rows = []
        for position, (part, _) in positions_of(device["model"]).items():
            if position != "unit" and self.tracking[part] == "serial":
                new = self.part_serial(part)
                payload = {"position": position, "part_number": part, "part_serial": new}
                rows.append(event(device["serial"], "component_installed", when, **payload))
        return rows

    def job(self, device: Row, when: datetime, position: str, part: str) -> list[Row]:
        """A replacement, its confirmation (5 % never come), and for half of the undetermined the settled cause."""
        cause, stopped = self.chance.weighted(CAUSES), self.chance.unit() < 0.6
        serial = device["serial"]
        if position == "unit":
            successor = self.next_serial(serial)
            rows = [swapped(serial, when, successor, cause, stopped=stopped)]
        else:
            successor = serial
            rows = [replaced(serial, when, position, part, cause, stopped=stopped, new=self.part_serial(part))]
        if self.chance.unit() < 0.95:
            later = timedelta(minutes=self.chance.between(25, 180), days=1 if self.chance.unit() < 0.1 else 0)
            rows.append(confirmed(successor, when + later, position))
        if cause == "undetermined" and position != "unit" and when.date() < date(2026, 10, 20):
            settled = self.chance.weighted({"defect": 5, "customer": 3, "wear": 2})
            days = timedelta(days=self.chance.between(4, 27))
            correction = {"corrects": rows[0], "cause": settled, "reason": self.chance.pick(REASONS)}
            rows.append(event(serial, "corrected", when + days, **correction))
        return rows

    def repairs(self, device: Row) -> list[Row]:
        """One job, and in one of seven a second one at the same position."""
        positions = positions_of(device["model"])
        listed = [position for position in positions if position != "unit"]
        position = "unit" if self.chance.unit() < 0.12 else self.chance.pick(listed)
        part = positions[position][0]
        first = device["delivered_on"] + timedelta(days=20)
        when = self.moment(device, first, date(2026, 11, 18))
        rows = self.job(device, when, position, part)
        second = when + timedelta(days=self.chance.between(35, 420), minutes=self.chance.between(-60, 60))
        if position != "unit" and self.chance.unit() < 0.14 and second.date() < date(2026, 11, 18):
            rows += self.job(device, second, position, part)
        return rows

    def paper(self, device: Row) -> list[Row]:
        """Extended, voided or moved to another site of the same customer."""
        when = self.moment(device, device["delivered_on"] + timedelta(days=90), date(2026, 11, 18))
        serial = device["serial"]
        others = [
            site
            for site in self.neighbors[device["site"].rsplit("-", 1)[0]]
            if site != device["site"] and self.zones[site] == self.zones[device["site"]]
        ]
        match self.chance.weighted({"extended": 4, "voided": 2, "transferred": 4}):
            case "transferred" if others:
                return [event(serial, "transferred", when, site=self.chance.pick(others))]
            case "voided":
                reason = self.chance.pick(("私自拆机 opened by others", "雷击后未报 lightning not reported"))
                return [event(serial, "voided", when, reason=reason, **{"from": when.date()})]
            case _:
                months = self.chance.pick((3, 6, 12))
                return [event(serial, "extended", when, months=months, reason="延保赠送 goodwill extension")]


def events(rows: list[Row]) -> list[Row]:
    """What happened to the drawn devices; the older, the likelier."""
    shown = {case["serial"] for case in showcase.cases()}
    story = Story()
    found: list[Row] = []
    for device in rows:
        delivered = device.get("delivered_on")
        if device["serial"] in shown or not delivered or delivered > date(2026, 7, 31):
            continue
        years = (LAST_EVENT_DAY - delivered).days / 365
        draw = story.chance.unit()
        if device["model"] in ("NVR-16", "NVR-64", "SW-CORE-48", "CAM-P225") and story.chance.unit() < 0.12:
            found += story.built_in(device)
        if draw < min(0.24, 0.03 * years):
            found += story.repairs(device)
        elif draw > 0.99:
            found += story.paper(device)
    return found
