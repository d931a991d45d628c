"""Keys: made once, shown once, scoped, ended at once; every refusal in one shape."""

from datetime import timedelta

import httpx
import pytest

pytestmark = pytest.mark.anyio


async def test_a_key_tells_who_one_is(as_role):
    client = await as_role("warehouse", places=["YC-WH"])
    answer = (await client.get("/v1/me")).json()
    assert (answer["role"], answer["places"], answer["customers"]) == ("warehouse", ["YC-WH"], None)


@pytest.mark.parametrize("presented", ["", "Bearer x", "Bearer sl_000000000000_x", "Basic abc"])
async def test_a_key_that_does_not_count_is_refused_alike(api: httpx.AsyncClient, presented):
    answer = await api.get("/v1/me", headers={"Authorization": presented})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["status"]) == (401, "key.bad", 401)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_made_key_works_until_it_is_revoked(api: httpx.AsyncClient):
    made = (await api.post("/v1/keys", json={"name": "board", "role": "dispatcher"})).json()
    mine = {"Authorization": f"Bearer {made['key']}"}
    assert (await api.get("/v1/me", headers=mine)).json()["role"] == "dispatcher"
    listed = (await api.get("/v1/keys", params={"limit": 200})).text
    assert made["key"].removeprefix(f"sl_{made['details']['prefix']}_") not in listed
    revoked = await api.post(f"/v1/keys/{made['details']['id']}/revoke")
    assert revoked.json()["revoked_at"] is not None
    assert (await api.get("/v1/me", headers=mine)).status_code == 401


async def test_a_key_ends_when_it_says(api: httpx.AsyncClient, clock):
    ends = (clock.now() + timedelta(hours=1)).isoformat()
    made = (await api.post("/v1/keys", json={"name": "short", "role": "finance", "expires_at": ends})).json()
    mine = {"Authorization": f"Bearer {made['key']}"}
    assert (await api.get("/v1/me", headers=mine)).status_code == 200
    clock.step(timedelta(hours=1))
    assert (await api.get("/v1/me", headers=mine)).status_code == 401


async def test_only_an_admin_makes_keys(as_role):
    client = await as_role("engineer")
    answer = await client.post("/v1/keys", json={"name": "x", "role": "admin"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_every_wrong_field_is_named_at_once(api: httpx.AsyncClient):
    answer = await api.post(
        "/v1/keys", json={"name": "", "role": "king", "surprise": 1, "expires_at": "2026-01-01T00:00:00"}
    )
    problem = answer.json()
    assert answer.status_code == 422
    assert {one["field"] for one in problem["errors"]} == {"name", "role", "surprise", "expires_at"}
    assert problem["code"] == "fields.bad"


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "body.broken"),
        (b"\xff\xfe{}", "application/json", 400, "body.broken"),
        (b"[" * 100_000 + b"]" * 100_000, "application/json", 400, "body.broken"),
        (b'{"name": NaN}', "application/json", 400, "body.broken"),
        (b"{}", "text/plain", 415, "body.not_json"),
        (
            b'{"name": "a", "role": "admin", "x": "' + b"x" * 11_000_000 + b'"}',
            "application/json",
            413,
            "body.too_large",
        ),
        (b'{"name": "a\\u0000", "role": "admin"}', "application/json", 422, "fields.bad"),
        (b"[]", "application/json", 422, "fields.bad"),
        (b"null", "application/json", 422, "fields.bad"),
    ],
)
async def test_bad_bodies_are_refused_in_words(api: httpx.AsyncClient, body, kind, status, code):
    answer = await api.post("/v1/keys", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_chinese_is_spoken_where_it_is_asked_for(api: httpx.AsyncClient):
    answer = await api.get("/v1/nothing", headers={"Accept-Language": "zh-CN,en;q=0.5"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "没有找到。请核对编号，或确认您有权查看。")


@pytest.mark.parametrize(
    ("query", "code"), [("limit=0", "limit.bad"), ("cursor=nonsense", "cursor.bad"), ("limit=x", "parameters.bad")]
)
async def test_bad_list_parameters(api: httpx.AsyncClient, query, code):
    answer = await api.get(f"/v1/keys?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_pages_follow_each_other_without_gap(api: httpx.AsyncClient, as_role):
    for _ in range(5):
        await as_role("finance")
    whole = [one["id"] for one in (await api.get("/v1/keys", params={"limit": 200})).json()["items"]]
    page = (await api.get("/v1/keys", params={"limit": 2})).json()
    second = (await api.get("/v1/keys", params={"limit": 2, "cursor": page["next"]})).json()
    assert [one["id"] for one in page["items"] + second["items"]] == whole[:4]
