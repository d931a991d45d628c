"""Setting up: each thing is created, read and listed; what is unknown, taken or out of scope is refused in words."""

import asyncio

import httpx
import pytest

from tests.builders import unique

pytestmark = pytest.mark.anyio


async def made(api: httpx.AsyncClient, path: str, body: dict):
    answer = await api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def a_site(**changes):
    return {
        "code": unique("SITE"), "customer": unique("CUST"), "name": "机场北", "latitude": 38.48, "longitude": 106.2,
        "timezone": "Asia/Shanghai", **changes,
    }  # fmt: skip


async def test_a_site_brings_its_customer_and_area_with_it(api):
    site = await made(api, "/v1/sites", a_site(area=unique("AREA")))
    assert (await api.get(f"/v1/customers/{site['customer']}")).status_code == 200
    assert (await api.get(f"/v1/areas/{site['area']}")).json()["sources"] == []


async def test_a_place_with_an_area_is_a_source_of_it(api):
    place = {
        "code": unique("WH"), "name": "银川仓", "kind": "own", "latitude": 38.5, "longitude": 106.2,
        "timezone": "Asia/Shanghai", "area": unique("AREA"),
        "opening_hours": {"mon": [["08:30", "18:00"]]},
    }  # fmt: skip
    shown = await made(api, "/v1/places", place)
    assert (shown["stock"], shown["opening_hours"]) == ("ours", {"mon": [["08:30", "18:00"]]})
    assert (await api.get(f"/v1/areas/{place['area']}")).json()["sources"] == [place["code"]]


async def test_a_contract_left_to_itself_takes_the_letters_terms(api):
    contract = await made(api, "/v1/contracts", {"number": unique("C"), "customer": unique("CUST"), "currency": "CNY"})
    terms = contract["terms"][0]["terms"]
    assert (terms["months"], terms["local_hours"], terms["national_hours"]) == (36, 2, 8)
    assert terms["clocks"]["severe"] == {
        "answer_minutes": 5, "depart_minutes": 60, "on_site_minutes": 120, "done_minutes": 240,
        "done_after_arrival_minutes": None,
    }  # fmt: skip


async def test_an_amendment_ends_what_was_before_it(api):
    contract = await made(api, "/v1/contracts", {"number": unique("C"), "customer": unique("CUST"), "currency": "CNY"})
    path = f"/v1/contracts/{contract['number']}/amendments"
    await made(api, path, {"valid_from": "2025-01-01", "terms": {"months": 48}})
    await made(api, path, {"valid_from": "2024-01-01", "terms": {"months": 24}})
    after = await made(api, path, {"valid_from": "2025-01-01", "terms": {"months": 60}})
    assert [(one["valid_from"], one["valid_to"], one["terms"]["months"]) for one in after["terms"]] == [
        (None, "2024-01-01", 36), ("2024-01-01", "2025-01-01", 24), ("2025-01-01", None, 60),
    ]  # fmt: skip


async def test_a_stale_version_is_refused(api):
    contract = await made(api, "/v1/contracts", {"number": unique("C"), "customer": unique("CUST"), "currency": "CNY"})
    path = f"/v1/contracts/{contract['number']}/amendments"
    body = {"valid_from": "2025-01-01", "terms": {}}
    assert (await api.post(path, json=body, headers={"If-Match": '"1"'})).status_code == 201
    refused = await api.post(path, json=body, headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()["code"], refused.json()["facts"]["current"]) == (
        412,
        "version.stale",
        2,
    )


async def test_an_assortment_is_kept_by_day(api):
    part = (await made(api, "/v1/parts", {"number": unique("P"), "name": "fan", "tracking": "none"}))["number"]
    contract = await made(api, "/v1/contracts", {"number": unique("C"), "customer": unique("CUST"), "currency": "CNY"})
    path = f"/v1/contracts/{contract['number']}/assortment"
    listed = await api.put(path, json={"valid_from": "2026-01-01", "parts": [part]})
    assert listed.json()["assortment"] == [part]
    assert (await api.put(path, json={"valid_from": "2026-06-01", "parts": []})).json()["assortment"] == []
    unknown = await api.put(path, json={"valid_from": "2026-06-01", "parts": ["no-such-part"]})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "part")


async def test_a_model_has_its_unit(api):
    code, part = unique("MODEL"), unique("PSU")
    await made(api, "/v1/parts", {"number": part, "name": "psu", "tracking": "lot"})
    positions = [{"position": "psu", "part_number": part, "key": True}]
    model = await made(api, "/v1/models", {"code": code, "name": "camera", "positions": positions})
    assert [(one["position"], one["part_number"], one["key"]) for one in model["positions"]] == [
        ("unit", code, True), ("psu", part, True),
    ]  # fmt: skip
    assert (await api.get(f"/v1/parts/{code}")).json()["tracking"] == "serial"


async def test_supersession_never_goes_in_a_circle(api):
    a, b, c = (unique("P") for _ in range(3))
    for number in (a, b, c):
        await made(api, "/v1/parts", {"number": number, "name": number, "tracking": "none"})
    for pair in ((a, b), (b, c)):
        await made(api, "/v1/substitutions", {"from_part": pair[0], "to_part": pair[1], "kind": "supersedes"})
    circle = await api.post("/v1/substitutions", json={"from_part": c, "to_part": a, "kind": "supersedes"})
    assert (circle.status_code, circle.json()["code"]) == (422, "substitution.circle")
    again = await api.post("/v1/substitutions", json={"from_part": a, "to_part": b, "kind": "supersedes"})
    assert again.status_code == 409


async def test_couriers_lanes_and_calendars(api):
    area = unique("AREA")
    place = await made(api, "/v1/places", {
        "code": unique("WH"), "name": "仓", "kind": "branch", "latitude": 34.3, "longitude": 108.9,
        "timezone": "Asia/Shanghai", "area": area,
    })  # fmt: skip
    shift = {"mon": [["08:00", "20:00"]]}
    courier = await made(
        api, "/v1/couriers", {"code": unique("K"), "name": "小马", "place": place["code"], "shift": shift}
    )
    assert courier["area"] == area
    lane = await made(api, "/v1/lanes", {
        "carrier": "SF", "from_place": place["code"], "to_area": unique("AREA"), "cutoffs": ["18:00", "12:00"],
        "transit_hours": 20, "cost": "35.50",
    })  # fmt: skip
    assert (lane["cutoffs"], lane["cost"]) == (["12:00", "18:00"], "35.50")
    year = {"country": "CN", "year": 2190, "published": False, "working_days_off": ["2190-10-01"]}
    first, second = await made(api, "/v1/calendars", year), await made(api, "/v1/calendars", year | {"published": True})
    assert second["version"] == first["version"] + 1


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/sites", a_site(timezone="Mars/Olympus"), "network.unknown_zone"),
        ("/v1/sites", a_site(latitude=91), "fields.bad"),
        ("/v1/contracts", {"number": "x", "customer": "y", "currency": "CNY", "terms": {"months": 0}}, "fields.bad"),
        ("/v1/contracts", {"number": "x", "customer": "y", "currency": "CNY", "terms": {"months": 1200}}, "fields.bad"),
        ("/v1/models", {"code": "m", "name": "m", "positions": [
            {"position": "a", "part_number": "p", "key": True}, {"position": "a", "part_number": "p", "key": True}]},
         "model.position_twice"),
        ("/v1/couriers", {"code": "k", "name": "k", "place": "p", "shift": {"mon": [["8", "9"]]}}, "fields.bad"),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_refused(api, path, body, code):
    answer = await api.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_taken_code_is_refused_and_a_retry_with_a_key_is_not(api):
    part = {"number": unique("P"), "name": "x", "tracking": "none"}
    key = {"Idempotency-Key": unique("key")}
    first = await api.post("/v1/parts", json=part, headers=key)
    again = await api.post("/v1/parts", json=part, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await api.post("/v1/parts", json=part | {"name": "y"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.mismatch")
    taken = await api.post("/v1/parts", json=part)
    assert (taken.status_code, taken.json()["code"]) == (409, "network.already_there")


async def test_a_stranger_sees_nothing_of_another_customer(api, as_role):
    site = await made(api, "/v1/sites", a_site())
    stranger = await as_role("dispatcher", customers=["someone-else"])
    for path in (f"/v1/sites/{site['code']}", f"/v1/customers/{site['customer']}"):
        hidden, missing = await stranger.get(path), await stranger.get(path + "x")
        assert (hidden.status_code, hidden.json()["code"]) == (404, missing.json()["code"])
    listed = (await stranger.get("/v1/sites", params={"limit": 200})).json()["items"]
    assert site["code"] not in {one["code"] for one in listed}


@pytest.mark.parametrize("hours", [{"mon": [["08:00", "08:00"]]}, {"mon": [["08:00", "12:00"], ["11:00", "13:00"]]}])
async def test_hours_that_no_plan_could_read_are_refused_at_once(api, hours):
    place = {
        "code": unique("WH"), "name": "x", "kind": "own", "latitude": 38.5, "longitude": 106.2,
        "timezone": "Asia/Shanghai",
    }  # fmt: skip
    refused = await api.post("/v1/places", json=place | {"opening_hours": hours})
    assert (refused.status_code, refused.json()["code"]) == (422, "network.bad_hours")
    await made(api, "/v1/places", place)
    courier = {"code": unique("K"), "name": "k", "place": place["code"], "shift": hours}
    assert (await api.post("/v1/couriers", json=courier)).json()["errors"][0]["field"] == "shift"


async def test_a_contract_that_names_one_clock_keeps_the_others(api):
    terms = {"clocks": {"severe": {"answer_minutes": 10, "depart_minutes": None}}}
    body = {"number": unique("C"), "customer": unique("CUST"), "currency": "CNY", "terms": terms}
    clocks = (await made(api, "/v1/contracts", body))["terms"][0]["terms"]["clocks"]["severe"]
    assert (clocks["answer_minutes"], clocks["depart_minutes"], clocks["done_minutes"]) == (10, None, 240)


async def test_T48_two_who_edit_one_version_do_not_both_win(api):
    contract = await made(api, "/v1/contracts", {"number": unique("C"), "customer": unique("CUST"), "currency": "CNY"})
    path = f"/v1/contracts/{contract['number']}/assortment"
    body = {"valid_from": "2026-01-01", "parts": []}
    both = await asyncio.gather(*(api.put(path, json=body, headers={"If-Match": "1"}) for _ in range(2)))
    assert sorted(one.status_code for one in both) == [200, 412]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (
            "/v1/contracts",
            {"number": "x", "customer": "y", "currency": "CNY", "accepted_on": "9999-12-31"},
            "accepted_on",
        ),
        ("/v1/parts", {"number": "X/1", "name": "x", "tracking": "none"}, "number"),
        ("/v1/keys", {"name": "x", "role": "finance", "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
    ],
)
async def test_what_no_sum_or_address_could_hold_is_refused(api, path, body, field):
    refused = await api.post(path, json=body)
    assert (refused.status_code, [one["field"] for one in refused.json()["errors"]]) == (422, [field])


async def test_a_calendar_beyond_time_is_not_found(api):
    assert (await api.get("/v1/calendars/CN/99999999999999999999")).status_code == 404


async def test_a_key_sees_no_more_than_its_maker(as_role):
    maker = await as_role("admin", customers=["A"])
    wider = await maker.post("/v1/keys", json={"name": "x", "role": "admin"})
    assert (wider.status_code, wider.json()["code"]) == (403, "key.wider_than_maker")
    assert (await maker.post("/v1/keys", json={"name": "x", "role": "engineer", "customers": ["A"]})).status_code == 201
