"""Devices, their history and their warranty through the front door, on both axes of time."""

from datetime import timedelta

import httpx
import pytest

from app.core.clock import SteppedClock
from tests.api.warranty_cast import asked, camera_world, happened, made, registered, restarted_camera, state
from tests.builders import unique

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(api: httpx.AsyncClient) -> dict[str, str]:
    return await camera_world(api)


async def test_W1_W9_the_letters_device_on_its_last_day(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    serial = await restarted_camera(api, world)
    answer = await asked(api, f"/v1/devices/{serial}/warranty", on="2018-07-31")
    days = {"first_day": "2015-08-01", "last_day": "2018-07-31", "days_left": 0}
    assert answer["device"] == {"status": "covered", "payer": "oem_service", **days}
    assert state(answer, "psu") == {
        "position": "psu",
        "part_number": world["psu"],
        "key": True,
        "status": "covered",
        "first_day": "2017-05-11",
        "last_day": "2020-05-10",
        "payer": "oem_service",
        "restarted": True,
    }
    assert (answer["serial"], answer["model"], answer["known_at"]) == (serial, world["model"], None)
    assert answer["provisional"] is False
    assert {one["rule"] for one in answer["reasons"]} >= {"W1", "W2", "W4", "W9"}
    assert [one for one in answer["reasons"] if one["text"] == one["code"]] == []


async def test_W4_the_restarted_part_outlives_the_device(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    serial = await restarted_camera(api, world)
    answer = await asked(api, f"/v1/devices/{serial}/warranty", on="2018-08-01")
    assert answer["device"]["status"] == "expired"
    assert (state(answer, "psu")["status"], state(answer, "psu")["payer"]) == ("covered", "vendor")
    assert state(answer, "lens-1")["status"] == "expired"


async def test_W10_as_of_a_day_before_the_restart(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    serial = await restarted_camera(api, world)
    before = await asked(api, f"/v1/devices/{serial}/warranty", on="2017-05-09")
    assert state(before, "psu")["last_day"] == "2018-07-31"


async def test_W10_as_known_before_a_correction(
    api: httpx.AsyncClient, world: dict[str, str], clock: SteppedClock
) -> None:
    serial = await registered(api, world, accepted_on="2025-07-31")
    first = (await asked(api, f"/v1/devices/{serial}/events"))["items"][0]
    known = clock.now().isoformat()
    clock.step(timedelta(hours=1))
    await made(
        api,
        f"/v1/devices/{serial}/events",
        type="corrected",
        event=first["id"],
        reason="the protocol says June",
        on="2025-06-30",
    )
    now = await asked(api, f"/v1/devices/{serial}/warranty", on="2026-01-01")
    then = await asked(api, f"/v1/devices/{serial}/warranty", on="2026-01-01", known_at=known)
    assert now["device"]["last_day"] == "2028-06-30"
    assert (then["device"]["last_day"], then["known_at"]) == ("2028-07-31", known.replace("+00:00", "Z"))


async def test_W4_settled_as_customer_takes_the_restart_back(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    serial = await registered(api, world, accepted_on="2015-07-31")
    cause = {"cause": "undetermined", "system_stopped": True}
    replaced = await happened(api, serial, "component_replaced", "2017-05-10T01:00:00Z", position="psu", **cause)
    await happened(api, serial, "operation_confirmed", "2017-05-10T03:00:00Z", position="psu")
    open_ = await asked(api, f"/v1/devices/{serial}/warranty", on="2018-01-01")
    assert (open_["provisional"], state(open_, "psu")["last_day"]) == (True, "2020-05-10")
    correction = {"type": "corrected", "event": replaced["id"], "reason": "spilled coffee", "cause": "customer"}
    await made(api, f"/v1/devices/{serial}/events", **correction)
    settled = await asked(api, f"/v1/devices/{serial}/warranty", on="2018-01-01")
    assert (settled["provisional"], state(settled, "psu")["last_day"]) == (False, "2018-07-31")


async def test_W13_a_swap_hands_everything_to_the_new_serial(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    serial = await restarted_camera(api, world)
    fresh = unique("CAM")
    cause = {"cause": "defect", "system_stopped": True}
    await happened(api, serial, "device_replaced", "2018-03-01T02:00:00Z", new_serial=fresh, **cause)
    old = await asked(api, f"/v1/devices/{serial}/warranty", on="2018-03-01")
    new = await asked(api, f"/v1/devices/{fresh}/warranty", on="2018-03-01")
    assert old["device"]["status"] == "replaced"
    assert any(one["facts"].get("new_serial") == fresh for one in old["reasons"])
    assert (new["device"]["status"], new["device"]["last_day"]) == ("covered", "2018-07-31")
    assert state(new, "psu")["last_day"] == "2020-05-10"
    await happened(api, fresh, "operation_confirmed", "2018-03-01T04:00:00Z", position="unit")
    restarted = await asked(api, f"/v1/devices/{fresh}/warranty", on="2018-08-01")
    assert (restarted["device"]["status"], restarted["device"]["last_day"]) == ("covered", "2021-03-01")
    assert state(restarted, "lens-1")["last_day"] == "2021-03-01"
    assert (await asked(api, f"/v1/devices/{serial}"))["replaced_by"] == fresh
    shown = await asked(api, f"/v1/devices/{fresh}")
    assert (shown["replaces"], shown["installed_on"], shown["contract"]) == (serial, "2018-03-01", world["contract"])
    before = await asked(api, f"/v1/devices/{fresh}/warranty", on="2018-02-28")
    assert (before["device"]["status"], before["device"]["payer"]) == ("not_started", None)


async def test_W1_acceptance_of_the_contract_anchors_what_has_no_date_of_its_own(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    plain, own = await registered(api, world), await registered(api, world, accepted_on="2026-02-01")
    waiting = await asked(api, f"/v1/devices/{plain}/warranty")
    none = {"first_day": None, "last_day": None, "days_left": None}
    assert waiting["device"] == {"status": "not_started", "payer": "vendor", **none}
    accepted = await made(api, f"/v1/contracts/{world['contract']}/accept", accepted_on="2026-01-31")
    assert (accepted["devices"], accepted["accepted_on"]) == (1, "2026-01-31")
    assert (await asked(api, f"/v1/devices/{plain}"))["accepted_on"] == "2026-01-31"
    assert (await asked(api, f"/v1/devices/{own}"))["accepted_on"] == "2026-02-01"
    later = await registered(api, world)
    assert (await asked(api, f"/v1/devices/{later}"))["accepted_on"] == "2026-01-31"
    again = await made(api, f"/v1/contracts/{world['contract']}/accept", accepted_on="2026-01-31")
    assert again["devices"] == 0
    other = await api.post(f"/v1/contracts/{world['contract']}/accept", json={"accepted_on": "2026-03-01"})
    assert (other.status_code, other.json()["code"]) == (409, "contract.accepted_already")


async def test_W1_a_later_amendment_or_model_does_not_rewrite_a_device(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    serial = await registered(api, world, accepted_on="2026-01-31")
    before = await asked(api, f"/v1/devices/{serial}")
    terms = {"valid_from": "2020-01-01", "terms": {"months": 12}}
    await made(api, f"/v1/contracts/{world['contract']}/amendments", **terms)
    after = await asked(api, f"/v1/devices/{serial}")
    assert (after["terms"], after["positions"]) == (before["terms"], before["positions"])
    assert (await asked(api, f"/v1/devices/{serial}/warranty"))["device"]["last_day"] == "2029-01-31"
    new = await registered(api, world, accepted_on="2026-01-31")
    assert (await asked(api, f"/v1/devices/{new}/warranty"))["device"]["last_day"] == "2027-01-31"
    early = await registered(api, world, accepted_on="2019-12-31")
    assert (await asked(api, f"/v1/devices/{early}"))["terms"]["months"] == 36


async def test_W1_terms_are_frozen_at_acceptance_not_at_registration(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    serial = await registered(api, world)
    await made(api, f"/v1/contracts/{world['contract']}/amendments", valid_from="2020-01-01", terms={"months": 48})
    await made(api, f"/v1/contracts/{world['contract']}/accept", accepted_on="2026-01-31")
    assert (await asked(api, f"/v1/devices/{serial}/warranty"))["device"]["last_day"] == "2030-01-31"


async def test_W13_cover_follows_a_transfer_and_dates_follow_the_zone(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    serial = await registered(api, world, accepted_on="2025-01-31")
    away = unique("SITE")
    where = {"latitude": 40.7, "longitude": -74.0, "timezone": "America/New_York", "area": world["area"]}
    await made(api, "/v1/sites", code=away, customer=world["customer"], name="Away", **where)
    await happened(api, serial, "transferred", "2026-03-01T00:00:00Z", site=away)
    shown = await asked(api, f"/v1/devices/{serial}")
    assert (shown["site"], shown["version"]) == (away, 2)
    today = await asked(api, f"/v1/devices/{serial}/warranty")
    assert (today["on"], today["device"]["last_day"]) == ("2026-11-21", "2028-01-31")


async def test_lists_filter_and_page(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    serials = sorted([await registered(api, world) for _ in range(3)])
    page = await asked(api, "/v1/devices", contract=world["contract"], limit=2)
    assert [one["serial"] for one in page["items"]] == serials[:2]
    rest = await asked(api, "/v1/devices", contract=world["contract"], limit=2, cursor=page["next"])
    assert ([one["serial"] for one in rest["items"]], rest["next"]) == (serials[2:], None)
    assert (await asked(api, "/v1/devices", customer=world["customer"], site="nowhere"))["items"] == []
    events = await asked(api, f"/v1/devices/{await restarted_camera(api, world)}/events", limit=2)
    assert [one["type"] for one in events["items"]] == ["accepted", "component_replaced"]
    assert events["next"] is not None


@pytest.mark.parametrize(("on", "open_"), [("2026-03-01", True), ("2026-03-16", True), ("2026-03-17", False)])
async def test_W8b_the_answer_says_until_when_goods_may_go_back(
    api: httpx.AsyncClient, world: dict[str, str], on: str, open_: bool
) -> None:
    serial = await registered(api, world, delivered_on="2026-03-01")
    answer = await asked(api, f"/v1/devices/{serial}/warranty", on=on)
    told = [one["facts"]["last_day"] for one in answer["reasons"] if one["rule"] == "W8b"]
    assert told == (["2026-03-16"] if open_ else [])
