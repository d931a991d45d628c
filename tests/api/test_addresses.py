"""Addresses and methods: a parameter is known, given once and of its kind; a refused method is told the others."""

import re

import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def paths(app):
    """Every described address with its calls, and made-up values in it."""
    found = app.openapi_schema.to_schema()["paths"]
    return {
        re.sub(r"{\w+(:\w+)?}", "7", path): sorted(set(item) & {"get", "put", "post", "patch", "delete"})
        for path, item in found.items()
        if path.startswith("/v1/")
    }


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("sort=password_hash", "sort", "field.unknown"),
        ("plase=YC-WH", "plase", "field.unknown"),
        ("LIMIT=5", "LIMIT", "field.unknown"),
        ("limit=5&limit=6", "limit", "field.repeated"),
        ("state=accepted&state=picked", "state", "field.repeated"),
        ("limit=null", "limit", "field.bad"),
        ("limit=", "limit", "field.bad"),
        ("limit=1e1", "limit", "field.bad"),
        ("limit=5.0", "limit", "field.bad"),
        ("limit=%2B5", "limit", "field.bad"),
        ("limit=" + "9" * 30, "limit", "field.bad"),
    ],
)
async def test_T47_a_parameter_is_known_given_once_and_of_its_kind(api, query, field, code):
    answer = await api.get(f"/v1/part-requests?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "parameters.bad")
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(field, code)]


@pytest.mark.parametrize(
    "query", ["on=null", "on=1700000000", "on=2026-11-22T00:00:00Z", "known_at=null", "known_at=1e9"]
)
async def test_a_day_is_a_day_and_an_instant_an_instant(api, query):
    answer = await api.get(f"/v1/devices/x/warranty?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "parameters.bad")


@pytest.mark.parametrize("given", ["null", "1", "yes", "True"])
async def test_a_yes_is_true_and_a_no_is_false(api, given):
    assert (await api.get(f"/v1/loans?open={given}")).status_code == 400
    assert {(await api.get(f"/v1/loans?open={one}")).status_code for one in ("true", "false")} == {200}


async def test_a_word_may_be_null(api):
    answer = await api.get("/v1/parts?cursor=null")
    assert answer.json()["code"] == "cursor.bad"


async def test_every_described_parameter_is_taken(app, api):
    wrong = []
    for path, item in app.openapi_schema.to_schema()["paths"].items():
        for one in item.get("get", {}).get("parameters", []) if path.startswith("/v1/") else []:
            if one["in"] == "query":
                answer = await api.get(re.sub(r"{\w+(:\w+)?}", "7", path), params={one["name"]: "x"})
                wrong += [path for error in answer.json().get("errors", []) if error["code"] == "field.unknown"]
    assert wrong == []


async def test_no_call_takes_what_it_does_not_know(api, paths):
    answered = {
        (method, path): (await api.request(method, f"{path}?nonsense=1", json={})).json()["code"]
        for path, methods in paths.items()
        for method in methods
    }
    assert len(answered) > 150
    assert {call: code for call, code in answered.items() if code not in ("parameters.bad", "body.not_json")} == {}


async def test_whoever_may_not_do_this_is_told_what_may_be_done(api, paths):
    for path, methods in paths.items():
        meant = sorted([*(one.upper() for one in methods), "OPTIONS"])
        asked = await api.request("OPTIONS", path)
        assert (asked.status_code, asked.headers["allow"]) == (204, ", ".join(meant)), path
        refused = await api.request("TRACE", path)
        assert (refused.status_code, refused.json()["code"]) == (405, "method.not_allowed")
        assert sorted(refused.headers["allow"].split(", ")) == meant, path
