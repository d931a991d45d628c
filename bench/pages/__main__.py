"""`python -m bench.pages [--open N]`: serve a fresh installation, open N requests, time the board beside the plan's JSON."""

import argparse
import asyncio
import os
import re
import time
from statistics import median

import httpx

from tests.cast import World, a_world
from tools.server import Server, fresh_server

ROUNDS = 15
AT_ONCE = 8


async def fill(server: Server, count: int) -> str:
    """A world of its own with so many open requests, and the key of whoever looks at them."""
    async with server.admin() as api:
        world = await a_world(api)
        await world.receive(world.psu, 10 * count)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with gate:
                await world.ask(device_serial=await world.device())

        await asyncio.gather(*(one() for _ in range(count)))
        await planned(world)
        return str(api.headers["authorization"].removeprefix("Bearer "))


async def planned(world: World) -> None:
    """Until the worker has a plan for them."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        plan = (await world.api.get("/v1/plan", params={"area": world.area})).json()["items"]
        if plan and plan[0]["version"] and plan[0]["waiting"]:
            return
        await asyncio.sleep(0.5)
    raise RuntimeError("no plan within a minute")


def signed_in(base: str, key: str) -> httpx.Client:
    """A browser's session, by the key."""
    browser = httpx.Client(base_url=base, timeout=60)
    token = re.search(r'name="token" value="(\w+)"', browser.get("/").text)
    if token is None:
        raise RuntimeError("no form to sign in with")
    browser.post("/sign-in", data={"token": token[1], "key": key})
    return browser


def timed(browser: httpx.Client, path: str, **headers: str) -> tuple[float, int]:
    """Milliseconds until the whole answer is here, and its bytes."""
    began = time.perf_counter()
    answer = browser.get(path, headers=headers)
    answer.raise_for_status()
    return 1000 * (time.perf_counter() - began), len(answer.content)


def measured(base: str, key: str) -> None:
    browser, bearer = signed_in(base, key), {"Authorization": f"Bearer {key}"}
    for words, path in (("board as it opens", "/board"), ("board with every row", "/board?show=all")):
        pages, plans, size = [], [], 0
        for number in range(ROUNDS + 1):
            page, size = timed(browser, path)
            plan, _ = timed(browser, "/v1/plan", **bearer)
            if number:  # the first of each warms up
                pages.append(page)
                plans.append(plan)
        ratios = sorted(page / plan for page, plan in zip(pages, plans, strict=True))
        print(
            f"{words}: median {median(pages):.0f} ms, slowest {max(pages):.0f} ms of {ROUNDS}, {size / 1024:.0f} KB; "
            f"the same plans as JSON {median(plans):.0f} ms; ratio {median(ratios):.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--open", type=int, default=500, help="how many requests are open")
    given = parser.parse_args()
    with fresh_server() as server:
        server.start()
        asyncio.run(server.ready())
        key = asyncio.run(fill(server, given.open))
        print(f"{given.open} open requests; load {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
        measured(f"http://127.0.0.1:{server.port}", key)
        server.stop()


if __name__ == "__main__":
    main()
