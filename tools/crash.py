"""H3: the server is killed in the middle of load and started again. Nothing acknowledged is lost, nothing is done twice.

    python -m tools.crash --kills 20 --clients 20

Every client keeps its open key and sends it again after the restart, as a caller who got no answer would.
"""

import argparse
import asyncio
import random
import sys
import uuid
from dataclasses import dataclass, field

import httpx

from tests.cast import World, a_world
from tools.server import Server, fresh_server


@dataclass
class Ledger:
    """What the clients know: acknowledged answers by key, and how many answers came as replays."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    replays: int = 0
    unanswered: int = 0
    wrong: list[str] = field(default_factory=list)


async def client(api: httpx.AsyncClient, world: World, ledger: Ledger, stop: asyncio.Event) -> None:
    """Ask under a key until it is answered, then under the next one."""
    while not stop.is_set():
        key = uuid.uuid4().hex
        tried = 0
        while True:
            tried += 1
            try:
                answer = await api.post("/v1/part-requests", json=world.request(), headers={"Idempotency-Key": key})
            except httpx.HTTPError:
                ledger.unanswered += 1
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 201:
                ledger.replays += answer.headers.get("Idempotent-Replayed") == "true"
                ledger.acknowledged[key] = answer.json()["id"]
                break
            if answer.status_code not in (409, 503):
                ledger.wrong.append(f"{answer.status_code} {answer.text[:200]}")
                break
            await asyncio.sleep(0.05)


async def run(kills: int, clients: int, seed: int) -> int:
    chance = random.Random(seed)
    ledger = Ledger()
    with fresh_server() as server:
        server.start()
        await server.ready()
        async with server.admin() as api:
            world = await a_world(api)
            await world.receive(world.psu, 1_000_000)
            slowest = await killed(server, api, world, ledger, kills=kills, clients=clients, chance=chance)
            wrong = [*ledger.wrong, *await lost(api, world, ledger)]
        checked = server.cli("check")
        wrong += [] if checked.returncode == 0 else [checked.stdout.strip() or checked.stderr.strip()]
        code = server.stop()
        wrong += [f"exit code {code} on SIGTERM"] if code else []
        await asyncio.sleep(1)  # the last to leave stops the database
        wrong += [f"left behind: {line}" for line in server.orphans()]
    acknowledged = len(ledger.acknowledged)
    print(f"seed {seed}: {kills} kills, {acknowledged} acknowledged, {ledger.unanswered} unanswered calls")
    print(f"committed but not acknowledged before a kill: {ledger.replays}; slowest restart {slowest:.1f} s")
    print(f"check: {checked.stdout.strip()}")
    for line in wrong:
        print(f"WRONG: {line}")
    return 1 if wrong else 0


async def killed(
    server: Server,
    api: httpx.AsyncClient,
    world: World,
    ledger: Ledger,
    *,
    kills: int,
    clients: int,
    chance: random.Random,
) -> float:
    """Load, and kill -9 at random moments; gives the slowest restart in seconds."""
    stop = asyncio.Event()
    load = [asyncio.create_task(client(api, world, ledger, stop)) for _ in range(clients)]
    slowest = 0.0
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.2, 2.0))
        server.kill()
        server.start()
        slowest = max(slowest, await server.ready())
    stop.set()
    await asyncio.gather(*load)
    return slowest


async def lost(api: httpx.AsyncClient, world: World, ledger: Ledger) -> list[str]:
    """Every acknowledged request is there, each once, and there is none that no key explains."""
    found: set[str] = set()
    cursor = None
    while True:
        params = {"area": world.area, "limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/v1/part-requests", params=params)).json()
        found |= {one["id"] for one in page["items"]}
        cursor = page["next"]
        if cursor is None:
            break
    told = list(ledger.acknowledged.values())
    wrong = [f"acknowledged, then gone: {one}" for one in set(told) - found]
    wrong += [f"made, though no key was answered with it: {one}" for one in found - set(told)]
    if len(set(told)) != len(told):
        wrong.append("two keys were answered with one request")
    held = (await api.get("/v1/stock", params={"part": world.psu})).json()["items"][0]["reserved"]
    if held != len(found):
        wrong.append(f"{held} pieces held for {len(found)} requests")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(run(given.kills, given.clients, given.seed)))


if __name__ == "__main__":
    main()
