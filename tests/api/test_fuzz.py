"""H8, small: made-up requests to every call, at things that exist; each answer is one that is described, and none is a 500.

The seed is fixed. `python -m tools.fuzz` does it at full size, through a real server and for every role.
"""

import json
import os
import tomllib

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi import checks as described_checks

from app.core.openapi import described
from tests.api.own_app import own_app
from tests.cast import World, a_world
from tools.fuzz_stage import BOUND, with_names
from tools.server import ROOT

pytestmark = pytest.mark.anyio
CHECKS = [
    checks.not_a_server_error,
    described_checks.status_code_conformance,
    described_checks.content_type_conformance,
    described_checks.response_headers_conformance,
    described_checks.response_schema_conformance,
    described_checks.negative_data_rejection,
]
ENDS_THE_KEY = "revoke_key"


@pytest.fixture(scope="module")
def own_database(clone, worker_id):
    return clone(f"fuzz_{worker_id}_{os.getpid()}")


@pytest.fixture(scope="module")
async def fuzzed(own_database, anyio_backend):
    async with own_app(own_database) as made:
        yield made


def made_up(operation, mode, path, count):
    """Requests of one call, the same in every run, at a path that leads somewhere."""
    found = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(mode, path_parameters=path))
    def collect(case):
        found.append(case)

    collect()
    return found


def existing(world: World, request, path: str) -> dict[str, str]:
    """Values for an address's parameters that name things of this world, where it has one."""
    line = request["lines"][0]["id"]
    known = {
        "request_id": request["id"], "line": line, "serial": world.serial, "courier": world.courier, "period": "2026-10",
        "verdict_id": request["entitlement"]["verdict"], "carrier": "SF", "from_place": world.branch,
        "to_area": world.area, "country": "CN", "year": 2026,
    }  # fmt: skip
    codes = {"areas": world.area, "sites": world.site, "places": world.local, "models": world.model,
             "customers": world.customer, "couriers": world.courier}  # fmt: skip
    numbers = {"contracts": world.contract, "parts": world.psu}
    kind = path.split("/")[2]
    known |= {"code": codes.get(kind, "x"), "number": numbers.get(kind, "x")}
    return {name: known.get(name, "x") for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]}


@pytest.mark.parametrize(("role", "count"), [("admin", 1), ("integration", 1)])
async def test_H8_whatever_is_asked_is_answered_as_described(fuzzed, role, count):
    app, client = fuzzed
    world = await a_world(await client("admin"))
    await world.receive(world.psu, 100)
    request = await world.ask()
    api = await client(role)
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(described(app))))
    wrong, answered = [], 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.definition.raw["operationId"] == ENDS_THE_KEY:
            continue
        path = existing(world, request, operation.path)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for case in made_up(operation, mode, path, count):
                case.headers["Authorization"] = api.headers["Authorization"]
                sent = case.as_transport_kwargs(base_url="http://sparelane.test")
                sent = {name: value for name, value in sent.items() if name not in ("cookies",)}
                answer = await api.request(sent.pop("method"), sent.pop("url"), **sent)
                answered += 1
                try:
                    case.validate_response(answer, checks=CHECKS)
                except FailureGroup as failure:
                    wrong += [
                        f"{operation.label}: {one} {answer.status_code} {answer.text[:300]} {sent}"
                        for one in failure.exceptions
                    ]
    assert answered > 300
    assert wrong == []
    assert (await api.get("/v1/me")).status_code == 200


def test_names_are_bound_to_parameters_and_fields_that_the_api_has(app, tmp_path):
    document = json.loads(json.dumps(described(app)))
    calls = [one for item in document["paths"].values() for one in item.values()]
    known = {f"{one['in']}.{one['name']}" for call in calls for one in call["parameters"]}
    shapes = [one for name, one in document["components"]["schemas"].items() if not name.endswith("Out")]
    fields = {field for shape in shapes for field in shape.get("properties", {})}
    strangers = {at for at in BOUND if not at.startswith("body.") and at not in known}
    strangers |= {
        at for at in BOUND if at.startswith("body.") and not set(at.replace("[*]", "").split(".")[1:]) <= fields
    }
    assert strangers == set()
    names = {name: ["one", 'a "two"'] for name in {*BOUND.values(), "connection"}} | {"area": []}
    made = tomllib.loads(with_names(ROOT / "schemathesis.toml", names, tmp_path / "named.toml").read_text())
    assert made["checks"]["positive_data_acceptance"]["expected-statuses"][0] == "2xx"
    assert made["dictionaries"]["serial"]["values"] == ["one", 'a "two"']
    bound = [made["parameters"], *(one["parameters"] for one in made["operations"])]
    assert {one["dictionary"] for each in bound for one in each.values()} == set(made["dictionaries"])
    assert "path.to_area" not in made["parameters"]
