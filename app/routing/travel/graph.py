"""The road graph as it is kept: built once from an extract, stored under DATA_DIR, loaded quickly by every process."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import routingkit_cch

from app.routing.travel.extract import Arcs, Array, NoRoads, arcs_of
from app.routing.travel.hours import FACTORS, FACTORS_VERSION

FORMAT = 1
"""Raised when what is kept, or what tags mean, changes: graphs of before are built anew."""
SMALLEST = 200
"""Nodes that must reach each other for a point to be moved to one of them [house]: no car park cut off from all else."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, arcs and the order of contraction. `part` numbers what can reach each other, -1 for what is too small."""

    digest: str
    arcs: Arcs
    order: Array
    part: Array

    @property
    def version(self) -> str:
        """What times of this graph are kept under."""
        return f"roads:{self.digest}:{FORMAT}.{FACTORS_VERSION}"

    def milliseconds(self, bucket: int) -> Array:
        """What each arc takes in a part of the day."""
        factors = np.array(FACTORS[bucket], dtype=np.float32)
        metres_per_ms = self.arcs.kmh * factors[self.arcs.group] / 3600
        return np.maximum(np.rint(self.arcs.metres / metres_per_ms), 1).astype(np.uint32)


def kept_at(data: Path, digest: str) -> Path:
    """Where the graph of an extract lies."""
    return data / "roads" / f"{digest}-{FORMAT}.npz"


def digest_of(extract: Path) -> str:
    """Twelve digits of an extract's content."""
    with extract.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:12]


def build(extract: Path, digest: str, told: Callable[[int], object] | None = None) -> Graph:
    """Read, order and part an extract's roads. Raises NoRoads, or RuntimeError on a file that is no extract."""
    arcs = arcs_of(extract, told)
    count = len(arcs.latitude)
    order = routingkit_cch.compute_order_inertial(
        count,
        arcs.tail.tolist(),
        arcs.head.tolist(),
        arcs.latitude.astype(np.float32).tolist(),
        arcs.longitude.astype(np.float32).tolist(),
    )
    return Graph(digest, arcs, np.array(order, dtype=np.uint32), parts_of(count, arcs.tail, arcs.head))


def save(graph: Graph, path: Path) -> None:
    """Keep a graph; whoever reads meanwhile sees the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arcs = graph.arcs
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as out:
        try:
            np.savez(
                out, latitude=arcs.latitude, longitude=arcs.longitude, tail=arcs.tail, head=arcs.head,
                metres=arcs.metres, kmh=arcs.kmh, group=arcs.group, order=graph.order, part=graph.part,
            )  # fmt: skip
            out.flush()
            os.fsync(out.fileno())
            os.replace(out.name, path)
        except BaseException:
            os.unlink(out.name)
            raise


def load(path: Path, digest: str) -> Graph:
    """A kept graph; raises OSError, KeyError or ValueError if it is not there or not whole."""
    with np.load(path, allow_pickle=False) as kept:
        arcs = Arcs(*(kept[name] for name in ("latitude", "longitude", "tail", "head", "metres", "kmh", "group")))
        return Graph(digest, arcs, kept["order"], kept["part"])


def parts_of(count: int, tail: Array, head: Array) -> Array:
    """For each node the number of the largest set around it whose nodes all reach each other; -1 below `SMALLEST`.

    A set is what a node reaches and what reaches it; in a network smaller than twice `SMALLEST` half of it is enough.
    """
    ahead, back = _neighbors(count, tail, head), _neighbors(count, head, tail)
    part = np.full(count, -2, dtype=np.int32)
    enough, found = min(SMALLEST, max(count // 2, 1)), 0
    busiest = np.argsort(-np.bincount(tail, minlength=count), kind="stable")
    for start in busiest:
        if part[start] != -2:
            continue
        both = _reached(int(start), ahead, part) & _reached(int(start), back, part)
        large = int(both.sum()) >= enough
        part[both] = found if large else -1
        found += large
        if large and (part == -2).sum() < enough:
            break
    part[part == -2] = -1
    return part


def _neighbors(count: int, tail: Array, head: Array) -> tuple[Array, Array]:
    """Each node's heads in one array, and where each node's begin."""
    by_tail = np.argsort(tail, kind="stable")
    begins = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(tail, minlength=count), out=begins[1:])
    return begins, head[by_tail]


def _reached(start: int, neighbors: tuple[Array, Array], part: Array) -> Array:
    """Which nodes without a part yet can be reached, wave by wave."""
    begins, heads = neighbors
    seen = np.zeros(len(part), dtype=bool)
    seen[start] = True
    wave = np.array([start])
    while len(wave):
        first, counts = begins[wave], begins[wave + 1] - begins[wave]
        offsets = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        following = np.unique(heads[np.repeat(first, counts) + offsets])
        wave = following[~seen[following] & (part[following] == -2)]
        seen[wave] = True
    return seen


__all__ = ["Graph", "NoRoads", "build", "digest_of", "kept_at", "load", "parts_of", "save"]
