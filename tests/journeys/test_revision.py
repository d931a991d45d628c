"""W12: a corrected acceptance date lists what changes before it is accepted, then frees whom it should never have charged."""

import pytest

from tests.cast import a_world, made

pytestmark = pytest.mark.anyio


async def test_W12_a_corrected_acceptance_lists_the_amounts_and_then_takes_the_charge_back(api):
    world = await a_world(api)
    late = await world.device(delivered_on="2018-01-01", accepted_on="2018-02-01")
    await world.receive(world.psu, 1)
    request = await world.ask(device_serial=late)
    assert (request["state"], request["price"]["amount"]) == ("awaiting_consent", "98.50")
    await world.do(request["id"], "consent", agreed=True)
    await world.do(request["id"], "pick")
    events = (await api.get(f"/v1/devices/{late}/events")).json()["items"]
    accepted = next(one["id"] for one in events if one["type"] == "accepted")
    path = f"/v1/verdicts/{request['entitlement']['verdict']}/revision"
    assert (await api.get(path)).json()["changes"] == []
    correction = {"type": "corrected", "event": accepted, "reason": "wrong year", "on": "2025-02-01"}
    await made(api, f"/v1/devices/{late}/events", correction)
    shown = (await api.get(path)).json()
    assert [(one["before"], one["after"]) for one in shown["amounts"]] == [("98.50", "0.00")]
    assert (shown["verdict"], shown["covered"]) == (None, True)
    charges = (await api.get("/v1/charges", params={"request": request["id"]})).json()["items"]
    assert [one["price"]["amount"] for one in charges] == ["98.50"]
    new = await made(api, path, {})
    after = (await api.get(f"/v1/part-requests/{request['id']}")).json()
    assert (after["entitlement"]["verdict"], after["price"]["amount"]) == (new["verdict"], "0.00")
    charges = (await api.get("/v1/charges", params={"request": request["id"]})).json()["items"]
    assert sum(float(one["price"]["amount"]) for one in charges) == 0
    again = await api.post(path, json={})
    assert (again.status_code, again.json()["code"]) == (409, "verdict.superseded")
