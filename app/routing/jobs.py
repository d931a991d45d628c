"""Routing's doors to road times: what promises ask for before they decide, and duties that ask ahead. Never in a
transaction: read, ask, then write in a short one."""

import hashlib
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.db import begin, reading
from app.routing import queries, service
from app.routing.queries import RegionPoints
from app.routing.travel.chosen import Travel
from app.routing.travel.known import SourceInForce, Times
from app.routing.travel.lines import encoded, simplified
from app.routing.travel.steady import LIMIT_S

log = structlog.get_logger("travel")
AHEAD = timedelta(minutes=30)
"""Times of the next part of the day are asked this long before it begins."""
AHEAD_LIMIT_S = 20.0
LINES_A_RUN = 40
FOUND_FOR = timedelta(hours=1)
VAIN_FOR = timedelta(minutes=5)


async def learn(
    engine: AsyncEngine, travel: Travel | None, times: Times | None, *, now: datetime, limit_s: float = LIMIT_S
) -> bool:
    """Ask for the pairs that are lacking and keep them; True if something was learned. Takes `limit_s` at most (T150).

    Does nothing where nothing lacks, or where this process does not have the source that is in force.
    """
    if travel is None or travel.source is None or times is None or travel.source.version != times.source.version:
        return False
    points = times.lacks
    if not points:
        return False
    matrix = await travel.matrix(points, times.bucket, limit_s=limit_s)
    if matrix.estimated:
        return False
    async with begin(engine) as db:
        await service.keep_times(db, of=times, points=points, matrix=matrix, now=now)
    return True


class Ahead:
    """The duty that asks ahead for all pairs of each region's points; a region is looked at again when they change."""

    def __init__(self) -> None:
        self._done: dict[tuple[str, str, int], tuple[str, datetime]] = {}  # the points' digest, and until when

    async def run(self, engine: AsyncEngine, travel: Travel | None, now: datetime) -> int:
        """Put the process's source in force, then learn what lacks. Gives for how many regions something was learned."""
        if travel is None or (travel.source is None and not travel.straight):
            return 0  # a graph that is still being loaded: what was in force stays
        source = await _in_force(engine, travel, now)
        if source is None:
            return 0
        async with reading(engine) as db:
            regions = await queries.region_points(db)
        return sum([await self._learn(engine, travel, source, one, now) for one in regions])

    async def _learn(
        self, engine: AsyncEngine, travel: Travel, source: SourceInForce, region: RegionPoints, now: datetime
    ) -> bool:
        """The present part of the day, and the next one soon before it begins."""
        learned = False
        for at in (now, now + AHEAD) if source.by_hour else (now,):
            async with reading(engine) as db:
                if (times := await self._unfound(db, source, region, at, now)) is None:
                    continue
            found = await learn(engine, travel, times, now=now, limit_s=AHEAD_LIMIT_S)
            if not found:
                self._note(source, region, times, until=now + VAIN_FOR)
            if found and at == now:
                async with begin(engine) as db:
                    await service.mark_region(db, region=region.region, now=now)
            learned = learned or found
        return learned

    async def _unfound(
        self, db: AsyncConnection, source: SourceInForce, region: RegionPoints, at: datetime, now: datetime
    ) -> Times | None:
        """What is known of a region, if that is not all; None as well where all was found, or asked in vain, lately."""
        times = await queries.times_between(db, source=source, points=(), zone=region.zone, now=now, at=at)
        digest, until = self._done.get((source.version, region.region, times.bucket), ("", now))
        if digest == _digest(region) and now < until <= now + FOUND_FOR:
            return None
        times = await queries.times_between(db, source=source, points=region.points, zone=region.zone, now=now, at=at)
        if times.lacks:
            return times
        self._note(source, region, times, until=now + FOUND_FOR)
        return None

    def _note(self, source: SourceInForce, region: RegionPoints, times: Times, *, until: datetime) -> None:
        """Leave a region alone until then, unless its points change."""
        self._done[source.version, region.region, times.bucket] = (_digest(region), until)


def _digest(region: RegionPoints) -> str:
    return hashlib.sha256(repr(region.points).encode()).hexdigest()


async def draw_lines(engine: AsyncEngine, travel: Travel | None, now: datetime) -> int:
    """Duty: ask how the legs of standing plans run on the map; a few a run, and none after a failure."""
    if travel is None or travel.source is None:
        return 0
    async with reading(engine) as db:
        source = await queries.source_in_force(db)
        if source is None or source.version != travel.source.version:
            return 0
        legs = await queries.legs_undrawn(db, source=source, now=now)
    drawn = 0
    for leg in legs[:LINES_A_RUN]:
        try:
            found = await travel.line(*leg)
        except Exception as failed:  # whatever a transport raises: the leg is drawn straight until the next run
            log.warning("road lines cannot be asked", error=type(failed).__name__)
            break
        line = None if found is None or len(found) < 2 else encoded(simplified(found))
        async with begin(engine) as db:
            await service.keep_line(db, source=source, leg=leg, line=line, now=now)
        drawn += 1
    return drawn


async def forget_travel(db: AsyncConnection, now: datetime) -> int:
    """Duty: what was asked too long ago goes."""
    return await service.forget_times(db, now=now)


async def _in_force(engine: AsyncEngine, travel: Travel, now: datetime) -> SourceInForce | None:
    """The source in force, which is this process's own from here on."""
    async with reading(engine) as db:
        present = await queries.source_in_force(db)
    mine = travel.source
    if (present.version if present else None) != (mine.version if mine else None):
        async with begin(engine) as db:
            await service.put_in_force(
                db, version=mine.version if mine else None, by_hour=mine is not None and mine.by_hour, now=now
            )
            present = await queries.source_in_force(db)
    return present
