"""The provider that the setting names, opened for a process's lifetime; a road graph is built and loaded beside it."""

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from app.routing.travel.graph import digest_of, kept_at, load
from app.routing.travel.matrix import Matrix, Point
from app.routing.travel.osrm import Osrm
from app.routing.travel.roads import RoadGraph
from app.routing.travel.source import RoadSource
from app.routing.travel.steady import LIMIT_S, Breaker, Steady
from app.routing.travel.valhalla import Valhalla
from app.routing.travel.wire import Wire

log = logging.getLogger(__name__)

STRAIGHT = "straight"


class Travel:
    """`async with Travel("osrm:http://…", data)`. `source` is None for straight lines, and until a graph is there."""

    def __init__(self, setting: str, data: Path) -> None:
        self.kind, _, self._where = setting.partition(":")
        self._data = data
        self.source: RoadSource | None = None
        self._breaker = Breaker()
        self._loading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Travel":
        if self.kind == "osrm":
            self.source = Osrm(Wire(self._where))
        elif self.kind == "valhalla":
            self.source = Valhalla(Wire(self._where))
        elif self.kind == "roads":
            self._loading = asyncio.create_task(self._load(Path(self._where)))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)
        if self.source is not None:
            await self.source.aclose()

    @property
    def straight(self) -> bool:
        """Whether nobody is to be asked for roads."""
        return self.kind == STRAIGHT

    async def loaded(self) -> None:
        """Wait until a graph is there or cannot be; nothing to wait for with a server."""
        if self._loading is not None:
            await asyncio.gather(self._loading, return_exceptions=True)

    async def matrix(self, points: Sequence[Point], bucket: int, *, limit_s: float = LIMIT_S) -> Matrix:
        """All pairs within the limit; `estimated` if roads could not be asked (T150). Never inside a transaction."""
        if self.source is None:
            raise LookupError("there is no source of roads")
        return await Steady(self.source.at(bucket), limit_s=limit_s, breaker=self._breaker).matrix(points)

    async def line(self, start: Point, end: Point) -> tuple[Point, ...] | None:
        """The way on the map, None where there is no road; raises what goes wrong. Never inside a transaction."""
        if self.source is None or self._breaker.rests():
            raise LookupError("roads cannot be asked now")
        try:
            async with asyncio.timeout(LIMIT_S):
                found = await self.source.line(start, end)
        except Exception:
            self._breaker.failed()
            raise
        self._breaker.met()
        return found

    async def _load(self, extract: Path) -> None:
        """Load the extract's graph, built first if it is not there, in a process of its own since it takes long."""
        try:
            digest = await asyncio.to_thread(digest_of, extract)
            path = kept_at(self._data, digest)
            if not path.exists():
                await _built(extract, self._data)
            graph = await asyncio.to_thread(load, path, digest)
            self.source = await asyncio.to_thread(RoadGraph, graph)
            log.info("roads of %s are loaded: %s nodes", extract.name, len(graph.order))
        except Exception as failed:  # without roads the times are estimated, and marked so
            log.error("roads of %s cannot be used: %s: %s", extract.name, type(failed).__name__, failed)


async def _built(extract: Path, data: Path) -> None:
    """`python -m app roads build`, killed with us."""
    log.info("the road graph of %s is being built", extract.name)
    command = (sys.executable, "-m", "app", "roads", "build", str(extract), "--into", str(data))
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(said.decode(errors="replace").strip()[-300:] or f"exit {process.returncode}")
