"""Instances of vehicle routing as plain values, read from files whose format is known by their content.

Standard library alone: the yardsticks read the same values in an environment of their own.
"""

import hashlib
import math
import re
from dataclasses import dataclass

FREE = math.inf
PLANE = {"EUC_2D": lambda way: math.floor(way + 0.5), "CEIL_2D": math.ceil, "FLOOR_2D": math.floor, "EXACT_2D": float}


@dataclass(frozen=True, slots=True)
class Van:
    """One vehicle: depot (index of a place), capacity, longest duration of its route."""

    depot: int
    capacity: int
    duration: float = FREE


@dataclass(frozen=True, slots=True)
class Instance:
    """Customers first, depots after them, in the file's own units; `numbers` are the file's own numbers of the places.

    `distance` is cost and time. `decimals` of it count: what is cut to one decimal is whole tenths.
    """

    name: str
    family: str
    numbers: tuple[int, ...]
    demand: tuple[int, ...]
    service: tuple[float, ...]
    window: tuple[tuple[float, float], ...]
    distance: tuple[tuple[float, ...], ...]
    vans: tuple[Van, ...]
    scale: int
    digest: str

    @property
    def customers(self) -> int:
        return len(self.demand)


class UnknownFormat(ValueError):
    """The text is none of the formats we read."""


def read(text: str, name: str) -> Instance:
    """The instance in a text; raises UnknownFormat or ValueError."""
    text = text.removeprefix("\ufeff")
    if "EDGE_WEIGHT_TYPE" in text:
        return _vrplib(text, name, _digest(text))
    rows = [found for line in text.splitlines() if (found := _numbers(line))]
    if re.search(r"^\s*VEHICLE\s*$", text, re.M) and "CUST" in text:
        return _solomon(rows, name, _digest(text))
    if rows and len(rows[0]) == 4 and rows[0][0] == 6:
        return _cordeau(rows, name, text)
    raise UnknownFormat(f"{name} is neither Cordeau's MDVRPTW, nor Solomon's VRPTW, nor VRPLIB")


def _digest(text: str) -> str:
    """What a file is known by, whatever it is called: its numbers."""
    return hashlib.sha256(" ".join(re.findall(r"-?\d+(?:\.\d+)?", text)).encode()).hexdigest()[:16]


def _numbers(line: str) -> list[float]:
    """The numbers of a line that holds nothing else."""
    words = line.split()
    try:
        return [float(word) for word in words]
    except ValueError:
        return []


def _cordeau(rows: list[list[float]], name: str, text: str) -> Instance:
    """Line 1 `6 m n t`; t lines of longest duration and capacity; customers; depots.

    m is the vans of all depots together, or of each depot where it could not be that: both are about.
    """
    _, fleet, count, depots = (int(each) for each in rows[0])
    limits, places = rows[1 : 1 + depots], rows[1 + depots : 1 + depots + count + depots]
    if len(places) != count + depots:
        raise ValueError(f"{name}: {len(places)} places instead of {count + depots}")
    points = [(row[1], row[2]) for row in places]
    room = sum(fleet // depots * int(row[1]) for row in limits)
    if fleet % depots or room < sum(int(row[4]) for row in places[:count]):
        text = re.sub(r"^(\s*6\s+)\d+", rf"\g<1>{fleet * depots}", text)
        fleet *= depots
    vans = tuple(
        Van(count + depot, int(limits[depot][1]), limits[depot][0] or FREE)
        for depot in range(depots)
        for _ in range(fleet // depots)
    )
    return Instance(
        name=name,
        family="MDVRPTW",
        numbers=tuple(int(row[0]) for row in places),
        demand=tuple(int(row[4]) for row in places[:count]),
        service=tuple(row[3] for row in places[:count]),
        window=tuple((row[-2], row[-1]) for row in places),
        distance=tuple(tuple(math.dist(here, there) for there in points) for here in points),
        vans=vans,
        scale=10_000,
        digest=_digest(text),
    )


def _solomon(rows: list[list[float]], name: str, digest: str) -> Instance:
    """Number and capacity of vans; then depot 0 and customers: number, x, y, demand, ready, due, service.

    Distances are cut to one decimal, as the best known values of the exact methods have it.
    """
    fleet, capacity = (int(each) for each in rows[0])
    depot, *customers = rows[1:]
    places = [*customers, depot]
    points = [(row[1], row[2]) for row in places]
    return Instance(
        name=name,
        family="Solomon",
        numbers=tuple(int(row[0]) for row in places),
        demand=tuple(int(row[3]) for row in customers),
        service=tuple(row[6] for row in customers),
        window=tuple((row[4], row[5]) for row in places),
        distance=tuple(tuple(math.floor(10 * math.dist(a, b) + 1e-9) / 10 for b in points) for a in points),
        vans=(Van(len(customers), capacity),) * fleet,
        scale=10,
        digest=digest,
    )


def _vrplib(text: str, name: str, digest: str) -> Instance:
    """Keywords and sections; edge weights explicit, or rounded Euclidean."""
    words, sections = _sections(text)
    size = int(words["DIMENSION"])
    matrix = _weights(words, sections, size)
    demand = _column(sections.get("DEMAND_SECTION"), size, 0.0)
    service = _column(sections.get("SERVICE_TIME_SECTION"), size, float(words.get("SERVICE_TIME", 0)))
    horizon = 2 * sum(max(row) for row in matrix) + sum(service)
    window = {int(row[0]): (row[1], row[2]) for row in sections.get("TIME_WINDOW_SECTION", [])}
    depots = [int(row[0]) for row in sections.get("DEPOT_SECTION", [[1.0]]) if row[0] > 0]
    ids = [number for number in range(1, size + 1) if number not in depots] + depots
    count = size - len(depots)
    fleet = int(words.get("VEHICLES", words.get("TRUCKS", count)))
    capacity = int(float(words.get("CAPACITY", sum(demand))))
    whole = all(float(each).is_integer() for row in matrix for each in row)
    vans = [Van(count + depot, capacity, float(words.get("DISTANCE", FREE))) for depot in range(len(depots))]
    return Instance(
        name=words.get("NAME", name),
        family="VRPLIB",
        numbers=tuple(ids),
        demand=tuple(int(demand[number - 1]) for number in ids[:count]),
        service=tuple(service[number - 1] for number in ids[:count]),
        window=tuple(window.get(number, (0.0, horizon)) for number in ids),
        distance=tuple(tuple(matrix[here - 1][there - 1] for there in ids) for here in ids),
        vans=tuple(van for van in vans for _ in range(fleet)),
        scale=1 if whole else 1_000,
        digest=digest,
    )


def _sections(text: str) -> tuple[dict[str, str], dict[str, list[list[float]]]]:
    words: dict[str, str] = {}
    sections: dict[str, list[list[float]]] = {}
    here: list[list[float]] = []
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if line.strip().endswith("_SECTION") or name.strip().endswith("_SECTION"):
            here = sections.setdefault(name.strip(), [])
        elif colon and not _numbers(line):
            words[name.strip()] = value.strip()
        elif row := _numbers(line):
            here.append(row)
    return words, sections


def _weights(words: dict[str, str], sections: dict[str, list[list[float]]], size: int) -> list[list[float]]:
    kind, form = words["EDGE_WEIGHT_TYPE"], words.get("EDGE_WEIGHT_FORMAT", "FULL_MATRIX")
    if kind in PLANE:
        points = [(row[1], row[2]) for row in sections["NODE_COORD_SECTION"]]
        return [[float(PLANE[kind](math.dist(a, b))) for b in points] for a in points]
    flat = [each for row in sections.get("EDGE_WEIGHT_SECTION", []) for each in row]
    if kind == "EXPLICIT" and form == "FULL_MATRIX" and len(flat) == size * size:
        return [flat[at : at + size] for at in range(0, size * size, size)]
    pairs = _pairs(form, size)
    if kind == "EXPLICIT" and pairs and len(flat) == len(pairs):
        matrix = [[0.0] * size for _ in range(size)]
        for (here, there), each in zip(pairs, flat, strict=True):
            matrix[here][there] = matrix[there][here] = each
        return matrix
    raise UnknownFormat(f"edge weights {kind} {form} with {len(flat)} numbers")


def _pairs(form: str, size: int) -> list[tuple[int, int]]:
    """The cells of half a symmetric matrix in the order of its form; by columns is the other half by rows."""
    found = re.fullmatch(r"(LOWER|UPPER)_(DIAG_)?(ROW|COL)", form)
    if found is None:
        return []
    lower, least = (found[1] == "LOWER") == (found[3] == "ROW"), 0 if found[2] else 1
    return [
        (here, there)
        for here in range(size)
        for there in (range(here + 1 - least) if lower else range(here + least, size))
    ]


def _column(rows: list[list[float]] | None, size: int, otherwise: float) -> list[float]:
    known = {int(row[0]): row[1] for row in rows or []}
    return [known.get(number, otherwise) for number in range(1, size + 1)]
