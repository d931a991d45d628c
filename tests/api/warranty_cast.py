"""The fixed cast of the warranty's stories: a camera at a Shanghai yard, and short ways to tell what happened to it."""

from typing import Any

import httpx

from tests.builders import unique

DEFECT = {"cause": "defect", "system_stopped": True}


async def made(api: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    """POST that must succeed."""
    answer = await api.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    result: dict[str, Any] = answer.json()
    return result


async def asked(api: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    """GET that must succeed."""
    answer = await api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def camera_world(api: httpx.AsyncClient) -> dict[str, str]:
    """A customer with a Shanghai site, a contract on default terms, a camera with a key power supply and two lenses."""
    names = {name: unique(name.upper()) for name in ("customer", "contract", "site", "model", "psu", "lens", "area")}
    for part in ("psu", "lens"):
        await made(api, "/v1/parts", number=names[part], name=part, tracking="none")
    await made(api, "/v1/customers", code=names["customer"], name="Alice")
    await made(api, "/v1/contracts", number=names["contract"], customer=names["customer"], currency="CNY")
    where = {"latitude": 31.2, "longitude": 121.5, "timezone": "Asia/Shanghai", "area": names["area"]}
    await made(api, "/v1/sites", code=names["site"], customer=names["customer"], name="Yard", **where)
    positions = [
        {"position": "psu", "part_number": names["psu"], "key": True},
        {"position": "lens-1", "part_number": names["lens"], "key": False},
        {"position": "lens-2", "part_number": names["lens"], "key": False},
    ]
    await made(api, "/v1/models", code=names["model"], name="Camera", positions=positions)
    return names


async def registered(api: httpx.AsyncClient, world: dict[str, str], **more: Any) -> str:
    serial = unique("CAM")
    body = {"serial": serial, "model": world["model"], "site": world["site"], "contract": world["contract"]}
    await made(api, "/v1/devices", **body, **more)
    return serial


async def happened(api: httpx.AsyncClient, serial: str, type_: str, at: str, **fields: Any) -> dict[str, Any]:
    return await made(api, f"/v1/devices/{serial}/events", type=type_, occurred_at=at, **fields)


async def restarted_camera(api: httpx.AsyncClient, world: dict[str, str]) -> str:
    """The letter's example: accepted 2015-07-31, power supply replaced and confirmed on 2017-05-11 Shanghai time."""
    serial = await registered(api, world, accepted_on="2015-07-31")
    cause = {"cause": "defect", "system_stopped": True}
    await happened(api, serial, "component_replaced", "2017-05-10T01:00:00Z", position="psu", **cause)
    await happened(api, serial, "operation_confirmed", "2017-05-10T03:00:00Z", position="psu")
    return serial


def state(answer: dict[str, Any], position: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in answer["components"] if one["position"] == position)
    return found
