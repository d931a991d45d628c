"""The load: a small keep-alive HTTP/1.1 client on raw sockets, in a process of its own so that it never slows a server.

`python -m bench.service.client` reads one job as JSON on standard input and writes what it saw on standard output.
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from time import perf_counter

from tools.server import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to send to a port of this machine: payloads in turn, over so many connections, for a time or a number."""

    port: int
    payloads: list[str]
    connections: int
    seconds: float = 0.0
    requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came back: how many answers of each status, in how many seconds, and the percentiles 0 to 99 of their
    latencies in ms."""

    seconds: float
    statuses: dict[str, int]
    percentiles_ms: list[float]

    @property
    def per_s(self) -> float:
        return sum(self.statuses.values()) / self.seconds


def payload(method: str, path: str, *, key: str = "", body: bytes = b"", more: Mapping[str, str] | None = None) -> str:
    """One whole request as it goes over the wire, with more headers."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*"]
    lines += [f"Authorization: Bearer {key}"] if key else []
    lines += [f"{name}: {value}" for name, value in (more or {}).items()]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]) + body.decode()


class Wrong(RuntimeError):
    """Some answer was not the one expected."""


def load(job: Job, *, status: int = 200) -> Seen:
    """Run a job in a fresh process. Raises Wrong unless every answer has the status."""
    command = [sys.executable, "-m", "bench.service.client"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(asdict(job)), capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise Wrong(done.stderr)
    seen = Seen(**json.loads(done.stdout))
    if set(seen.statuses) != {str(status)}:
        raise Wrong(f"expected only {status}: {seen.statuses}")
    return seen


class Connection(asyncio.Protocol):
    """One connection that sends the next payload as soon as the last answer is whole."""

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.closed = asyncio.get_running_loop().create_future()
        self.buffer = bytearray()
        self.expected = -1
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        following = self.client.following()
        if following is None:
            self.transport.close()
            return
        self.sent_at = perf_counter()
        self.transport.write(following)  # type: ignore[attr-defined]

    def data_received(self, received: bytes) -> None:
        self.buffer += received
        if self.expected < 0 and (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.buffer[:end]).lower()
            bodyless = head[9:12] == b"304"  # and says no length
            at = 0 if bodyless else head.index(b"content-length:") + 15
            self.expected = end + 4 + (0 if bodyless else int(head[at:].partition(b"\r\n")[0]))
        if 0 <= self.expected <= len(self.buffer):
            self.client.saw(bytes(self.buffer[9:12]).decode(), perf_counter() - self.sent_at)
            self.buffer.clear()
            self.expected = -1
            self.send()

    def connection_lost(self, broken: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(broken)


class Client:
    """All connections of one job, and what they saw."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.loop = asyncio.get_running_loop()
        self.payloads = [one.encode() for one in job.payloads]
        self.numbers = count()
        self.statuses: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.began = perf_counter()

    def following(self) -> bytes | None:
        """The next payload to send; None once the time is up or the number is reached."""
        number = next(self.numbers)
        if self.job.requests and number >= self.job.requests:
            return None
        if self.job.seconds and perf_counter() - self.began >= self.job.seconds:
            return None
        return self.payloads[number % len(self.payloads)]

    def saw(self, status: str, latency_s: float) -> None:
        self.statuses[status] += 1
        self.latencies.append(latency_s)

    async def run(self) -> Seen:
        made = [
            await self.loop.create_connection(lambda: Connection(self), "127.0.0.1", self.job.port)
            for _ in range(self.job.connections)
        ]
        ended: Sequence[Exception | None] = await asyncio.gather(*(one.closed for _, one in made))
        broken = [one for one in ended if one is not None]
        if broken or any(one.buffer for _, one in made):
            raise Wrong(f"a connection broke: {broken}")
        ordered = sorted(1000 * one for one in self.latencies)
        return Seen(
            seconds=perf_counter() - self.began,
            statuses=dict(self.statuses),
            percentiles_ms=[ordered[len(ordered) * at // 100] for at in range(100)],
        )


async def run(job: Job) -> Seen:
    return await Client(job).run()


def main() -> None:
    import uvloop

    print(json.dumps(asdict(uvloop.run(run(Job(**json.load(sys.stdin)))))))


if __name__ == "__main__":
    main()
