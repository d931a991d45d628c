"""The devices of demo/warranty_cases.csv, one per warranty case, and the history that each case needs.

The table is kept by hand (device, day to ask about, expected answer); this module adds only what happened to them.
"""

import csv
from pathlib import Path

from tools.make_demo.basics import Row
from tools.make_demo.events import confirmed, event, replaced, swapped

TABLE = Path(__file__).parents[2] / "demo" / "warranty_cases.csv"
PSU, SENSOR = "PSU-12V-5A", "SNS-2MP"


def cases() -> list[dict[str, str]]:
    """The table's rows; empty text means: not given, or not stated."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def devices() -> list[Row]:
    """devices.csv rows of the cases; a successor comes into being by its predecessor's event."""
    fields = ("serial", "model", "site", "contract", "delivered_on", "accepted_on", "oem_last_day")
    return [{name: case[name] or None for name in fields} for case in cases() if not case["successor_of"]]


def fix(serial: str, day: str, position: str, part: str, cause: str, *, stopped: bool = True) -> list[Row]:
    """Replaced at 09:30 and confirmed at 10:15 of the same day, Beijing time."""
    return [
        replaced(serial, f"{day} 09:30", position, part, cause, stopped=stopped),
        confirmed(serial, f"{day} 10:15", position),
    ]


def of_2015() -> list[Row]:
    """W3-W7 at devices accepted 2015-07-31: what restarts a part and what does not."""
    return [
        *fix("CAM-YC-0001", "2017-05-10", "psu", PSU, "defect"),
        *fix("CAM-YC-0004", "2017-05-10", "psu", PSU, "defect"),
        *fix("CAM-YC-0004", "2019-11-20", "psu", PSU, "material"),
        *fix("CAM-YC-0005", "2019-03-15", "sensor", SENSOR, "defect"),
        *fix("CAM-YC-0006", "2017-06-08", "sensor", SENSOR, "defect", stopped=False),
        *fix("CAM-YC-0007", "2017-06-08", "lens", "LENS-VF-2812", "defect"),
        *fix("CAM-YC-0008", "2017-06-08", "psu", PSU, "defect")[:1],
        *fix("CAM-YC-0009", "2017-07-21", "mainboard", "MB-CAM-A", "force_majeure"),
        *fix("CAM-YC-0010", "2017-03-02", "psu", PSU, "customer"),
        # 17:00Z is already the next day at the site (W3).
        replaced("CAM-YC-0011", "2017-05-10T16:10:00+00:00", "psu", PSU, "defect"),
        confirmed("CAM-YC-0011", "2017-05-10T17:00:00+00:00", "psu"),
    ]


def later_facts() -> list[Row]:
    """W4, W10: acceptance by event, causes settled later, corrections."""
    undetermined = fix("CAM-YC-0034", "2025-02-11", "sensor", SENSOR, "undetermined")
    accepted = event("CAM-YC-0035", "accepted", "2026-08-28 16:00", on="2026-08-20")
    opened, typed = "实验室判定客户自行开盖进水 opened by the customer", "验收单日期登记有误 wrong date typed"
    return [
        *undetermined,
        event(
            "CAM-YC-0034", "corrected", "2025-02-26 14:00", corrects=undetermined[0], cause="customer", reason=opened
        ),
        *fix("CAM-YC-0036", "2026-11-05", "psu", PSU, "undetermined"),
        accepted,
        event("CAM-YC-0035", "corrected", "2026-09-04 11:00", corrects=accepted, on="2026-08-28", reason=typed),
        event("CAM-YC-0015", "accepted", "2026-09-30 17:00", on="2026-09-30"),
    ]


def whole_devices() -> list[Row]:
    """W13, extension, void, transfer, and terms that change a restart."""
    since = {"from": "2026-05-01"}
    return [
        swapped("CAM-YC-0026", "2025-08-06 10:00", "CAM-YC-0027", "defect"),
        confirmed("CAM-YC-0027", "2025-08-06 10:40", "unit"),
        swapped("CAM-YC-0028", "2025-10-14 15:00", "CAM-YC-0029", "customer"),
        confirmed("CAM-YC-0029", "2025-10-14 15:30", "unit"),
        *fix("CAM-YC-0038", "2026-07-02", "psu", PSU, "defect"),
        *fix("CAM-YC-0038", "2026-08-19", "psu", PSU, "defect"),
        event("CAM-YC-0018", "extended", "2024-01-10 09:00", months=6, reason="补偿 goodwill"),
        event("CAM-YC-0031", "voided", "2026-05-06 09:00", reason="设备被改装 modified by a third party", **since),
        event("CAM-YC-0032", "voided", "2026-05-06 09:20", position="lens", reason="非原厂镜头 foreign lens", **since),
        event("CAM-YC-0033", "transferred", "2026-03-18 10:00", site="YC-DATA-02"),
        event("CAM-UR-0003", "transferred", "2026-05-06 12:00", site="UR-AIRPORT-02"),
        *fix("CAM-YC-0030", "2026-02-10", "sensor", SENSOR, "defect"),
        *fix("CAM-YC-0039", "2026-01-20", "psu", PSU, "wear", stopped=False),
        *fix("CAM-XA-0001", "2024-02-02", "psu", PSU, "defect"),
    ]


def history() -> list[Row]:
    """Everything that happened to the devices of the table."""
    return [*of_2015(), *later_facts(), *whole_devices()]
