"""H5: the same key again and again, many at once, with answers cut off. One effect each, and the same bytes every time.

    python -m tools.idem --keys 500 --fanout 20 --cut-response 30%

Then tickets, pushed shuffled and ten times over: the end is that of the story in order.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import random
import sys
import time
import uuid
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from tests.cast import World, a_world
from tools.server import Server, fresh_server

KEY = b"0123456789abcdef0123456789abcdef"


@dataclass
class Seen:
    """What came back: statuses, and the bodies by key."""

    answers: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    cut: int = 0


async def cutting(port: int, share: float, chance: random.Random, seen: Seen) -> asyncio.Server:
    """A relay in front of the server that hangs up in the middle of some answers."""

    async def serve(inp: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        try:
            up_in, up_out = await asyncio.open_connection("127.0.0.1", port)
            head = await inp.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").lower().split("\r\n")
            length = next((int(one.split(":")[1]) for one in lines if one.startswith("content-length:")), 0)
            up_out.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + await inp.readexactly(length))
            answer = await up_in.read()
            if chance.random() < share:
                seen.cut += 1
                out.write(answer[: len(answer) // 2])
                await out.drain()
                out.transport.abort()
                return
            out.write(answer)
            await out.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            out.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)


async def keyed(api: httpx.AsyncClient, world: World, keys: int, fanout: int, seen: Seen) -> None:
    """Each key `fanout` times at once, each caller until it has an answer."""
    gate = asyncio.Semaphore(32)

    async def call(key: str) -> None:
        while True:
            async with gate:
                try:
                    answer = await api.post("/v1/part-requests", json=world.request(), headers={"Idempotency-Key": key})
                except httpx.HTTPError:
                    seen.answers["cut"] += 1
                    continue
            code = "" if answer.status_code == 201 else f" {answer.json().get('code')}"
            seen.answers[f"{answer.status_code}{code}"] += 1
            if answer.status_code == 201:
                seen.bodies.setdefault(key, set()).add(answer.content)
                return
            await asyncio.sleep(0.05)

    names = [uuid.uuid4().hex for _ in range(keys)]
    for batch in range(0, keys, 25):
        await asyncio.gather(*(call(key) for key in names[batch : batch + 25] for _ in range(fanout)))


async def shuffled(api: httpx.AsyncClient, world: World, tickets: int, dup: int, chance: random.Random) -> list[str]:
    """Stories of three pictures each, all mixed up and repeated. Gives what did not end as the story does."""
    body = {"code": "desk", "name": "Desk", "provider": "generic", "verify_secret": "whsec_" + b64encode(KEY).decode()}
    (await api.post("/v1/connections", json=body)).raise_for_status()
    sent = [
        (f"{number}-{at}", picture(world, number, at))
        for number in range(tickets)
        for at in range(3)
        for _ in range(dup)
    ]
    chance.shuffle(sent)
    for delivery, raw in sent:
        stamp = str(int(datetime.now(UTC).timestamp()))
        mac = hmac.new(KEY, f"{delivery}.{stamp}.".encode() + raw, hashlib.sha256).digest()
        headers = {"webhook-id": delivery, "webhook-timestamp": stamp, "content-type": "application/json"}
        headers["webhook-signature"] = "v1," + b64encode(mac).decode()
        (await api.post("/hooks/desk", content=raw, headers=headers)).raise_for_status()
    for _ in range(600):
        if not (await api.get("/v1/hook-receipts", params={"outcome": "new"})).json()["items"]:
            break
        await asyncio.sleep(0.1)
    wrong = []
    for number in range(tickets):
        found = (await api.get("/v1/part-requests", params={"ticket": f"desk:T{number}"})).json()["items"]
        told = [(one["state"], one["priority"]) for one in found]
        ends = (
            [("accepted", "emergency")]
            if number % 2
            else [("canceled", "emergency"), ("canceled", "severe"), ("canceled", "general")]
        )
        if (number % 2 and told != ends) or (not number % 2 and (len(told) > 1 or not set(told) <= set(ends))):
            wrong.append(f"ticket {number} ended as {told}")
    return wrong


def picture(world: World, number: int, at: int) -> bytes:
    """The story: opened, raised, then raised again (odd) or canceled (even)."""
    last = ("open", "emergency") if number % 2 else ("canceled", "emergency")
    status, priority = (("open", "general"), ("open", "severe"), last)[at]
    return json.dumps({
        "number": f"T{number}", "status": status, "priority": priority, "version": at + 1, "serial": world.serial,
        "part_number": world.psu, "title": "no picture",
    }).encode()  # fmt: skip


async def run(keys: int, fanout: int, cut_response: float, tickets: int = 20, dup: int = 10, seed: int = 1) -> int:
    chance, seen = random.Random(seed), Seen()
    with fresh_server() as server:
        server.start()
        await server.ready()
        async with server.admin() as api:
            world = await a_world(api)
            await world.receive(world.psu, 1_000_000)
            relay = await cutting(server.port, cut_response, chance, seen)
            base = f"http://127.0.0.1:{relay.sockets[0].getsockname()[1]}"
            async with httpx.AsyncClient(base_url=base, headers=api.headers, timeout=60) as through:
                began = time.monotonic()
                await keyed(through, world, keys, fanout, seen)
                took_s = time.monotonic() - began
            relay.close()
            made = (await api.get("/v1/stock", params={"part": world.psu})).json()["items"][0]["reserved"]
            wrong = await shuffled(api, world, tickets, dup, chance)
        wrong += await ended(server)
    wrong += [f"{made} effects of {keys} keys"] if made != keys else []
    wrong += [f"key {key} was answered in {len(one)} ways" for key, one in seen.bodies.items() if len(one) != 1]
    strange = set(seen.answers) - {"201", "cut", "409 idempotency.in_progress"}
    wrong += [f"answers {strange}"] if strange else []
    print(f"{keys} keys, {fanout} callers each: {made} effects, {seen.cut} answers cut; {dict(seen.answers)}")
    print(f"{took_s:.0f} s for the keys, load {os.getloadavg()[0]:.1f}")
    print(f"{tickets} tickets, each picture {dup} times, shuffled")
    for line in wrong:
        print(f"WRONG: {line}")
    return 1 if wrong else 0


async def ended(server: Server) -> list[str]:
    checked = await asyncio.to_thread(server.cli, "check")
    server.stop()
    return [] if checked.returncode == 0 else [checked.stdout.strip() or checked.stderr.strip()]


def share(words: str) -> float:
    """A share, as `30%` or `0.3`."""
    part = float(words.removesuffix("%")) / (100 if words.endswith("%") else 1)
    if not 0 <= part < 1:
        raise argparse.ArgumentTypeError("a share from 0 to below 1, as 30% or 0.3")
    return part


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=500)
    parser.add_argument("--fanout", type=int, default=20)
    parser.add_argument("--cut-response", type=share, default=0.3, help="how many answers are cut off, as 30%% or 0.3")
    parser.add_argument("--tickets", type=int, default=50)
    parser.add_argument("--dup", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(run(given.keys, given.fanout, given.cut_response, given.tickets, given.dup, given.seed)))


if __name__ == "__main__":
    main()
