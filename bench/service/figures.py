"""The figures: each measured in pairs, ours and its yardstick in turns, and told as the median of the pairs' ratios."""

import http.client
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from app.core.etags import entity_tag
from bench.service.bare import bare_server
from bench.service.capture import read_script, transaction_script
from bench.service.client import Job, Seen, Wrong, load, payload
from bench.service.pgbench import pgbench
from bench.service.stage import CHECKED, Stage

LOOKUP_CLIENTS = 16
REQUEST_CLIENTS = 32
SINGLES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the report: medians of both sides in `unit`, and the median ratio, where more is better."""

    name: str
    ours: float
    yardstick: float
    unit: str
    ratio: float
    spread: tuple[float, float]
    goal: float | None
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long and how often."""

    pairs: int
    seconds: float
    singles: int


def paired(
    name: str, effort: Effort, ours: Callable[[], float], yardstick: Callable[[], float], *, unit: str,
    goal: float | None = None, inverse: bool = False, more: Callable[[], str] = lambda: "",
) -> Figure:  # fmt: skip
    """Measure in turns, beginning with each side in turn. `inverse`: less is better, as with times."""
    found: list[tuple[float, float]] = []
    for number in range(effort.pairs):
        if number % 2:
            other = yardstick()
            found.append((ours(), other))
        else:
            own = ours()
            found.append((own, yardstick()))
    ratios = [other / own if inverse else own / other for own, other in found]
    return Figure(
        name=name,
        ours=median(own for own, _ in found),
        yardstick=median(other for _, other in found),
        unit=unit,
        ratio=median(ratios),
        spread=(min(ratios), max(ratios)),
        goal=goal,
        more=more(),
    )


def lookups(stage: Stage, effort: Effort) -> Figure:
    """GET …/warranty beside the bare look-up of the same rows, over the same client."""
    paths = [f"/v1/devices/{serial}/warranty" for serial in stage.serials]
    latencies: list[Seen] = []

    def run(port: int, key: str) -> Seen:
        payloads = [payload("GET", path, key=key) for path in paths]
        return load(Job(port=port, payloads=payloads, connections=LOOKUP_CLIENTS, seconds=effort.seconds))

    def ours() -> float:
        latencies.append(run(stage.port, stage.key))
        return latencies[-1].per_s

    with bare_server(stage.url, stage.lookup) as port:
        wait_for(port, paths[0])
        run(stage.port, stage.key)  # both warm: plans, caches, connections
        run(port, "")
        return paired(
            "warranty look-up over HTTP / bare ASGI + asyncpg", effort, ours, lambda: run(port, "").per_s,
            unit="/s", goal=0.6, more=lambda: quantiles(latencies),
        )  # fmt: skip


def tags(stage: Stage, effort: Effort) -> Figure:
    """GET …/warranty answered 304 to whoever has it, beside the same answered whole; and what making the tag takes of it.

    In the server's CPU time, since the two differ by less than what else the machine does.
    """
    paths = [f"/v1/devices/{serial}/warranty" for serial in stage.serials]
    known = [answered(stage, path) for path in paths]
    whole = [payload("GET", path, key=stage.key) for path in paths]
    tagged = [{"If-None-Match": tag} for tag, _ in known]
    asking = [payload("GET", path, key=stage.key, more=one) for path, one in zip(paths, tagged, strict=True)]

    def run(payloads: list[str], status: int) -> float:
        began = cpu_s(stage.pid)
        job = Job(port=stage.port, payloads=payloads, connections=LOOKUP_CLIENTS, seconds=effort.seconds)
        seen = load(job, status=status)
        return 1e6 * (cpu_s(stage.pid) - began) / sum(seen.statuses.values())

    def told() -> str:
        began = time.process_time()
        for _, body in known:
            entity_tag(body, None)
        each_us = 1e6 * (time.process_time() - began) / len(known)
        return (
            f"one tag {each_us:.1f} µs; an answer's body {median(len(body) for _, body in known):,.0f} bytes, or none"
        )

    run(whole, 200)
    return paired(
        "CPU of a warranty look-up answered 304 / answered whole", effort, lambda: run(asking, 304),
        lambda: run(whole, 200), unit="µs", inverse=True, more=told,
    )  # fmt: skip


def cpu_s(pid: int) -> float:
    """The CPU time a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def answered(stage: Stage, path: str) -> tuple[str, bytes]:
    """The tag and the body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", stage.port, timeout=5)
    connection.request("GET", path, headers={"Authorization": f"Bearer {stage.key}"})
    answer = connection.getresponse()
    body, tag = answer.read(), answer.headers["ETag"]
    connection.close()
    if tag is None:
        raise Wrong(f"{path} has no tag: {body[:200]!r}")
    return tag, body


def wait_for(port: int, path: str) -> None:
    """Until something answers there; Wrong after ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise Wrong("the bare look-up did not start")


def quantiles(seen: Sequence[Seen]) -> str:
    """p50 and p95 of our side, each the median over the pairs."""
    p50, p95 = (median(one.percentiles_ms[at] for one in seen) for at in (50, 95))
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms"


def checks(stage: Stage, effort: Effort) -> Figure:
    """POST /v1/warranty/check of 1,000 serials beside the same SQL in pgbench, one client each."""
    body = json.dumps({"serials": stage.serials[:CHECKED]}).encode()
    whole = payload("POST", "/v1/warranty/check", key=stage.key, body=body)
    script, variables = read_script(stage.check)

    def ours() -> float:
        seen = load(Job(port=stage.port, payloads=[whole], connections=1, seconds=effort.seconds))
        return 1000 * seen.seconds / sum(seen.statuses.values())

    def yardstick() -> float:
        return pgbench(stage.url, [script], clients=1, seconds=effort.seconds, variables=variables).mean_ms

    ours()
    yardstick()
    return paired(
        f"check of {CHECKED:,} serials over HTTP / the same SQL in pgbench", effort, ours, yardstick, unit="ms",
        goal=0.6, inverse=True,
    )  # fmt: skip


def requests(stage: Stage, effort: Effort) -> Figure:
    """Part requests for one hot shelf beside the same write transactions in pgbench, 32 clients each."""
    payloads = [payload("POST", "/v1/part-requests", key=stage.key, body=body) for body in stage.hot]
    scripts = [transaction_script(one) for one in stage.accepts]
    latencies: list[Seen] = []

    def ours() -> float:
        job = Job(port=stage.port, payloads=payloads, connections=REQUEST_CLIENTS, seconds=effort.seconds)
        latencies.append(load(job, status=201))
        return latencies[-1].per_s

    def yardstick() -> float:
        return pgbench(stage.url, scripts, clients=REQUEST_CLIENTS, seconds=effort.seconds).per_s

    ours()
    yardstick()
    latencies.clear()
    return paired(
        f"part requests on one hot shelf, {REQUEST_CLIENTS} clients / their write transaction in pgbench", effort,
        ours, yardstick, unit="/s", goal=0.5, more=lambda: quantiles(latencies),
    )  # fmt: skip


def singles(stage: Stage, effort: Effort) -> list[Figure]:
    """One asker at a time: a promise, and a request with its promise, each then canceled, in a region with a plan."""
    script = transaction_script(stage.accepts[0])
    asked: dict[str, list[float]] = {"/v1/promises": [], "/v1/part-requests": []}
    connection = http.client.HTTPConnection("127.0.0.1", stage.port)
    headers = {"Authorization": f"Bearer {stage.key}", "Content-Type": "application/json"}

    def post(path: str, body: bytes) -> tuple[float, dict[str, object]]:
        began = time.perf_counter()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        read = answer.read()
        took_ms = 1000 * (time.perf_counter() - began)
        if answer.status not in (200, 201):
            raise Wrong(read.decode())
        return took_ms, json.loads(read)

    def promise() -> float:
        found = [post("/v1/promises", body)[0] for body in turns(stage.local, effort.singles)]
        asked["/v1/promises"] += found
        return median(found)

    def request() -> float:
        found = []
        for body in turns(stage.local, effort.singles):
            took_ms, made = post("/v1/part-requests", body)
            found.append(took_ms)
            post(f"/v1/part-requests/{made['id']}/cancel", b'{"reason": "bench"}')
        asked["/v1/part-requests"] += found
        return median(found)

    def yardstick() -> float:
        return pgbench(stage.url, [script], clients=1, seconds=max(1, effort.seconds / 3)).mean_ms

    def told(path: str) -> str:
        ordered = sorted(asked[path])
        return f"p50 {median(ordered):.1f} ms, p95 {ordered[int(0.95 * len(ordered))]:.1f} ms of {len(ordered)}"

    return [
        paired("one promise / one request's write transaction in pgbench", effort, promise, yardstick, unit="ms",
               inverse=True, more=lambda: told("/v1/promises")),
        paired("one request with its promise / its write transaction in pgbench", effort, request, yardstick, unit="ms",
               inverse=True, more=lambda: told("/v1/part-requests")),
    ]  # fmt: skip


def turns(bodies: list[bytes], times: int) -> list[bytes]:
    return [bodies[number % len(bodies)] for number in range(times)]
