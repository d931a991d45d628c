"""H4: events to faulty receivers while workers are killed. Nothing is missing or changed, each subject's order has no hole.

    python -m tools.outbox --events 20000 --endpoints 5 --kill-worker 5

One endpoint in five is healthy; the others now and then answer 500, late, 429, or hang up. Notes on requests are the load.
The workers run apart from the server; the receivers keep the digest of every body.
"""

import argparse
import asyncio
import hashlib
import itertools
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import msgspec

from tests.cast import World, a_world
from tools.server import ROOT, Server, fresh_server

FAULTS = ("none", "500", "slow", "reset", "429")
TYPES = ["part_request.accepted", "part_request.noted"]


@dataclass
class Receiver:
    """One endpoint's receiver: what came, and when; it misbehaves at a third of the calls, at last no more."""

    fault: str
    chance: random.Random
    sent: asyncio.Event
    calm: bool = False
    digests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    taken: dict[str, float] = field(default_factory=dict)
    order: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    lags: list[float] = field(default_factory=list)
    calls: int = 0
    port: int = 0

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, inp: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        try:
            head = (await inp.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = (one.partition(":") for one in head.split("\r\n")[1:])
            headers = {name.lower(): value.strip() for name, _, value in lines}
            body = await inp.readexactly(int(headers["content-length"]))
            await self._answer(headers, body, out)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            out.close()

    async def _answer(self, headers: dict[str, str], body: bytes, out: asyncio.StreamWriter) -> None:
        self.calls += 1
        self.sent.set()
        event = headers["webhook-id"]
        self.digests[event].add(hashlib.sha256(body).hexdigest())
        if self.fault != "none" and not self.calm and self.chance.random() < 0.33:
            if self.fault == "reset":
                out.transport.abort()
                return
            if self.fault == "slow":
                await asyncio.sleep(2)
            status = {"500": "500 X", "429": "429 X\r\nRetry-After: 1", "slow": "503 X"}[self.fault]
            out.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            return
        if event not in self.taken:
            told = msgspec.json.decode(body)
            self.taken[event] = time.time()
            self.order[told["subject"]["id"]].append(int(headers["sparelane-sequence"]))
            self.lags.append(time.time() - datetime.fromisoformat(told["recorded_at"]).timestamp())
        out.write(b"HTTP/1.1 204 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await out.drain()


def worker(server: Server) -> "subprocess.Popen[bytes]":
    log = (server.data.parent / "worker.log").open("ab")
    command = [sys.executable, "-m", "app", "worker"]
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
            one.wait(timeout=30)
    return kills


async def load(api: httpx.AsyncClient, world: World, events: int) -> int:
    """Requests, each with twenty notes: as many events as asked for."""
    made = 0
    gate = asyncio.Semaphore(8)

    async def one() -> int:
        async with gate:
            request = (await api.post("/v1/part-requests", json=world.request())).json()["id"]
            for number in range(19):
                answer = await api.post(f"/v1/part-requests/{request}/notes", json={"text": f"note {number}"})
                answer.raise_for_status()
            return 20

    made += sum(await asyncio.gather(*(one() for _ in range(max(events // 20, 1)))))
    return made


async def run(events: int, endpoints: int, kill_worker: float, seed: int = 1) -> int:
    sent = asyncio.Event()
    receivers = [
        Receiver(fault, random.Random(seed + at), sent)
        for at, fault in zip(range(endpoints), itertools.cycle(FAULTS), strict=False)
    ]
    servers = [await one.start() for one in receivers]
    stop = asyncio.Event()
    with fresh_server(SPARELANE_EGRESS_ALLOW="127.0.0.0/8", SPARELANE_WORKER="apart") as server:
        server.start()
        await server.ready()
        killer = asyncio.create_task(killing(server, kill_worker, stop, sent))
        async with server.admin() as api:
            world = await a_world(api)
            await world.receive(world.psu, 1_000_000)
            for one in receivers:
                body = {"url": f"http://127.0.0.1:{one.port}/", "event_types": TYPES, "customers": [world.customer]}
                (await api.post("/v1/webhook-endpoints", json=body)).raise_for_status()
            made = await load(api, world, events)
            await settled(receivers, made, within_s=120 + events / 20)
        stop.set()
        sent.set()
        kills = await killer
        checked = await asyncio.to_thread(server.cli, "check")
        server.stop()
    for one in servers:
        one.close()
    wrong = judge(receivers, made)
    wrong += [] if checked.returncode == 0 else [checked.stdout.strip() or checked.stderr.strip()]
    report(receivers, made, kills)
    print(f"check: {checked.stdout.strip()}")
    for line in wrong:
        print(f"WRONG: {line}")
    return 1 if wrong else 0


async def settled(receivers: list[Receiver], made: int, *, within_s: float) -> None:
    """Wait until everything was taken; after a while the faulty ones behave, since days of back-off are no test."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while any(len(one.taken) < made for one in receivers) and loop.time() - began < within_s:
        for one in receivers:
            one.calm = one.calm or loop.time() - began > within_s / 4
        await asyncio.sleep(0.2)


def judge(receivers: list[Receiver], made: int) -> list[str]:
    """What is not as it must be."""
    wrong = []
    for at, one in enumerate(receivers):
        name = f"endpoint {at} ({one.fault})"
        if len(one.taken) != made:
            wrong.append(f"{name}: {made - len(one.taken)} missing")
        wrong += [f"{name}: {event} came with other bytes" for event, seen in one.digests.items() if len(seen) > 1]
        wrong += [
            f"{name}: {subject} came as {seen}"
            for subject, seen in one.order.items()
            if seen != list(range(1, len(seen) + 1))
        ]
    return wrong


def report(receivers: list[Receiver], made: int, kills: int) -> None:
    print(f"{made} events, {len(receivers)} endpoints, {kills} workers killed")
    for at, one in enumerate(receivers):
        lags = sorted(one.lags) or [0.0]
        p99 = lags[min(int(len(lags) * 0.99), len(lags) - 1)]
        twice = one.calls - made
        print(
            f"endpoint {at} {one.fault:>5}: {len(one.taken)} taken in {one.calls} calls ({twice} more than events), "
            f"p99 lag {p99:.1f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--endpoints", type=int, default=5)
    parser.add_argument("--kill-worker", type=float, default=5, metavar="SECONDS", help="0 kills none")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(run(given.events, given.endpoints, given.kill_worker, given.seed)))


if __name__ == "__main__":
    main()
