"""What a critical reading found: corrections, old parts and months that ask for what cannot be."""

import pytest

from tests.builders import unique
from tests.cast import a_world, made

pytestmark = pytest.mark.anyio


async def test_S4_an_old_part_never_comes_back_as_new(api):
    world = await a_world(api)
    body = {"place": world.local, "lines": [{"part_number": world.psu, "condition": "new"}]}
    refused = await api.post("/v1/returns", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "lines.0.condition")


@pytest.mark.parametrize(
    ("first", "change", "code"),
    [
        ({"type": "extended", "months": 1, "reason": "x"}, {"months": 600}, "extended.too_long"),
        ({"type": "voided", "position": "fan", "reason": "x"}, {"position": "nonsense"}, "position.unknown"),
    ],
)
async def test_T104_a_correction_says_nothing_that_the_event_could_not(api, first, change, code):
    world = await a_world(api)
    path = f"/v1/devices/{world.serial}/events"
    event = await made(api, path, first)
    refused = await api.post(path, json={"type": "corrected", "event": event["id"], "reason": "y"} | change)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_a_part_fails_before_it_is_replaced(api):
    world = await a_world(api)
    event = {
        "type": "component_replaced", "position": "psu", "cause": "defect", "system_stopped": True,
        "failed_at": "2030-01-01T00:00:00Z",
    }  # fmt: skip
    refused = await api.post(f"/v1/devices/{world.serial}/events", json=event)
    assert (refused.status_code, refused.json()["code"]) == (422, "event.in_future")


async def test_a_month_beyond_time_has_not_ended(api):
    refused = await api.post("/v1/periods/9999-12/close", json={}, headers={"Idempotency-Key": unique("key")})
    assert 400 <= refused.status_code < 500
