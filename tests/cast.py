"""The fixed cast of the journeys: a customer's site in Yinchuan, a camera under warranty, a stocked warehouse, couriers."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.builders import unique

YINCHUAN = (38.4872, 106.2309)
AIRPORT = (38.3229, 106.3933)
XIAN = (34.3416, 108.9398)


async def made(api: httpx.AsyncClient, path: str, body: dict[str, Any], status: int = 201) -> Any:
    """POST and insist on success."""
    answer = await api.post(path, json=body)
    assert answer.status_code == status, f"{path}: {answer.text}"
    return answer.json()


@dataclass(kw_only=True)
class World:
    """One customer's world, with names that nobody else has."""

    api: httpx.AsyncClient
    customer: str = field(default_factory=lambda: unique("CUST"))
    contract: str = field(default_factory=lambda: unique("HT"))
    area: str = field(default_factory=lambda: unique("YC"))
    site: str = field(default_factory=lambda: unique("SITE"))
    local: str = field(default_factory=lambda: unique("YC-WH"))
    branch: str = field(default_factory=lambda: unique("XA-BR"))
    model: str = field(default_factory=lambda: unique("CAM"))
    psu: str = field(default_factory=lambda: unique("PSU"))
    fan: str = field(default_factory=lambda: unique("FAN"))
    serial: str = field(default_factory=lambda: unique("SN"))
    shift: Any = "24x7"
    couriers: list[str] = field(default_factory=list)

    @property
    def courier(self) -> str:
        """The first of the local warehouse's couriers, in the order of their codes."""
        return min(self.couriers)

    async def receive(self, part: str, quantity: int, *, place: str | None = None, **more: Any) -> None:
        """Stock of a part at a place (the local warehouse), 98.50 each unless said otherwise."""
        line = {"part_number": part, "quantity": quantity, "unit_cost": {"amount": "98.50", "currency": "CNY"}, **more}
        await made(self.api, "/v1/receipts", {"place": place or self.local, "reference": unique("PO"), "lines": [line]})

    async def device(self, **more: Any) -> str:
        """One more device of the model at the site."""
        serial = unique("SN")
        await made(self.api, "/v1/devices", self.device_body(serial) | more)
        return serial

    def device_body(self, serial: str) -> dict[str, Any]:
        return {
            "serial": serial, "model": self.model, "site": self.site, "contract": self.contract,
            "delivered_on": "2025-02-20",
        }  # fmt: skip

    def request(self, **changes: Any) -> dict[str, Any]:
        """A request for the power supply of the camera."""
        body: dict[str, Any] = {
            "device_serial": self.serial,
            "priority": "severe",
            "failure": {
                "occurred_at": "2026-11-22T09:10:00+08:00",
                "cause": "defect",
                "system_stopped": True,
            },
            "lines": [{"part_number": self.psu, "quantity": 1, "position": "psu"}],
        }
        return body | changes

    async def ask(self, **changes: Any) -> Any:
        return await made(self.api, "/v1/part-requests", self.request(**changes))

    async def do(self, request: str, verb: str, status: int = 200, **body: Any) -> Any:
        """One verb of the journey."""
        return await made(self.api, f"/v1/part-requests/{request}/{verb}", body, status)


async def a_world(api: httpx.AsyncClient, **changes: Any) -> World:
    """Set everything up through the front door."""
    world = World(api=api, **changes)
    places = ((world.local, "own", YINCHUAN, world.area), (world.branch, "branch", XIAN, None))
    for code, kind, (latitude, longitude), area in places:
        body = {
            "code": code, "name": code, "kind": kind, "latitude": latitude, "longitude": longitude,
            "timezone": "Asia/Shanghai", "preparation_minutes": 10,
        }  # fmt: skip
        await made(api, "/v1/places", body | ({"area": area} if area else {}))
    await made(api, "/v1/contracts", {"number": world.contract, "customer": world.customer, "currency": "CNY",
                                      "accepted_on": "2025-03-01"})  # fmt: skip
    await made(api, "/v1/sites", {
        "code": world.site, "customer": world.customer, "name": "机场北", "latitude": AIRPORT[0], "longitude": AIRPORT[1],
        "timezone": "Asia/Shanghai", "area": world.area,
    })  # fmt: skip
    await made(
        api, "/v1/parts", {"number": world.psu, "name": "电源 12V 5A", "tracking": "none", "fitting_minutes": 20}
    )
    await made(api, "/v1/parts", {"number": world.fan, "name": "风扇", "tracking": "none", "fitting_minutes": 10})
    positions = [
        {"position": "psu", "part_number": world.psu, "key": True},
        {"position": "fan", "part_number": world.fan, "key": False},
    ]
    await made(api, "/v1/models", {"code": world.model, "name": "Camera", "positions": positions})
    await made(api, "/v1/devices", world.device_body(world.serial))
    for number in (1, 2):
        body = {"code": unique("K"), "name": f"courier {number}", "place": world.local, "shift": world.shift}
        world.couriers.append((await made(api, "/v1/couriers", body))["code"])
    await made(api, "/v1/lanes", {"carrier": "SF", "from_place": world.branch, "to_area": world.area,
                                  "cutoffs": ["12:00", "18:00"], "transit_hours": 20, "cost": "35.00"})  # fmt: skip
    return world
