"""`roads build`: makes the road graph of an OpenStreetMap extract ahead, so that no start has to wait for it."""

import argparse
import time
from pathlib import Path

from app.cli.frame import Commands, Stop, command, progress
from app.core.settings import Settings
from app.routing.travel.extract import NoRoads
from app.routing.travel.graph import build, digest_of, kept_at, save


def add(commands: Commands) -> None:
    words = "The road graph that SPARELANE_TRAVEL=roads:FILE uses."
    actions = command(commands, "roads", words).add_subparsers(dest="action", required=True, metavar="ACTION")
    made = command(actions, "build", "Build the graph of an OpenStreetMap extract, unless it is there already.")
    made.add_argument("file", type=Path, help="an extract, .osm.pbf or .osm")
    made.add_argument("--into", type=Path, help="the data folder; DATA_DIR if not given")
    made.set_defaults(run=run)


def run(given: argparse.Namespace, settings: Settings) -> None:
    if not given.file.is_file():
        raise Stop(f"{given.file} is no file.", 2)
    digest = digest_of(given.file)
    path = kept_at(given.into or settings.data, digest)
    if path.exists():
        print(f"The graph of {given.file.name} is there already: {path}")
        return
    began = time.perf_counter()
    with progress() as shown:
        bar = shown.add_task("Reading roads", total=None)
        try:
            graph = build(given.file, digest, lambda roads: shown.update(bar, completed=roads))
        except NoRoads as none:
            raise Stop(f"{none}.") from none
        except RuntimeError as broken:  # osmium on a file that is no extract
            raise Stop(f"{given.file.name} cannot be read as an OpenStreetMap extract: {broken}.") from broken
    save(graph, path)
    counts = f"{len(graph.order):,} nodes and {len(graph.arcs.tail):,} arcs"
    print(f"{counts} in {time.perf_counter() - began:.1f} s: {path}")
