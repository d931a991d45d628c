"""The API's description: valid, whole, true to the answers, and good enough that a generated client does the main job."""

import importlib
import inspect
import json
import re
import subprocess
import sys
from datetime import timedelta

import httpx
import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from app.core.openapi import described
from app.main import CALLS
from tests.cast import a_world

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def document(app):
    return json.loads(json.dumps(described(app)))


def references(value):
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def test_it_is_openapi_by_its_authors_own_schema(document):
    assert [str(wrong) for wrong in jsonschema_rs.validator_for(OPENAPI_31).iter_errors(document)] == []
    spoiled = {name: value for name, value in document.items() if name != "info"}
    assert not jsonschema_rs.validator_for(OPENAPI_31).is_valid(spoiled)


def test_every_reference_leads_to_a_shape_and_every_shape_is_a_schema(document):
    shapes = document["components"]["schemas"]
    assert {one for one in references(document) if one.removeprefix("#/components/schemas/") not in shapes} == set()
    for shape in shapes.values():
        jsonschema_rs.meta.validate(shape)
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_every_call_of_the_api_is_described_once_with_its_refusals(app, document):
    operations = [(path, method, one) for path, item in document["paths"].items() for method, one in item.items()]
    names = [one["operationId"] for _, _, one in operations]
    assert len(names) == len(set(names)) > 140
    routes = {
        (route.path_format, method.lower())
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods - {"OPTIONS"}
        if route.path.startswith("/v1/")
    }
    assert len(routes) == len(operations)
    for path, method, one in operations:
        assert one["summary"], path
        assert {"400", "401", "403", "404", "503"} <= set(one["responses"]), path
        assert (method == "get") or {"409", "412", "415", "422"} <= set(one["responses"]), path
        assert set(re.findall(r"{(\w+)}", path)) == {each["name"] for each in one["parameters"] if each["in"] == "path"}


def test_a_call_is_described_with_the_status_it_writes():
    written = {
        handler.fn.__name__: (int(status), handler.status_code)
        for handler in CALLS
        for status in re.findall(r"call\.write(?:_unkept)?\(\s*(\d+)", inspect.getsource(handler.fn))[:1]
    }
    assert len(written) > 60
    assert {name: both for name, both in written.items() if both[0] != both[1]} == {}


async def test_answers_are_what_is_described(document, api):
    world = await a_world(api)
    await world.receive(world.psu, 5)
    request = await world.ask()
    asked = [
        ("get", "/v1/part-requests/{request_id}", f"/v1/part-requests/{request['id']}"),
        ("get", "/v1/part-requests", "/v1/part-requests"),
        ("get", "/v1/devices/{serial}/warranty", f"/v1/devices/{world.serial}/warranty"),
        ("get", "/v1/charges", "/v1/charges"),
        ("get", "/v1/plan", "/v1/plan"),
        ("get", "/v1/event-types", "/v1/event-types"),
        ("get", "/v1/providers", "/v1/providers"),
        ("get", "/v1/part-requests/{request_id}", "/v1/part-requests/req_0"),
        ("get", "/v1/part-requests", "/v1/part-requests?cursor=forged"),
    ]
    for method, path, address in asked:
        answer = await api.request(method, address)
        described_as = document["paths"][path][method]["responses"][str(answer.status_code)]["content"]
        kind = answer.headers["content-type"].partition(";")[0]
        schema = {**described_as[kind]["schema"], "components": document["components"]}
        jsonschema_rs.validator_for(schema).validate(answer.json())


async def test_each_event_s_schema_holds_for_what_the_api_shows(api):
    kinds = (await api.get("/v1/event-types")).json()["items"]
    assert len(kinds) > 40
    world = await a_world(api)
    await world.receive(world.psu, 5)
    request = await world.ask()
    for kind in kinds:
        schema = (await api.get(f"/v1/event-types/{kind['type']}/schema")).json()
        jsonschema_rs.meta.validate(schema)
        assert schema["properties"]["type"] == {"const": kind["type"]}
    schema = (await api.get("/v1/event-types/part_request.accepted/schema")).json()
    inner = {**schema["properties"]["data"], "$defs": schema["$defs"]}
    shown = (await api.get(f"/v1/part-requests/{request['id']}")).json()
    jsonschema_rs.validator_for(inner).validate(shown)
    unknown = await api.get("/v1/event-types/nothing.happened/schema")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "webhook.type_not_found")


@pytest.fixture(scope="module")
def client_package(document, tmp_path_factory):
    """A client as a generator makes it from the description, without a word from us."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "config.yaml").write_text("post_hooks: []\n")
    command = [
        sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--output-path",
        "sparelane_client", "--meta", "none", "--config", "config.yaml", "--fail-on-warning",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield "sparelane_client"
    sys.path.remove(str(folder))


def client_of(app, package, key: httpx.AsyncClient):
    """The generated client with a key; only the way to the server is ours."""
    token = key.headers["authorization"].removeprefix("Bearer ")
    made = importlib.import_module(f"{package}.client").AuthenticatedClient
    client = made(base_url="http://sparelane.test", token=token, raise_on_unexpected_status=True)
    transport, headers = httpx.ASGITransport(app=app), {"Authorization": f"Bearer {token}"}
    client.set_async_httpx_client(
        httpx.AsyncClient(transport=transport, base_url="http://sparelane.test", headers=headers)
    )
    return client


async def test_a_generated_client_goes_the_whole_journey(app, api, as_role, client_package, clock):
    world = await a_world(api)
    await world.receive(world.psu, 5)
    desk = client_of(app, client_package, await as_role("integration", customers=[world.customer]))
    crew = client_of(app, client_package, await as_role("dispatcher"))
    models = importlib.import_module(f"{client_package}.models")

    def call(name: str, group: str = "part_requests"):
        return importlib.import_module(f"{client_package}.api.{group}.{name}").asyncio

    check = models.CheckIn(serials=[world.serial, "nobody's"])
    covered = await call("check_warranty", "warranty")(client=desk, body=check)
    assert ([one.serial for one in covered.items], covered.unknown) == ([world.serial], ["nobody's"])
    body = models.RequestIn.from_dict(world.request(ticket={"system": "desk", "number": "4712", "url": None}))
    promised = await call("promise", "promises")(client=desk, body=body)
    asked = await call("create_request")(client=desk, body=body, idempotency_key="ticket-4712")
    assert asked.commitment.due_at == promised.commitment.due_at
    (found,) = (await call("list_requests")(client=desk, ticket="desk:4712")).items
    assert (found.id, found.state) == (asked.id, "accepted")
    steps = (
        ("answer_request", models.AnswerIn(method=models.AnswerInMethod("parts"), plan="a courier brings it")),
        ("pick_request", models.PickIn(scanned=world.psu)),
        ("pack_request", models.StepIn()),
        ("dispatch_request", models.DispatchIn(courier=world.courier)),
        ("deliver_request", models.StepIn()),
        ("fit_request", models.FitIn(old_part=models.FitInOldPartType0("return"))),
        ("confirm_request", models.ConfirmIn(operation_normal=True)),
    )
    at = asked
    for name, body in steps:
        clock.step(timedelta(minutes=2))
        at = await call(name)(asked.id, client=crew, body=body, if_match=str(at.version), idempotency_key=name)
        assert isinstance(at, models.RequestOut), (name, at)
    assert (at.state, [one.state for one in at.lines]) == ("confirmed", ["confirmed"])
    seen = await call("show_request")(asked.id, client=desk)
    assert (seen.state, seen.ticket.number) == ("confirmed", "4712")
    warranty = await call("get_warranty", "devices")(world.serial, client=desk)
    assert [one.restarted for one in warranty.components if one.position == "psu"] == [True]


async def test_a_generated_client_does_the_main_job(app, api, as_role, client_package):
    world = await a_world(api)
    await world.receive(world.psu, 5)
    client = client_of(app, client_package, await as_role("integration", customers=[world.customer]))
    module = importlib.import_module
    models = module(f"{client_package}.models")
    calls = module(f"{client_package}.api.part_requests")
    create, show, cancel = (
        module(f"{calls.__name__}.{name}") for name in ("create_request", "show_request", "cancel_request")
    )
    body = models.RequestIn.from_dict(world.request(ticket={"system": "desk", "number": "4711", "url": None}))
    asked = await create.asyncio_detailed(client=client, body=body, idempotency_key="one")
    again = await create.asyncio_detailed(client=client, body=body, idempotency_key="one")
    assert (asked.status_code, again.parsed.id) == (201, asked.parsed.id)
    assert again.headers["Idempotent-Replayed"] == "true"
    twice = await create.asyncio_detailed(client=client, body=body)
    assert (twice.status_code, twice.parsed.code) == (409, "ticket.duplicate")
    shown = await show.asyncio(asked.parsed.id, client=client)
    assert (shown.state, shown.lines[0].part_number, shown.price.amount) == ("accepted", world.psu, "0.00")
    stale = await cancel.asyncio_detailed(
        asked.parsed.id, client=client, body=models.FulfillmentCancelIn(), if_match="9"
    )
    assert (stale.status_code, stale.parsed.code) == (412, "version.stale")
    ended = await cancel.asyncio_detailed(
        asked.parsed.id, client=client, body=models.FulfillmentCancelIn(), if_match="1"
    )
    assert ended.parsed.state == "canceled"


async def test_the_reference_is_served_by_us_alone(api):
    page = await api.get("/docs", headers={"Authorization": ""})
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert address.startswith(("/docs/", "/static/")), address
        assert (await api.get(address, headers={"Authorization": ""})).status_code == 200
    assert (await api.get("/docs/../main.py")).status_code == 404
    assert (await api.get("/docs/index.html")).status_code == 404
