"""Receivers of webhooks that keep what came and misbehave at a third of the calls, for the outbox harness."""

import asyncio
import hashlib
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

FAULTS = ("500", "timeout", "reset", "429", "410", "redirect", "slow")
SHARE = 0.33
ANSWERS = {
    "500": "500 X", "429": "429 X\r\nRetry-After: 1", "410": "410 X",
    "redirect": "302 X\r\nLocation: http://127.0.0.1:1/", "slow": "503 X",
}  # fmt: skip


@dataclass
class Receiver:
    """One endpoint's receiver: what came, and when."""

    faults: Sequence[str]
    chance: random.Random
    sent: asyncio.Event
    endpoint: str = ""
    gone: bool = False
    said_gone: bool = False
    twice: int = 0
    mended: asyncio.Event = field(default_factory=asyncio.Event)
    digests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    taken: set[str] = field(default_factory=set)
    order: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    lags: list[float] = field(default_factory=list)
    calls: int = 0
    port: int = 0

    @property
    def name(self) -> str:
        return "+".join(self.faults) or "healthy"

    def lag(self, share: float) -> float:
        """How long after it happened an event was taken, at most, for this share of them."""
        lags = sorted(self.lags) or [0.0]
        return lags[min(int(len(lags) * share), len(lags) - 1)]

    def behave(self) -> None:
        """From now on all is well; who is kept waiting is let go."""
        self.mended.set()

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
            self.calls += 1
            self.sent.set()
            self.digests[headers["webhook-id"]].add(hashlib.sha256(body).hexdigest())
            fault = self._fault()
            await (self._take(headers, body, out) if fault is None else self._fail(fault, out))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            out.close()

    def _fault(self) -> str | None:
        """What goes wrong with this call. 410 is said once, since nobody says it and goes on listening."""
        if self.mended.is_set() or not self.faults or self.chance.random() > SHARE:
            return None
        fault = self.chance.choice(self.faults)
        if fault == "410":
            if self.said_gone:
                return None
            self.said_gone = self.gone = True
        return fault

    async def _fail(self, fault: str, out: asyncio.StreamWriter) -> None:
        if fault == "timeout":
            await self.mended.wait()
        if fault in ("timeout", "reset"):
            out.transport.abort()
            return
        if fault == "slow":
            await asyncio.sleep(2)
        out.write(f"HTTP/1.1 {ANSWERS[fault]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await out.drain()

    async def _take(self, headers: dict[str, str], body: bytes, out: asyncio.StreamWriter) -> None:
        event = headers["webhook-id"]
        if event in self.taken:
            self.twice += 1
        else:
            told = msgspec.json.decode(body)
            self.taken.add(event)
            self.order[told["subject"]["id"]].append(int(headers["sparelane-sequence"]))
            self.lags.append(time.time() - datetime.fromisoformat(told["recorded_at"]).timestamp())
        out.write(b"HTTP/1.1 204 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await out.drain()


def receivers_for(count: int, faults: Sequence[str], sent: asyncio.Event, seed: int) -> list[Receiver]:
    """A healthy receiver, and others that share the faults."""
    others = max(count - 1, 1)
    shares = [(), *(tuple(faults[at::others]) for at in range(others))]
    return [Receiver(shares[at], random.Random(seed + at), sent) for at in range(count)]
