"""How fast a ticketing system's delivery is taken in: verified, kept as it came, answered; and acted on meanwhile."""

import base64
import hashlib
import hmac
import json
import time
from itertools import count

from bench.service.capture import transaction_script
from bench.service.client import Job, Seen, load, payload
from bench.service.figures import Effort, Figure, paired, quantiles
from bench.service.pgbench import pgbench
from bench.service.stage import HOOK, HOOK_KEY, Stage

SENDERS = 4
A_SECOND = 200
"""Each delivery is another, so their number is given and not the time."""
_numbers = count(1)


def hooks(stage: Stage, effort: Effort) -> Figure:
    """POST /hooks/{connection}, signed as Standard Webhooks, beside the one insert of each in pgbench, 4 senders each."""
    latencies: list[Seen] = []
    script = transaction_script(stage.keeps)

    def ours() -> float:
        number = round(A_SECOND * effort.seconds)
        payloads = [delivery() for _ in range(number)]
        latencies.append(
            load(Job(port=stage.port, payloads=payloads, connections=SENDERS, requests=number), status=202)
        )
        return latencies[-1].per_s

    def yardstick() -> float:
        return pgbench(stage.url, [script], clients=SENDERS, seconds=effort.seconds).per_s

    ours()
    yardstick()
    latencies.clear()
    return paired(
        f"deliveries taken in, {SENDERS} senders / their insert in pgbench", effort, ours, yardstick, unit="/s",
        more=lambda: quantiles(latencies),
    )  # fmt: skip


def delivery() -> str:
    """A closed ticket nobody sent before, signed now: kept and acted on, and nothing comes of it."""
    number, stamp = next(_numbers), str(int(time.time()))
    ticket = {"number": f"B-{number}", "title": "no picture", "status": "closed", "updated_at": number}
    body = json.dumps(ticket | {"description": "The camera at the north gate is dark. " * 20})
    signed = f"msg_{number}.{stamp}.{body}".encode()
    signature = base64.b64encode(hmac.new(HOOK_KEY, signed, hashlib.sha256).digest()).decode()
    more = {"webhook-id": f"msg_{number}", "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
    return payload("POST", HOOK, body=body.encode(), more=more)
