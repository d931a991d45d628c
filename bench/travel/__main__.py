"""`python -m bench.travel EXTRACT`: the embedded graph beside a real OSRM server; with `--instances FOLDER`, VRPLIB files."""

import argparse
import asyncio
import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import msgspec

from app.routing.travel.graph import build, digest_of
from app.routing.travel.roads import RoadGraph
from bench.travel.figures import beside_osrm, graph_of, matrix_seconds, sample
from bench.travel.instances import instance, vrplib


def said(name: str, values: dict[str, object]) -> None:
    """One JSON line."""
    shown = {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
    print(msgspec.json.encode({"what": name, **shown}).decode(), flush=True)


def conditions(extract: Path, count: int, seed: int) -> dict[str, object]:
    """The machine and its load: without them no figure means anything."""
    return {
        "extract": extract.name, "bytes": extract.stat().st_size, "points": count, "seed": seed,
        "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2), "python": platform.python_version(),
        "routingkit-cch": version("routingkit-cch"), "osmium": version("osmium"),
    }  # fmt: skip


async def measured(extract: Path, count: int, seed: int) -> None:
    said("conditions", conditions(extract, count, seed))
    roads, steps = graph_of(extract)
    said("graph", dict(steps))
    points = sample(roads, count, seed)
    said("matrix", dict(matrix_seconds(roads, points)))
    found, costs = await beside_osrm(extract, roads, points)
    said("osrm", dict(costs))
    for one in found:
        said("ratio to osrm", asdict(one))


def written(extract: Path, folder: Path, sizes: list[int], seeds: list[int]) -> None:
    """One file a size and seed."""
    roads = RoadGraph(build(extract, digest_of(extract)))
    folder.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        for seed in seeds:
            made = instance(roads, name=extract.name.partition(".")[0], customers=size, seed=seed)
            path = folder / f"{made.name}.vrp"
            path.write_text(vrplib(made), encoding="utf-8")
            said("instance", {"file": str(path), "customers": size, "vehicles": made.vehicles})


def numbers(text: str) -> list[int]:
    """`200,330` as numbers."""
    return [int(one) for one in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.travel", description=__doc__)
    parser.add_argument("extract", type=Path, help="an OpenStreetMap extract, .osm.pbf")
    parser.add_argument("--points", type=int, default=300, help="points of the matrix")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--instances", type=Path, help="write VRPLIB files into this folder instead")
    parser.add_argument("--customers", type=numbers, default=[200, 260, 330], help="sizes of the instances")
    parser.add_argument("--seeds", type=numbers, default=[1], help="seeds of the instances")
    given = parser.parse_args()
    if given.instances:
        written(given.extract, given.instances, given.customers, given.seeds)
    else:
        asyncio.run(measured(given.extract, given.points, given.seed))


if __name__ == "__main__":
    main()
