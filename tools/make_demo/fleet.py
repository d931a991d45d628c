"""Who carries parts: couriers and engineers with shifts, carriers' lanes with cut-offs, the demand of the demo day."""

from tools.make_demo.basics import Chance, Row, kilometers
from tools.make_demo.geography import AREAS, PLACES, WEEK

Shift = dict[str, list[list[str]]]


def shift(days: tuple[str, ...], first: str, last: str) -> Shift:
    """The same hours on each of the days."""
    return {day: [[first, last]] for day in days}


# code, name, place, shift, grams, skills, role. Nights: one from midnight, one until late, so no shift wraps a day.
COURIERS: list[tuple[str, str, str, Shift, int, list[str], str]] = [
    ("YC-C1", "银川配送1", "YC-WH", shift(WEEK, "08:00", "20:00"), 40000, ["hazardous"], "courier"),
    ("YC-C2", "银川配送2", "YC-WH", shift(WEEK, "08:00", "20:00"), 40000, [], "courier"),
    ("YC-C3", "银川配送3", "YC-WH", shift(WEEK[:6], "07:30", "17:30"), 25000, [], "courier"),
    ("YC-C4", "银川配送4", "YC-WH", shift(WEEK, "14:00", "23:30"), 40000, ["hazardous"], "courier"),
    ("YC-C5", "银川配送5（夜班）", "YC-WH", shift(WEEK, "00:00", "08:00"), 60000, ["hazardous"], "courier"),
    ("YC-E1", "银川工程师1", "YC-VAN-1", shift(WEEK, "08:00", "20:00"), 120000, ["camera", "height"], "engineer"),
    ("YC-E2", "银川工程师2", "YC-VAN-2", shift(WEEK, "08:30", "20:30"), 120000, ["network", "fiber"], "engineer"),
    ("YC-E3", "银川工程师3", "YC-WH", shift(WEEK, "12:00", "23:30"), 60000, ["power", "hazardous"], "engineer"),
    ("XA-C1", "西安配送1", "XA-BR", shift(WEEK, "08:00", "20:00"), 40000, ["hazardous"], "courier"),
    ("XA-C2", "西安配送2", "XA-BR", shift(WEEK[:6], "08:00", "18:00"), 25000, [], "courier"),
    ("XA-C3", "西安配送3", "XA-BR", shift(WEEK, "13:00", "23:30"), 40000, [], "courier"),
    ("XA-C4", "西安配送4（夜班）", "XA-BR", shift(WEEK, "00:00", "08:00"), 60000, ["hazardous"], "courier"),
    ("XA-E1", "西安工程师1", "XA-VAN-1", shift(WEEK, "08:00", "20:00"), 120000, ["camera", "height"], "engineer"),
    ("XA-E2", "西安工程师2", "XA-BR", shift(WEEK, "10:00", "22:00"), 60000, ["network", "power"], "engineer"),
]

# Representative point of each area, for transit times.
CENTERS = {
    "SHIZUISHAN": (38.9842, 106.3676),
    "WUZHONG": (37.9976, 106.1993),
    **{place[5]: (place[3], place[4]) for place in reversed(PLACES) if place[5]},
}


def couriers() -> list[Row]:
    """couriers.csv"""
    fields = ("code", "name", "place", "shift", "capacity_g", "skills", "role")
    return [dict(zip(fields, courier, strict=True)) for courier in COURIERS]


def lane(carrier: str, place: str, area: str, km: float, cutoffs: list[str]) -> Row:
    """One lane; SF flies beyond 800 km, JD drives, EMS is slow and cheap. Cost is the price of a small parcel."""
    hours = {"SF": 8 + km / 70 if km < 800 else 16 + km / 240, "JD": 10 + km / 55, "EMS": 20 + km / 40}[carrier]
    if km < 60:
        hours = {"SF": 3, "JD": 4, "EMS": 8}[carrier]
    cost = {"SF": 18 + km / 90, "JD": 14 + km / 110, "EMS": 10 + km / 160}[carrier]
    return {
        "carrier": carrier,
        "from_place": place,
        "to_area": area,
        "cutoffs": cutoffs,
        "transit_hours": min(round(hours), 96),
        "cost": f"{cost:.2f}",
    }


def lanes() -> list[Row]:
    """lanes.csv: every fixed place reaches every area with SF; own places also with a second carrier."""
    chance = Chance("lanes")
    evening = (["12:00", "18:00"], ["11:30", "17:30"], ["18:00"], ["13:00", "19:00"], ["12:30", "16:30", "20:00"])
    rows: list[Row] = []
    for code, _, kind, latitude, longitude, _, _, _ in PLACES:
        if kind == "van":
            continue
        ours = kind in ("own", "branch")
        cutoffs = ["10:30", "14:30", "18:30", "21:00"] if kind == "own" else chance.pick(evening)
        for area, _, _ in AREAS:
            km = kilometers((latitude, longitude), CENTERS[area])
            rows.append(lane("SF", code, area, km, cutoffs))
            if ours and km >= 60 and chance.unit() < 0.6:
                rows.append(lane(chance.pick(("JD", "EMS")), code, area, km, ["11:00", "17:00"]))
    return rows


def day() -> dict[str, object]:
    """day.json: the demand mix of the demo day; shares add up to 1."""
    return {
        "date": "2026-11-24",
        "timezone": "Asia/Shanghai",
        "from": "08:30",
        "to": "17:30",
        "requests": 120,
        "rush_hours": [
            {"from": "08:30", "to": "10:00", "share": 0.25},
            {"from": "13:30", "to": "15:00", "share": 0.25},
        ],
        "priorities": {"emergency": 0.1, "severe": 0.3, "general": 0.6},
        "causes": {
            "defect": 0.46,
            "wear": 0.16,
            "material": 0.08,
            "installation": 0.06,
            "software": 0.05,
            "commissioning": 0.04,
            "customer": 0.06,
            "force_majeure": 0.03,
            "undetermined": 0.06,
        },
        "system_stopped": {"emergency": 1.0, "severe": 0.6, "general": 0.1},
        "found_on": {"use": 0.97, "opening": 0.03},
        "lines": {"1": 0.85, "2": 0.12, "3": 0.03},
        "quantity": {"1": 0.92, "2": 0.06, "4": 0.02},
        "areas": {"YINCHUAN": 0.64, "XIAN": 0.32, "LANZHOU": 0.02, "SHANGHAI": 0.02},
        "shift": ["08:00", "20:00"],
        "on_shift": [
            "YC-C1",
            "YC-C2",
            "YC-C3",
            "YC-C4",
            "YC-E1",
            "YC-E2",
            "YC-E3",
            "XA-C1",
            "XA-C2",
            "XA-C3",
            "XA-E1",
            "XA-E2",
        ],
        "cancel_share": 0.04,
        "appointment_share": 0.05,
        "declined_share": 0.1,
        "nobody_there_share": 0.02,
        "lost_share": 0.01,
        "late_answer_share": 0.06,
    }
