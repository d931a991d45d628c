"""What every caller meets: health, readiness, the schema, and nothing that leaves the host."""

import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_it_answers(api, path):
    assert (await api.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/schema", "/schema/openapi.json"])
async def test_the_schema_is_json_and_names_the_calls(api, path):
    schema = (await api.get(path)).json()
    assert schema["paths"]["/v1/part-requests"]["post"]["responses"]["201"]
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


async def test_every_answer_of_a_verb_says_which_request_it_was(api):
    answer = await api.get("/v1/nothing", headers={"X-Request-ID": "my-request-1"})
    assert answer.json()["request_id"] == "my-request-1"


@pytest.mark.parametrize("address", ["/v1/parts/a%00b", "/v1/part-requests?ticket=%00", "/v1/stock?part=%ed%a0%80"])
async def test_an_address_that_no_text_can_hold_is_refused(api, address):
    answer = await api.get(address)
    assert (answer.status_code, answer.json()["code"]) == (400, "parameters.bad")
