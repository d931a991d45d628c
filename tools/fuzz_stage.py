"""Life in the demo network, and its names: a fuzzer that makes every name up is told 404 and sees nothing of what comes after.

The names go into schemathesis's dictionaries: most of what it asks is about things that exist, some still about nothing.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook

from app.integrations.jobs.act import act_on_receipts

Names = Mapping[str, list[str]]
MOST = 24
LISTED = {
    "place": ("places", "code"), "area": ("areas", "code"), "site": ("sites", "code"), "bin": ("bins", "code"),
    "customer": ("customers", "code"), "contract": ("contracts", "number"), "part": ("parts", "number"),
    "model": ("models", "code"), "courier": ("couriers", "code"), "user": ("users", "id"),
    "request": ("part-requests", "id"), "charge": ("charges", "id"), "recovery": ("recoveries", "id"),
    "transfer": ("transfers", "id"), "connection": ("connections", "code"), "draft": ("drafts", "id"),
    "hook_receipt": ("hook-receipts", "id"), "endpoint": ("webhook-endpoints", "id"), "event_type": ("event-types", "type"),
}  # fmt: skip
"""What exists, by its list in the API and the field that names it there."""
BOUND = {
    **{f"path.{name}": name for name in ("serial", "courier", "line")},
    **{f"path.{name}_id": name for name in ("request", "verdict", "charge", "recovery", "transfer", "endpoint", "draft")},
    "path.from_place": "place", "path.to_area": "area", "path.user_id": "user", "path.name": "event_type",
    **{f"query.{name}": name for name in ("place", "area", "part", "customer", "contract", "site", "model", "serial")},
    **{f"query.{name}": name for name in ("request", "connection", "endpoint")},
    **{f"body.{name}": name for name in ("place", "area", "customer", "contract", "site", "model", "courier", "serial")},
    **{f"body.{name}": "moment" for name in ("occurred_at", "failure.occurred_at", "received_at", "failed_at")},
    **{f"body.{name}": name for name in ("position", "line", "bin", "carrier", "waybill")},
    **{f"body.lines[*].{name}": name for name in ("position", "serial", "bin")},
    "body.device_serial": "serial", "body.part_number": "part", "body.lines[*].part_number": "part",
    "body.lines[*].id": "line", "body.from_place": "place", "body.to_place": "place", "body.scanned": "part",
    "body.serials[*]": "serial", "body.parts[*]": "part", "body.sources[*]": "place", "body.currency": "currency",
    "body.unit_cost.currency": "currency", "body.lines[*].unit_cost.currency": "currency", "body.amount.currency": "currency",
}  # fmt: skip
"""Where a name may stand, and which it is."""
BY_PATH = {
    "areas": "area", "sites": "site", "places": "place", "models": "model", "customers": "customer", "couriers": "courier",
    "connections": "connection", "contracts": "contract", "parts": "part", "hook-receipts": "hook_receipt",
}  # fmt: skip
"""What `{code}`, `{number}` and `{receipt_id}` name in the addresses below each."""
LIKELY = {"path": 0.85, "query": 0.4, "body": 0.75}
SECRET = "whsec_" + "QUJD" * 12
STAGES: tuple[tuple[str, ...], ...] = (
    (), ("answer", "pick"), ("pick", "pack", "dispatch"), ("pick", "dispatch", "deliver", "fit"),
    ("pick", "dispatch", "deliver", "fit", "confirm"), ("hold",), ("pick", "dispatch"), ("cancel",),
)  # fmt: skip
BODIES: Mapping[str, dict[str, Any]] = {
    "answer": {"method": "parts", "plan": "a courier brings it"}, "dispatch": {"carrier": "SF", "waybill": "SF1"},
    "confirm": {"operation_normal": True}, "hold": {"reason": "site_access"}, "cancel": {"reason": "the cable"},
    "consent": {"agreed": True},
}  # fmt: skip


async def lived_in(api: httpx.AsyncClient, engine: AsyncEngine) -> Names:
    """Requests at every stage of their journey, money, transfers, tickets that wait, a webhook; then everybody's names."""
    cameras = await _listed(api, "devices", "serial", site="YC-AIRPORT-03", model="CAM-B200")
    for number, serial in enumerate(cameras[: len(STAGES) * 2]):
        cause = "customer" if number >= len(STAGES) and STAGES[number % len(STAGES)] else "defect"
        await _to_stage(api, serial, STAGES[number % len(STAGES)], cause)
    stock = (await api.get("/v1/stock", params={"limit": 50})).raise_for_status().json()["items"]
    ours = [one for one in stock if one["available"] > 1 and one["stock"] == "ours" and one["condition"] == "new"]
    for one in ours[:3]:
        lines = [{"part_number": one["part_number"], "quantity": 1}]
        to_place = next(
            other["place"] for other in stock if other["place"] != one["place"] and other["stock"] == "ours"
        )
        await _made(api, "transfers", {"from_place": one["place"], "to_place": to_place, "lines": lines})
    await _tickets(api, engine)
    await _made(api, "webhook-endpoints", {"url": "https://93.184.216.34/", "event_types": ["charge.made"]})
    names = {name: await _listed(api, path, field) for name, (path, field) in LISTED.items()}
    requests = (await api.get("/v1/part-requests", params={"limit": 50})).raise_for_status().json()["items"]
    soon = datetime.now(UTC)
    return names | {
        "serial": cameras,
        "line": [line["id"] for one in requests for line in one["lines"]],
        "verdict": [one["entitlement"]["verdict"] for one in requests],
        "position": ["psu", "unit"],
        "carrier": ["SF"],
        "waybill": ["SF2"],
        "currency": ["CNY"],
        "moment": [(soon + timedelta(seconds=10 * number)).isoformat(timespec="seconds") for number in range(MOST)],
    }


async def _to_stage(api: httpx.AsyncClient, serial: str, verbs: tuple[str, ...], cause: str) -> None:
    """One request for a camera's power supply, taken so far on its way."""
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="seconds")
    failure = {"occurred_at": at, "cause": cause, "system_stopped": True}
    lines = [{"part_number": "PSU-12V-5A", "quantity": 1, "position": "psu"}]
    asked = {"device_serial": serial, "priority": "severe", "failure": failure, "lines": lines}
    request = await _made(api, "part-requests", asked)
    consent = ("consent",) if request["state"] == "awaiting_consent" else ()
    for verb in (*consent, *verbs):
        await _made(api, f"part-requests/{request['id']}/{verb}", dict(BODIES.get(verb, {})))


async def _tickets(api: httpx.AsyncClient, engine: AsyncEngine) -> None:
    """Tickets that say too little, by their webhook; and one that says nothing."""
    desk = {"code": "desk", "name": "Desk", "provider": "generic", "verify_secret": SECRET}
    await _made(api, "connections", desk)
    now = datetime.now(UTC)
    for number in range(5):
        ticket = {"number": str(number), "title": "no picture", "status": "open"} if number else {"nothing": True}
        body, name = json.dumps(ticket), f"msg_{number}"
        signed = {
            "webhook-id": name, "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(name, now, body), "content-type": "application/json",
        }  # fmt: skip
        (await api.post("/hooks/desk", content=body, headers=signed)).raise_for_status()
    await act_on_receipts(engine, datetime.now(UTC))


async def _made(api: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Any:
    answer = await api.post(f"/v1/{path}", json=body)
    if not answer.is_success:
        raise RuntimeError(f"{path}: {answer.text}")
    return answer.json()


async def _listed(api: httpx.AsyncClient, path: str, field: str, **those: str) -> list[str]:
    given = those if path == "event-types" else {"limit": "50", **those}
    answer = await api.get(f"/v1/{path}", params=given)
    return [str(one[field]) for one in answer.raise_for_status().json()["items"]]


def with_names(settings: Path, names: Names, into: Path) -> Path:
    """The fuzzer's settings with these names bound to where they belong."""
    known = {name: list(dict.fromkeys(values)) for name, values in names.items() if values}
    told = [settings.read_text(encoding="utf-8")]
    told += [f"[dictionaries.{name}]\nvalues = {json.dumps(values[-MOST:])}" for name, values in sorted(known.items())]
    told.append("\n".join(["[parameters]", *(_binding(at, name) for at, name in BOUND.items() if name in known)]))
    for below, name in BY_PATH.items():
        if name in known:
            own = [_binding(f"path.{field}", name) for field in ("code", "number", "receipt_id")]
            head = ["[[operations]]", f'include-path-regex = "^/v1/{below}/"', "[operations.parameters]"]
            told.append("\n".join([*head, *own]))
    into.write_text("\n\n".join(told) + "\n", encoding="utf-8")
    return into


def _binding(where: str, name: str) -> str:
    return f'"{where}" = {{ dictionary = "{name}", probability = {LIKELY[where.partition(".")[0]]} }}'
