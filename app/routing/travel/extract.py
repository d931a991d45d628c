"""From an OpenStreetMap extract to arrays of nodes and one-way arcs that a car may use."""

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import osmium

from app.routing.travel.matrix import EARTH_M
from app.routing.travel.tags import CLASSES, Road, blocks, road_of

Array = np.ndarray[tuple[int], np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Arcs:
    """Nodes by index with their degrees; arcs by tail, head, length in metres, free speed in km/h and road class."""

    latitude: Array
    longitude: Array
    tail: Array
    head: Array
    metres: Array
    kmh: Array
    group: Array


class NoRoads(Exception):
    """The file holds no road that a car may use."""


class _Growing:
    """Nodes and arcs as they are met. Nodes get their index at the first road that uses them."""

    def __init__(self) -> None:
        self.index: dict[int, int] = {}
        self.latitude, self.longitude = array("d"), array("d")
        self.tail, self.head = array("i"), array("i")
        self.kmh, self.group = array("f"), array("B")

    def node(self, reference: int, latitude: float, longitude: float) -> int:
        at = self.index.setdefault(reference, len(self.latitude))
        if at == len(self.latitude):
            self.latitude.append(latitude)
            self.longitude.append(longitude)
        return at

    def stretch(self, a: int, b: int, road: Road) -> None:
        for tail, head, kmh in ((a, b, road.along_kmh), (b, a, road.against_kmh)):
            if kmh:
                self.tail.append(tail)
                self.head.append(head)
                self.kmh.append(kmh)
                self.group.append(road.group)


def arcs_of(extract: Path, told: Callable[[int], object] | None = None) -> Arcs:
    """Read a `.osm.pbf` (or `.osm`) file; `told` hears the number of roads now and then. Raises NoRoads.

    Turn restrictions and ferries are not read: see docs/travel-times.md.
    """
    grown, closed, ways = _Growing(), set[int](), 0
    for tags, reference, nodes in _met(extract):
        if reference is not None:
            if blocks(tags):
                closed.add(reference)
            continue
        road = road_of(tags)
        if road is None:
            continue
        before: int | None = None
        for node in nodes:
            if node.ref in closed or not node.location.valid():
                before = None
                continue
            here = grown.node(node.ref, node.location.lat, node.location.lon)
            if before is not None and before != here:
                grown.stretch(before, here, road)
            before = here
        ways += 1
        if told and ways % 10_000 == 0:
            told(ways)
    if not grown.tail:
        raise NoRoads(f"{extract.name} holds no road that a car may use")
    return _measured(grown)


def _met(extract: Path) -> Iterator[tuple[Mapping[str, str], int | None, Any]]:
    """Barrier nodes (with their number) and roads (with their nodes), in the file's order: nodes come first."""
    found = (
        osmium.FileProcessor(str(extract), osmium.osm.NODE | osmium.osm.WAY)
        .with_locations()
        .with_filter(osmium.filter.KeyFilter("highway", "barrier"))
    )
    for one in found:
        if isinstance(one, osmium.osm.Node):
            if "barrier" in one.tags:
                yield dict(one.tags), one.id, ()
        elif isinstance(one, osmium.osm.Way) and one.tags.get("highway") in CLASSES:
            yield dict(one.tags), None, one.nodes


def _measured(grown: _Growing) -> Arcs:
    """The arcs with their lengths along the sphere."""
    latitude, longitude = np.frombuffer(grown.latitude), np.frombuffer(grown.longitude)
    tail, head = np.frombuffer(grown.tail, dtype=np.int32), np.frombuffer(grown.head, dtype=np.int32)
    lat, lon = np.radians(latitude), np.radians(longitude)
    north, east = np.sin((lat[head] - lat[tail]) / 2) ** 2, np.sin((lon[head] - lon[tail]) / 2) ** 2
    share = np.clip(north + np.cos(lat[tail]) * np.cos(lat[head]) * east, 0, 1)
    metres = (2 * EARTH_M * np.arcsin(np.sqrt(share))).astype(np.float32)
    kmh = np.frombuffer(grown.kmh, dtype=np.float32)
    return Arcs(latitude, longitude, tail, head, metres, kmh, np.frombuffer(grown.group, dtype=np.uint8))
