"""H1: clients race for too little stock over HTTP. Exactly what was there is promised, all else is refused, books clean.

python -m tools.race --clients 32 --requests 3200 --stock 100
"""

import argparse
import asyncio
import sys
from collections import Counter
from typing import Any

import httpx

from tests.cast import World, a_world
from tools.server import fresh_server


async def worlds(api: httpx.AsyncClient, stock: int) -> tuple[World, World]:
    """One world with `stock` pieces of its power supply, and a second set of two parts to be asked for crosswise."""
    one, two = await a_world(api), await a_world(api)
    await one.receive(one.psu, stock)
    await two.receive(two.psu, 10_000)
    await two.receive(two.fan, 10_000)
    return one, two


async def run(clients: int, requests: int, stock: int) -> int:
    with fresh_server() as server:
        server.start()
        print(f"ready in {await server.ready():.1f} s")
        async with server.admin() as api:
            one, two = await worlds(api, stock)
            answers = await asked(api, one.request(), clients, requests)
            crossed = await crossing(api, two, clients, requests // 16)
            summed = await api.post("/v1/part-requests", json=two.request(lines=[
                {"part_number": two.fan, "quantity": 1}, {"part_number": two.fan, "quantity": 1_000_000}]))  # fmt: skip
            held = (await api.get("/v1/stock", params={"part": one.psu})).json()["items"][0]
        checked = server.cli("check")
        server.stop()
        wrong = judge(answers, crossed, summed, held, stock, requests)
        wrong += [] if checked.returncode == 0 else [checked.stdout.strip() or checked.stderr.strip()]
        wrong += [f"left behind: {line}" for line in server.orphans()]
    print(f"answers {dict(answers)}, crosswise {dict(crossed)}, reserved {held['reserved']} of {held['on_hand']}")
    print(f"check: {checked.stdout.strip()}")
    for line in wrong:
        print(f"WRONG: {line}")
    return 1 if wrong else 0


async def asked(api: httpx.AsyncClient, body: dict[str, Any], clients: int, requests: int) -> Counter[str]:
    """`clients` at a barrier, each asking again and again until all requests are made."""
    found: Counter[str] = Counter()
    barrier = asyncio.Barrier(clients)

    async def client(count: int) -> None:
        await barrier.wait()
        for _ in range(count):
            found[told(await api.post("/v1/part-requests", json=body))] += 1

    await asyncio.gather(*(client(requests // clients) for _ in range(clients)))
    return found


def told(answer: httpx.Response) -> str:
    return "201" if answer.status_code == 201 else f"{answer.status_code} {answer.json().get('code')}"


async def crossing(api: httpx.AsyncClient, world: World, clients: int, pairs: int) -> Counter[str]:
    """Requests [A,B] and [B,A] at once: all finish, none deadlocks."""
    lines = [{"part_number": world.psu, "quantity": 1}, {"part_number": world.fan, "quantity": 1}]
    bodies = [world.request(lines=lines), world.request(lines=lines[::-1])]
    found: Counter[str] = Counter()
    gate = asyncio.Semaphore(clients)

    async def one(body: dict[str, Any]) -> None:
        async with gate:
            found[told(await api.post("/v1/part-requests", json=body))] += 1

    await asyncio.gather(*(one(bodies[at % 2]) for at in range(2 * pairs)))
    return found


def judge(
    answers: Counter[str],
    crossed: Counter[str],
    summed: httpx.Response,
    held: dict[str, Any],
    stock: int,
    requests: int,
) -> list[str]:
    """What is not as it must be."""
    wrong = []
    expected = {"201": stock, "409 stock.insufficient": requests - stock}
    if answers != Counter(expected):
        wrong.append(f"expected {expected}")
    if set(crossed) != {"201"}:
        wrong.append(f"crosswise requests must all succeed: {dict(crossed)}")
    if told(summed) != "409 stock.insufficient":
        wrong.append(f"two lines of one part must be summed: {told(summed)}")
    if held["reserved"] != stock:
        wrong.append(f"{held['reserved']} reserved of {stock}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=3200)
    parser.add_argument("--stock", type=int, default=100)
    given = parser.parse_args()
    sys.exit(asyncio.run(run(given.clients, given.requests, given.stock)))


if __name__ == "__main__":
    main()
