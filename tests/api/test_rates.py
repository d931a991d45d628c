"""A key of an integration may burst and then call evenly; who calls more often is told when to come again (T148)."""

from datetime import timedelta

import httpx
import pytest

from app.accounts.guards import Meter
from app.accounts.rules import Bucket, TooOften, draw
from tests.conftest import START

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("left", "after_s", "expected"),
    [
        (1.0, 0, Bucket(0.0, START)),
        (0.0, 0, TooOften(wait_s=1)),
        (0.0, 0.1, Bucket(0.0, START + timedelta(seconds=0.1))),
        (0.0, 3600, Bucket(49.0, START + timedelta(hours=1))),
        (0.0, -5, TooOften(wait_s=1)),
    ],
)
def test_a_bucket_fills_evenly_and_never_overflows(left, after_s, expected):
    assert draw(Bucket(left, START), rate=10, now=START + timedelta(seconds=after_s)) == expected


async def test_an_integration_s_flood_is_told_when_to_come_again_in_its_language(app, as_role, clock, monkeypatch):
    monkeypatch.setattr(app.state, "meter", Meter(10), raising=False)
    mine, other = await as_role("integration"), await as_role("integration")
    burst = [(await mine.get("/v1/event-types")).status_code for _ in range(50)]
    assert set(burst) == {200}
    refused = await mine.get("/v1/event-types", headers={"Accept-Language": "zh-CN"})
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (429, "rate.limited", "1")
    assert "频繁" in refused.json()["detail"]
    assert (await other.get("/v1/event-types")).status_code == 200
    clock.step(timedelta(seconds=1))
    assert [(await mine.get("/v1/event-types")).status_code for _ in range(11)] == [*[200] * 10, 429]


async def test_people_s_programs_are_not_metered(app, api: httpx.AsyncClient, monkeypatch):
    monkeypatch.setattr(app.state, "meter", Meter(1), raising=False)
    assert {(await api.get("/health")).status_code for _ in range(20)} == {200}
    assert {(await api.get("/v1/event-types")).status_code for _ in range(20)} == {200}
