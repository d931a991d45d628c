"""How long from a committed event to the plan that answers it: a real server, its own duties, 60 open stops and more to come.

Events are a request accepted, a request canceled and a plan asked for, at random moments, so that some find the
search for a better plan at work. An event is answered when its mark is gone, which an applied plan does.
"""

import asyncio
import json
import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from app.core.embedded import prepare
from tests.builders import unique
from tests.cast import YINCHUAN, World, a_world, made
from tools.server import fresh_server

COURIERS = 8
LEAST_PAUSE_S, MOST_PAUSE_S = 0.2, 2.5
MARKS = "SELECT count(*) FROM region_dirty WHERE region = $1 AND seq <= $2"
NEWEST = "SELECT coalesce(max(seq), 0) FROM region_dirty WHERE region = $1"
PLANS = "SELECT count(*), coalesce(sum(jsonb_array_length(plan -> 'unserved')), 0) FROM plan_history WHERE region = $1"


@dataclass(kw_only=True)
class Town:
    """A region with couriers all over it and open requests at sites of their own."""

    world: World
    rng: random.Random
    open: list[dict[str, Any]] = field(default_factory=list)

    @property
    def api(self) -> httpx.AsyncClient:
        return self.world.api

    def somewhere(self) -> tuple[float, float]:
        """A point within some ten kilometers of the warehouse."""
        return YINCHUAN[0] + self.rng.uniform(-0.09, 0.09), YINCHUAN[1] + self.rng.uniform(-0.11, 0.11)

    async def settle(self, stops: int) -> None:
        """Couriers, stock at two places, and as many open requests as there shall be stops."""
        for _ in range(COURIERS - len(self.world.couriers)):
            body = {"code": unique("K"), "name": "courier", "place": self.world.local, "shift": "24x7"}
            await made(self.api, "/v1/couriers", body)
        latitude, longitude = self.somewhere()
        place = unique("YC-B")
        body = {"code": place, "name": place, "kind": "own", "latitude": latitude, "longitude": longitude,
                "timezone": "Asia/Shanghai", "preparation_minutes": 5, "area": self.world.area}  # fmt: skip
        await made(self.api, "/v1/places", body)
        for where in (place, self.world.local):
            await self.world.receive(self.world.psu, 500, place=where)
        for _ in range(stops):
            await self.accept()

    async def accept(self) -> None:
        """One more request at a site of its own."""
        site = unique("SITE")
        latitude, longitude = self.somewhere()
        body = {"code": site, "customer": self.world.customer, "name": site, "latitude": latitude, "longitude": longitude,
                "timezone": "Asia/Shanghai", "area": self.world.area}  # fmt: skip
        await made(self.api, "/v1/sites", body)
        serial = await self.world.device(site=site)
        failure = {
            "occurred_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
            "cause": "defect",
            "system_stopped": True,
        }
        urgent = self.rng.choice(("severe", "general", "general"))
        self.open.append(await self.world.ask(device_serial=serial, priority=urgent, failure=failure))

    async def cancel(self) -> None:
        """The customer needs one no longer."""
        gone = self.open.pop(self.rng.randrange(len(self.open)))
        await self.world.do(gone["id"], "cancel", reason="solved by itself")

    async def late(self) -> None:
        """A courier is not where the plan has him: a dispatcher asks for a plan."""
        await made(self.api, f"/v1/plan/replan?area={self.world.area}", {}, 202)


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    ticks, found = os.sysconf("SC_CLK_TCK"), 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += cpu_s(int(child))
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return found + (int(values[11]) + int(values[12])) / ticks


async def answered(db: asyncpg.Connection, region: str, event: Callable[[], Awaitable[None]]) -> float:
    """Milliseconds from the answer to an event, which is after its commit, to the plan without its mark."""
    await event()
    began = time.perf_counter()
    newest = await db.fetchval(NEWEST, region)
    while await db.fetchval(MARKS, region, newest):  # noqa: ASYNC110  # the database wakes nobody here
        await asyncio.sleep(0.002)
    return (time.perf_counter() - began) * 1000


async def replanned(stops: int, events: int, seed: int) -> dict[str, Any]:
    """The figures of one run, as JSON values."""
    rng = random.Random(seed)
    with fresh_server() as server:
        server.start()
        await server.ready()
        db = await asyncpg.connect(f"postgresql://postgres@/postgres?host={prepare(server.data / 'pg')}")
        async with server.admin() as api:
            town = Town(world=await a_world(api), rng=rng)
            await town.settle(stops)
            await answered(db, town.world.area, town.late)
            assert server.process is not None
            cpu, wall, plans = cpu_s(server.process.pid), time.perf_counter(), await db.fetchrow(PLANS, town.world.area)
            times: dict[str, list[float]] = {"accepted": [], "canceled": [], "late": []}
            for at in range(events):
                await asyncio.sleep(rng.uniform(LEAST_PAUSE_S, MOST_PAUSE_S))
                name, event = (("accepted", town.accept), ("canceled", town.cancel), ("late", town.late))[at % 3]
                times[name].append(await answered(db, town.world.area, event))
            used, took = cpu_s(server.process.pid) - cpu, time.perf_counter() - wall
            after = await db.fetchrow(PLANS, town.world.area)
        await db.close()
        server.stop()
    every = sorted(one for each in times.values() for one in each)
    return {
        "what": "replan", "stops": stops, "events": events, "p50_ms": _share(every, 0.5), "p95_ms": _share(every, 0.95),
        "worst_ms": round(every[-1]), "by_event_p95_ms": {name: _share(sorted(one), 0.95) for name, one in times.items()},
        "plans": after[0] - plans[0], "cpu_s": round(used, 1), "wall_s": round(took, 1),
    }  # fmt: skip


def _share(ordered: list[float], share: float) -> int:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))])


def measure(stops: int, events: int, seed: int) -> None:
    """One run as a line of JSON, with the load at its beginning and end."""
    load = round(os.getloadavg()[0], 2)
    found = asyncio.run(replanned(stops, events, seed))
    print(json.dumps({**found, "load": [load, round(os.getloadavg()[0], 2)]}), flush=True)
