"""H4: events to faulty receivers while workers are killed. Nothing is missing or changed, each subject's order has no hole.

    python -m tools.outbox --events 20000 --endpoints 5 --kill-worker 5s \
        --faults 500,timeout,reset,429,410,redirect,slow,late-commit

The first endpoint is healthy; the others share the faults, and misbehave at a third of the calls until everything has
happened. Then the operator does what one would: calls the mended endpoints enabled. Requests with their notes are the load,
at an even rate; `late-commit` holds the transaction of every hundredth event open for two seconds. The workers run apart
from the server, and have the duties of the way out alone; the receivers keep the digest of every body.
"""

import argparse
import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.accounts.rules import duty_actor
from app.cli.frame import database
from app.core.db import make_engine
from app.core.events import Event, announce
from app.core.settings import read_settings
from tests.cast import World, a_world
from tools.receivers import FAULTS, Receiver, receivers_for
from tools.server import ROOT, Server, fresh_server

TYPES = ["part_request.accepted", "part_request.noted", "part_request.canceled"]
EACH = 20
LATE = "late-commit"
HELD_S = 2.0


def worker(server: Server) -> "subprocess.Popen[bytes]":
    log = (server.data.parent / "worker.log").open("ab")
    command = [sys.executable, "-m", "app", "worker", "--only", "act,fan_out,deliver,seal"]
    return subprocess.Popen(command, cwd=ROOT, env=server.environment(), stdout=log, stderr=log)


async def killing(server: Server, every_s: float, stop: asyncio.Event, sent: asyncio.Event) -> int:
    """Two workers; one of them is killed every so many seconds, counted from when something was sent since the last
    kill, so that on a slow machine no worker dies before it works. Gives how often."""
    workers = [worker(server), worker(server)]
    kills = 0
    try:
        while not stop.is_set():
            sent.clear()
            await sent.wait()
            try:
                await asyncio.wait_for(stop.wait(), every_s or 3600)
            except TimeoutError:
                victim = workers.pop(0)
                victim.send_signal(signal.SIGKILL)
                victim.wait()
                workers.append(worker(server))
                kills += 1
    finally:
        for one in workers:
            one.terminate()
        for one in workers:
            await asyncio.to_thread(one.wait, 30)
    return kills


@dataclass
class Load:
    """The events to be made: requests, each noted and then canceled, several side by side, at an even rate."""

    api: httpx.AsyncClient
    world: World
    rate: float
    late: AsyncEngine | None
    made: int = 0
    _next_s: float = 0.0
    _holding: list["asyncio.Task[None]"] = field(default_factory=list)

    async def run(self, events: int) -> int:
        gate = asyncio.Semaphore(8)

        async def one() -> None:
            async with gate:
                await self._story()

        await asyncio.gather(*(one() for _ in range(max(events // EACH, 1))))
        await asyncio.gather(*self._holding)
        return self.made

    async def _story(self) -> None:
        await self._turn()
        request = (await self.api.post("/v1/part-requests", json=self.world.request())).json()["id"]
        for number in range(EACH - 2):
            await self._turn()
            if self.late is not None and self.made % 100 == 0:
                self._holding.append(asyncio.create_task(self._held(self.late, request)))
            else:
                await self._verb(request, "notes", {"text": f"note {number}"})
        await self._turn()
        await self._verb(request, "cancel", {"reason": "load"})

    async def _verb(self, request: str, verb: str, body: dict[str, str]) -> None:
        (await self.api.post(f"/v1/part-requests/{request}/{verb}", json=body)).raise_for_status()

    async def _turn(self) -> None:
        """Wait for the rate."""
        self.made += 1
        if not self.rate:
            return
        now = asyncio.get_running_loop().time()
        self._next_s = max(self._next_s + 1 / self.rate, now - 1)
        await asyncio.sleep(max(self._next_s - now, 0))

    async def _held(self, engine: AsyncEngine, request: str) -> None:
        """A note's event with a low number that is committed long after higher ones (T52)."""
        async with engine.begin() as db:
            event = Event(
                type="part_request.noted", subject=request, customer=self.world.customer, area=self.world.area
            )
            await announce(db, event, by=duty_actor("late"), now=datetime.now(UTC))
            await asyncio.sleep(HELD_S)


@asynccontextmanager
async def late_engine(server: Server, wanted: bool) -> AsyncIterator[AsyncEngine | None]:
    """A way to the server's database, for transactions that stay open."""
    if not wanted:
        yield None
        return
    with database(read_settings(server.environment())) as url:
        engine = make_engine(url, pool_size=8)
        try:
            yield engine
        finally:
            await engine.dispose()


async def run(
    events: int, endpoints: int, kill_worker: float, faults: Sequence[str] = FAULTS, rate: float = 0.0, seed: int = 1
) -> int:
    sent, stop = asyncio.Event(), asyncio.Event()
    receivers = receivers_for(endpoints, [one for one in faults if one != LATE], sent, seed)
    servers = [await one.start() for one in receivers]
    with fresh_server(SPARELANE_EGRESS_ALLOW="127.0.0.0/8", SPARELANE_WORKER="apart") as server:
        server.start()
        await server.ready()
        killer = asyncio.create_task(killing(server, kill_worker, stop, sent))
        async with server.admin() as api, late_engine(server, LATE in faults) as late:
            world = await a_world(api)
            await world.receive(world.psu, 1_000_000)
            for one in receivers:
                body = {"url": f"http://127.0.0.1:{one.port}/", "event_types": TYPES, "customers": [world.customer]}
                one.endpoint = (await api.post("/v1/webhook-endpoints", json=body)).json()["endpoint"]["id"]
            operator = asyncio.create_task(enabling(api, receivers))
            began = asyncio.get_running_loop().time()
            made = await Load(api, world, rate, late).run(events)
            took = asyncio.get_running_loop().time() - began
            for one in receivers:
                one.behave()
            await settled(api, receivers, made, within_s=60 + events / 20)
            operator.cancel()
        stop.set()
        sent.set()
        kills = await killer
        checked = await asyncio.to_thread(server.cli, "check")
        server.stop()
    for one in servers:
        one.close()
    wrong = judge(receivers, made, kills)
    wrong += [] if checked.returncode == 0 else [checked.stdout.strip() or checked.stderr.strip()]
    print(f"{made} events at {made / took:.0f} a second, {len(receivers)} endpoints, {kills} workers killed")
    report(receivers, made)
    print(f"check: {checked.stdout.strip()}")
    for line in wrong:
        print(f"WRONG: {line}")
    return 1 if wrong else 0


async def enabling(api: httpx.AsyncClient, receivers: list[Receiver]) -> None:
    """The operator: an endpoint that said 410 is enabled again, with all that was canceled."""
    while True:
        for one in receivers:
            if one.gone:
                shown = (await api.get(f"/v1/webhook-endpoints/{one.endpoint}")).json()
                if shown["state"] == "disabled":
                    await api.post(f"/v1/webhook-endpoints/{one.endpoint}/enable", json={"replay": True})
                    one.gone = False
        await asyncio.sleep(0.2)


async def settled(api: httpx.AsyncClient, receivers: list[Receiver], made: int, *, within_s: float) -> None:
    """The receivers are mended, and the operator says so now and then, until everything was taken."""
    loop = asyncio.get_running_loop()
    began = said = loop.time()
    while any(len(one.taken) < made for one in receivers) and loop.time() - began < within_s:
        if loop.time() >= said:
            said = loop.time() + 5
            for one in receivers[1:]:
                await api.post(f"/v1/webhook-endpoints/{one.endpoint}/enable", json={"replay": True})
        await asyncio.sleep(0.2)


def judge(receivers: list[Receiver], made: int, kills: int) -> list[str]:
    """What is not as it must be."""
    wrong = []
    for at, one in enumerate(receivers):
        name = f"endpoint {at} ({one.name})"
        if len(one.taken) != made:
            wrong.append(f"{name}: {made - len(one.taken)} missing")
        wrong += [f"{name}: {event} came with other bytes" for event, seen in one.digests.items() if len(seen) > 1]
        wrong += [
            f"{name}: {subject} came as {seen}"
            for subject, seen in one.order.items()
            if seen != list(range(1, len(seen) + 1))
        ]
        if not kills and one.twice > made / 200:
            wrong.append(f"{name}: {one.twice} of {made} came again though they were taken")
    return wrong


def report(receivers: list[Receiver], made: int) -> None:
    for at, one in enumerate(receivers):
        print(
            f"endpoint {at} {one.name:>16}: {len(one.taken)} taken in {one.calls} calls, {one.twice} again though taken, "
            f"lag p50 {one.lag(0.5):.1f} s, p99 {one.lag(0.99):.1f} s"
        )


def seconds(given: str) -> float:
    return float(given.removesuffix("s"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--endpoints", type=int, default=5)
    parser.add_argument("--faults", default=",".join((*FAULTS, LATE)))
    parser.add_argument("--kill-worker", type=seconds, default=5.0, metavar="SECONDS", help="0 kills none")
    parser.add_argument("--rate", type=float, default=40.0, help="events a second; 0 is as many as the machine makes")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    faults = [one for one in given.faults.split(",") if one]
    if strangers := set(faults) - {*FAULTS, LATE}:
        parser.error(f"no such fault: {', '.join(sorted(strangers))}")
    sys.exit(asyncio.run(run(given.events, given.endpoints, given.kill_worker, faults, given.rate, given.seed)))


if __name__ == "__main__":
    main()
