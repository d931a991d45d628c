"""What the tags of an OpenStreetMap way mean for a car: may it drive there, in which direction, how fast. No files."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.routing.travel.hours import LOCAL, MAIN, MOTORWAY, TOWN

REAL_SHARE = 0.8
"""What is driven of the signed speed, junctions and all, since turns cost nothing here: measured, docs/travel-times.md."""
MPH = 1.609344

CLASSES: Mapping[str, tuple[float, int]] = {
    "motorway": (115, MOTORWAY), "motorway_link": (60, MOTORWAY),
    "trunk": (100, MAIN), "trunk_link": (50, MAIN), "primary": (80, MAIN), "primary_link": (45, MAIN),
    "secondary": (65, TOWN), "secondary_link": (40, TOWN), "tertiary": (50, TOWN), "tertiary_link": (35, TOWN),
    "unclassified": (35, LOCAL), "residential": (30, LOCAL), "living_street": (12, LOCAL), "service": (18, LOCAL),
    "road": (30, LOCAL),
}  # fmt: skip
"""Classes of road a car uses: the speed in km/h that is usual where no sign says another, and the class for the hours."""

YARD_KMH = 10.0
"""On ground of others and on driveways: slow enough that nobody takes a short cut, and yet a site there is reached."""
YARDS = frozenset({"parking_aisle", "driveway", "alley", "drive-through", "emergency_access"})
CLOSED = frozenset({"no", "agricultural", "forestry", "emergency", "psv", "bus", "military"})
RESTRICTED = frozenset({"private", "customers", "delivery", "destination", "permit"})
OPEN = frozenset({"yes", "permissive", "designated", "public"})
ACCESS_KEYS = ("motorcar", "motor_vehicle", "vehicle", "access")
ROUGH: Mapping[str, float] = {
    "unpaved": 40, "compacted": 60, "fine_gravel": 50, "gravel": 35, "pebblestone": 30, "cobblestone": 30,
    "sett": 35, "dirt": 25, "earth": 25, "ground": 25, "grass": 15, "sand": 15, "mud": 10,
}  # fmt: skip
WORDS: Mapping[str, float] = {"walk": 8, "none": 130}
BARRIERS = frozenset({"bollard", "block", "jersey_barrier", "log", "debris", "chain", "cycle_barrier", "planter"})
FORWARD, BACKWARD, BOTH = (True, False), (False, True), (True, True)


@dataclass(frozen=True, slots=True)
class Road:
    """A way that a car may use: real speed along it and against it, where allowed (0 where not), and its class."""

    along_kmh: float
    against_kmh: float
    group: int


def road_of(tags: Mapping[str, str]) -> Road | None:
    """A way's tags as a road for a car; None where no car may go."""
    known = CLASSES.get(tags.get("highway", ""))
    if known is None or tags.get("area") == "yes" or tags.get("impassable") == "yes":
        return None
    access = next((tags[key] for key in ACCESS_KEYS if key in tags), "yes")
    if access in CLOSED:
        return None
    along, against = directions(tags)
    speeds = [
        _speed(tags, known[0], side, slow=access in RESTRICTED) if allowed else 0.0
        for allowed, side in ((along, "forward"), (against, "backward"))
    ]
    return Road(speeds[0], speeds[1], known[1])


def _speed(tags: Mapping[str, str], usual: float, side: str, *, slow: bool) -> float:
    """Real km/h in one direction: the sign, else the usual speed; less on rough ground, little in yards."""
    signed = next(
        (kmh for key in (f"maxspeed:{side}", "maxspeed") if (kmh := kmh_of(tags.get(key, ""))) is not None), usual
    )
    speed = signed * REAL_SHARE
    speed = min(speed, ROUGH.get(tags.get("surface", ""), speed))
    if slow or tags.get("service") in YARDS:
        speed = min(speed, YARD_KMH)
    return max(speed, 3.0)


def directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether a car may drive along the way's nodes, and against them."""
    oneway = tags.get("oneway:motor_vehicle", tags.get("oneway", ""))
    if oneway in ("-1", "reverse"):
        return BACKWARD
    if oneway in ("yes", "true", "1"):
        return FORWARD
    if oneway in ("no", "false", "0"):
        return BOTH
    round_about = tags.get("junction") in ("roundabout", "circular")
    return FORWARD if round_about or tags.get("highway") in ("motorway", "motorway_link") else BOTH


def kmh_of(sign: str) -> float | None:
    """A `maxspeed` in km/h: `50`, `30 mph`, `none`, `walk`; None for what is no number (`CH:urban`), or not one > 0."""
    sign = sign.strip().lower()
    if sign in WORDS:
        return WORDS[sign]
    number, _, unit = sign.partition(" ")
    if sign.endswith("mph"):
        number, unit = sign.removesuffix("mph").strip(), "mph"
    if unit not in ("", "mph", "km/h", "kmh") or not number.isdecimal() or not 0 < int(number) <= 200:
        return None
    return int(number) * (MPH if unit == "mph" else 1.0)


def blocks(tags: Mapping[str, str]) -> bool:
    """Whether a node's tags stop every car: a bollard, a closed gate."""
    access = next((tags[key] for key in ACCESS_KEYS if key in tags), None)
    if access in OPEN:
        return False
    return tags.get("barrier") in BARRIERS or (
        "barrier" in tags and (access in CLOSED or access == "private" or tags.get("locked") == "yes")
    )
