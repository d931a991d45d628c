"""H9, small: every route asked by every role. Who may not is told 403, who may is told anything else but 500."""

import re

import pytest

from app.accounts.rules import ROLES

pytestmark = pytest.mark.anyio


def declared(app) -> list[tuple[str, str, frozenset[str]]]:
    """Every route behind a key: method, a path with made-up values, and who may call it."""
    rows = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            roles = handler.opt.get("roles")
            if roles is None or not route.path.startswith("/v1/"):
                continue
            path = re.sub(r"{\w+:int}", "7", re.sub(r"{\w+:str}", "no-such-thing", route.path))
            rows += [(method, path, roles) for method in handler.http_methods if method != "OPTIONS"]
    return sorted(rows, key=lambda row: row[:2])


@pytest.mark.parametrize("role", ROLES)
async def test_H9_each_role_may_do_what_is_declared_and_nothing_else(app, as_role, role):
    client = await as_role(role)
    routes = declared(app)
    assert len(routes) > 80
    wrong = []
    for method, path, roles in routes:
        answer = await client.request(method, path, json={} if method != "GET" else None)
        if (answer.status_code == 403) != (role not in roles) or answer.status_code >= 500:
            wrong.append(f"{method} {path}: {answer.status_code} {answer.json().get('code')}")
    assert wrong == []


async def test_H9_nobody_gets_in_without_a_key(app, api):
    wrong = []
    for method, path, _ in declared(app):
        answer = await api.request(method, path, json={} if method != "GET" else None, headers={"Authorization": ""})
        if answer.status_code != 401:
            wrong.append(f"{method} {path}: {answer.status_code}")
    assert wrong == []


async def test_every_list_is_refused_a_bad_cursor_and_a_bad_limit(app, api):
    """T47 for every route that takes a cursor."""
    paths = [
        path
        for path, item in (await api.get("/schema/openapi.json")).json()["paths"].items()
        if any(one["name"] == "cursor" for one in item.get("get", {}).get("parameters", []))
    ]
    assert len(paths) > 10
    for path in paths:
        address = re.sub(r"{\w+}", "no-such-thing", path)
        for query, code in (
            ("cursor=forged", "cursor.bad"),
            ("limit=0", "limit.bad"),
            ("limit=many", "parameters.bad"),
        ):
            answer = await api.get(f"{address}?{query}")
            assert answer.status_code in (400, 404), (path, query, answer.text)
            assert answer.status_code == 404 or answer.json()["code"] == code, (path, query, answer.text)
        assert (await api.get(f"{address}?limit=1000000000")).status_code in (200, 404), path
