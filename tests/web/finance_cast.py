"""What finance's tests stand on: jobs that were charged, and jobs that were covered and claimed."""

from typing import Any

from tests.builders import unique
from tests.cast import World, made


async def charged(world: World, **more: Any) -> dict[str, Any]:
    """A job out of warranty, agreed and picked: its request, and the charge of 98.50."""
    serial = await world.device(delivered_on="2018-01-01", accepted_on="2018-02-01")
    asked = await world.ask(device_serial=serial, ticket={"system": "helpdesk", "number": unique("T")}, **more)
    await world.do(asked["id"], "consent", agreed=True)
    await world.do(asked["id"], "pick")
    charges = (await world.api.get("/v1/charges", params={"request": asked["id"]})).json()["items"]
    return {"serial": serial, "request": asked, "charge": charges[0]}


async def claimed(world: World, **more: Any) -> dict[str, Any]:
    """A job under the OEM's warranty, picked, with 20.00 of transport: its request, and the claim of 98.50."""
    serial = await world.device()
    asked = await world.ask(device_serial=serial, ticket={"system": "helpdesk", "number": unique("T")}, **more)
    await world.do(asked["id"], "pick")
    await world.do(asked["id"], "costs", kind="transport", amount="20.00")
    claims = (await world.api.get("/v1/recoveries", params={"request": asked["id"]})).json()["items"]
    return {"serial": serial, "request": asked, "claim": claims[0]}


async def corrected(world: World, serial: str) -> None:
    """It becomes known that the device was accepted years later than was written: it was under warranty after all."""
    events = (await world.api.get(f"/v1/devices/{serial}/events")).json()["items"]
    accepted = next(one["id"] for one in events if one["type"] == "accepted")
    correction = {"type": "corrected", "event": accepted, "reason": "wrong year", "on": "2025-02-01"}
    await made(world.api, f"/v1/devices/{serial}/events", correction)


async def fitted(world: World, request: str) -> None:
    """From the shelf to the device, by the first courier of the warehouse."""
    await world.do(request, "pick")
    await world.do(request, "dispatch", courier=world.courier)
    await world.do(request, "deliver")
    await world.do(request, "fit")
