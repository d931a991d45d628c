"""What may not be appended or registered, and what a stranger sees: nothing."""

from typing import Any

import httpx
import pytest

from tests.api.warranty_cast import DEFECT, asked, camera_world, happened, made, registered
from tests.builders import unique
from tests.conftest import AsRole

pytestmark = pytest.mark.anyio

World = dict[str, str]


@pytest.fixture
async def world(api: httpx.AsyncClient) -> World:
    return await camera_world(api)


async def refused(api: httpx.AsyncClient, path: str, **body: Any) -> tuple[int, str, list[str]]:
    """POST that must fail: status, code, fields."""
    answer = await api.post(path, json=body)
    problem = answer.json()
    assert problem["detail"] != problem["code"], "every refusal has a sentence"
    return answer.status_code, problem["code"], sorted(one["field"] for one in problem["errors"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"type": "accepted", "on": "2026-02-01"}, 409, "accepted.already"),
        ({"type": "component_replaced", "position": "nose", **DEFECT}, 422, "position.unknown"),
        ({"type": "component_replaced", "position": "unit", **DEFECT}, 422, "position.is_unit"),
        ({"type": "operation_confirmed", "position": "psu"}, 409, "confirm.nothing_open"),
        ({"type": "operation_confirmed", "position": "nose"}, 422, "position.unknown"),
        ({"type": "extended", "months": 565, "reason": "x"}, 422, "extended.too_long"),
        ({"type": "voided", "reason": "x", "from": "2200-01-01"}, 422, "day.out_of_range"),
        ({"type": "transferred", "site": "nowhere"}, 404, "site.not_found"),
        ({"type": "corrected", "event": "wev_0", "reason": "x", "on": "2026-01-01"}, 422, "correction.no_such_event"),
        ({"type": "component_replaced", "occurred_at": "2026-11-22T02:00:01Z", "position": "psu", **DEFECT}, 422,
         "event.in_future"),
        ({"type": "component_replaced", "occurred_at": "2025-12-31T15:59:59Z", "position": "psu", **DEFECT}, 422,
         "event.before_delivery"),
    ],
)  # fmt: skip
async def test_W10_what_the_history_does_not_allow(
    api: httpx.AsyncClient,
    world: World,
    body: dict[str, Any],
    status: int,
    code: str,
) -> None:
    serial = await registered(api, world, delivered_on="2026-01-01", accepted_on="2026-01-31")
    assert (await refused(api, f"/v1/devices/{serial}/events", **body))[:2] == (status, code)
    assert (await asked(api, f"/v1/devices/{serial}"))["version"] == 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"type": "accepted"}, ["on"]),
        ({"type": "component_replaced", "position": "psu"}, ["cause", "system_stopped"]),
        ({"type": "extended", "months": 12, "reason": "x", "cause": "defect"}, ["cause"]),
        ({"type": "voided", "reason": "x", "on": "2026-01-01"}, ["on"]),
        ({"type": "melted"}, ["type"]),
        ({"type": "extended", "months": 0, "reason": "x"}, ["months"]),
        ({"type": "extended", "months": 601, "reason": "x"}, ["months"]),
        ({"type": "component_replaced", "position": "psu", "cause": "ghosts", "system_stopped": True}, ["cause"]),
        ({"type": "accepted", "on": "2026-02-30"}, ["on"]),
        ({"type": "accepted", "on": "2026-01-01", "occurred_at": "2026-01-01T00:00:00"}, ["occurred_at"]),
        ({"type": "voided", "reason": "nul\x00", "status": "covered"}, ["reason", "status"]),
    ],
)
async def test_every_wrong_field_of_an_event_is_named(
    api: httpx.AsyncClient,
    world: World,
    body: dict[str, Any],
    fields: list[str],
) -> None:
    serial = await registered(api, world)
    status, code, named = await refused(api, f"/v1/devices/{serial}/events", **body)
    assert (status, code, named) == (422, "fields.bad", fields)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model": "nothing"}, 404, "model.not_found"),
        ({"site": "nowhere"}, 404, "site.not_found"),
        ({"contract": "none"}, 404, "contract.not_found"),
        ({"accepted_on": "1969-12-31"}, 422, "fields.bad"),
        ({"accepted_on": "9999-12-31"}, 422, "fields.bad"),
        ({"delivered_on": "0001-01-01"}, 422, "fields.bad"),
    ],
)
async def test_T104_what_cannot_be_registered(
    api: httpx.AsyncClient,
    world: World,
    change: dict[str, str],
    status: int,
    code: str,
) -> None:
    body = {"serial": unique("CAM"), "model": world["model"], "site": world["site"], "contract": world["contract"]}
    assert (await refused(api, "/v1/devices", **(body | change)))[:2] == (status, code)
    assert (await api.get(f"/v1/devices/{body['serial']}")).status_code == 404


async def test_T104_a_future_acceptance_is_not_yet_started(api: httpx.AsyncClient, world: World) -> None:
    serial = await registered(api, world, accepted_on="2027-01-31")
    device = (await asked(api, f"/v1/devices/{serial}/warranty"))["device"]
    assert (device["status"], device["first_day"], device["last_day"]) == ("not_started", "2027-02-01", "2030-01-31")


async def test_a_serial_is_registered_once_whichever_way(api: httpx.AsyncClient, world: World) -> None:
    serial, other = await registered(api, world), await registered(api, world)
    body = {"serial": serial, "model": world["model"], "site": world["site"], "contract": world["contract"]}
    assert (await refused(api, "/v1/devices", **body))[:2] == (409, "device.exists")
    events = f"/v1/devices/{serial}/events"
    assert (await refused(api, events, type="device_replaced", new_serial=other, **DEFECT))[1] == "serial.taken"
    assert (await refused(api, events, type="device_replaced", new_serial=serial, **DEFECT))[1] == "serial.taken"


async def test_a_site_of_another_customer_is_refused(api: httpx.AsyncClient, world: World) -> None:
    site, where = unique("SITE"), {"latitude": 1.0, "longitude": 1.0, "timezone": "UTC"}
    await made(api, "/v1/sites", code=site, customer=unique("CUST"), name="Elsewhere", **where)
    body = {"serial": unique("CAM"), "model": world["model"], "site": site, "contract": world["contract"]}
    assert (await refused(api, "/v1/devices", **body))[:2] == (422, "device.customer_mismatch")


async def test_W13_events_go_to_the_serial_that_stood_there(api: httpx.AsyncClient, world: World) -> None:
    serial, fresh = await registered(api, world, accepted_on="2026-01-31"), unique("CAM")
    await happened(api, serial, "device_replaced", "2026-05-01T00:00:00Z", new_serial=fresh, **DEFECT)
    late = {"type": "component_replaced", "occurred_at": "2026-05-02T00:00:00Z", "position": "psu", **DEFECT}
    assert (await refused(api, f"/v1/devices/{serial}/events", **late))[:2] == (409, "device.replaced_already")
    early = late | {"occurred_at": "2026-04-30T00:00:00Z"}
    assert (await refused(api, f"/v1/devices/{fresh}/events", **early))[1] == "event.before_installation"
    await made(api, f"/v1/devices/{serial}/events", **early)
    twice = {"type": "device_replaced", "occurred_at": "2026-04-01T00:00:00Z", "new_serial": unique("CAM"), **DEFECT}
    assert (await refused(api, f"/v1/devices/{serial}/events", **twice))[1] == "device.replaced_already"


async def test_W10_corrections_name_originals_and_their_own_fields(api: httpx.AsyncClient, world: World) -> None:
    serial, fresh = await registered(api, world, accepted_on="2026-01-31"), unique("CAM")
    path = f"/v1/devices/{serial}/events"
    replaced = await happened(api, serial, "component_replaced", "2026-05-01T00:00:00Z", position="psu", **DEFECT)
    fix = {"type": "corrected", "event": replaced["id"], "reason": "typo"}
    assert (await refused(api, path, **fix))[1] == "correction.empty"
    assert (await refused(api, path, **fix, months=3))[1] == "correction.wrong_field"
    assert (await refused(api, path, **fix, cause="undetermined"))[1] == "correction.reopens_cause"
    assert (await refused(api, path, **fix, happened_at="2027-01-01T00:00:00Z"))[1] == "event.in_future"
    correction = await made(api, path, **fix, cause="wear")
    assert (await refused(api, path, **(fix | {"event": correction["id"]}), cause="wear"))[
        1
    ] == "correction.of_correction"
    swap = await happened(api, serial, "device_replaced", "2026-06-01T00:00:00Z", new_serial=fresh, **DEFECT)
    undo = {"type": "corrected", "event": swap["id"], "reason": "wrong"}
    assert (await refused(api, path, **undo, withdrawn=True))[1] == "correction.not_undone"
    assert (await refused(api, path, **undo, new_serial="X"))[1] == "correction.wrong_field"
    await made(api, path, **undo, cause="wear")


async def test_versions_guard_events_and_acceptance(api: httpx.AsyncClient, world: World) -> None:
    serial = await registered(api, world, accepted_on="2026-01-31")
    path, extended = f"/v1/devices/{serial}/events", {"type": "extended", "months": 12, "reason": "bought"}
    assert (await api.post(path, json=extended, headers={"If-Match": "7"})).status_code == 412
    kept = await api.post(path, json=extended, headers={"If-Match": "1", "Idempotency-Key": unique("key")})
    assert (kept.status_code, kept.json()["version"]) == (201, 2)
    stale = await api.post(
        f"/v1/contracts/{world['contract']}/accept", json={"accepted_on": "2026-01-01"}, headers={"If-Match": "9"}
    )
    assert stale.status_code == 412


async def test_T37_the_same_event_sent_twice_has_one_effect(api: httpx.AsyncClient, world: World) -> None:
    serial = await registered(api, world, accepted_on="2026-01-31")
    key = {"Idempotency-Key": unique("key")}
    body = {"type": "extended", "months": 12, "reason": "bought"}
    first = await api.post(f"/v1/devices/{serial}/events", json=body, headers=key)
    again = await api.post(f"/v1/devices/{serial}/events", json=body, headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert (await asked(api, f"/v1/devices/{serial}"))["version"] == 2


async def test_T135_a_strangers_device_does_not_exist(
    api: httpx.AsyncClient,
    as_role: AsRole,
    world: World,
) -> None:
    serial = await registered(api, world, accepted_on="2026-01-31")
    stranger = await as_role("admin", customers=[unique("OTHER")])
    away = await as_role("dispatcher", areas=[unique("AREA")])
    for client in (stranger, away):
        for path in ("", "/warranty", "/events"):
            seen = await client.get(f"/v1/devices/{serial}{path}")
            missing = await client.get(f"/v1/devices/none{path}")
            assert (seen.status_code, seen.json()["code"]) == (404, "device.not_found")
            assert seen.json()["detail"] == missing.json()["detail"]
        assert (await asked(client, "/v1/devices", contract=world["contract"]))["items"] == []
        checked = (await client.post("/v1/warranty/check", json={"serials": [serial]})).json()
        assert checked == {"items": [], "unknown": [serial]}
        event = {"type": "extended", "months": 12, "reason": "x"}
        assert (await client.post(f"/v1/devices/{serial}/events", json=event)).status_code == 404
        accept = await client.post(f"/v1/contracts/{world['contract']}/accept", json={"accepted_on": "2026-01-01"})
        assert accept.status_code == (404 if client is stranger else 200)


async def test_T47_bad_cursors_and_parameters(api: httpx.AsyncClient, world: World) -> None:
    serial = await registered(api, world)
    for query in ({"cursor": "x"}, {"limit": "0"}, {"limit": "many"}):
        assert (await api.get("/v1/devices", params=query)).status_code == 400
    for query in ({"on": "2018-02-30"}, {"known_at": "yesterday"}, {"known_at": "2018-01-01T00:00:00"}):
        assert (await api.get(f"/v1/devices/{serial}/warranty", params=query)).status_code == 400
    for on in ("0001-01-01", "9999-12-31"):
        assert (await asked(api, f"/v1/devices/{serial}/warranty", on=on))["device"]["status"] == "not_started"
    assert len((await asked(api, "/v1/devices", limit=1_000_000_000))["items"]) <= 200


async def test_a_check_of_too_many_serials_is_refused(api: httpx.AsyncClient) -> None:
    answer = await refused(api, "/v1/warranty/check", serials=[f"X-{n}" for n in range(10_001)])
    assert answer[:2] == (422, "check.too_many")


@pytest.mark.parametrize("serial", ["%ff", "x" * 2000, "..%2f..", "%F0%9F%93%B7"])
async def test_T45_a_serial_nobody_can_have_is_not_found(api: httpx.AsyncClient, serial: str) -> None:
    for path in (f"/v1/devices/{serial}", f"/v1/devices/{serial}/warranty", f"/v1/verdicts/{serial}"):
        assert (await api.get(path)).status_code in (400, 404)
    listed = await api.get(f"/v1/devices?customer={serial}")
    assert listed.status_code in (200, 400)


async def test_T137_an_engineer_records_work_but_no_promises(
    api: httpx.AsyncClient, as_role: AsRole, world: World
) -> None:
    serial = await registered(api, world, accepted_on="2026-01-31")
    engineer = await as_role("engineer", customers=[world["customer"]])
    path = f"/v1/devices/{serial}/events"
    await made(engineer, path, type="component_replaced", position="psu", **DEFECT)
    assert (await refused(engineer, path, type="extended", months=12, reason="x"))[:2] == (403, "event.not_yours")
    assert (await (await as_role("warehouse")).post(path, json={})).status_code == 403


async def test_an_acceptance_is_agreed_in_the_past(api: httpx.AsyncClient, world: World) -> None:
    serial, path = await registered(api, world), f"/v1/contracts/{world['contract']}/accept"
    body = {"accepted_on": "2026-01-31"}
    assert (await refused(api, path, **body, occurred_at="2027-01-01T00:00:00Z"))[:2] == (422, "event.in_future")
    await made(api, path, **body, occurred_at="2026-02-03T01:00:00Z")
    event = (await asked(api, f"/v1/devices/{serial}/events"))["items"][0]
    assert (event["occurred_at"], event["payload"]) == ("2026-02-03T01:00:00Z", {"on": "2026-01-31"})
