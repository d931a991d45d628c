"""Verdicts on the real database: facts in one read, stored and replayed, revised by naming the old one, duties, checks."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.rules import Actor, duty_actor
from app.core.clock import SteppedClock
from app.core.db import begin
from app.core.errors import Refusal
from app.network import service as network
from app.network.schemas import CalendarIn, SubstitutionIn
from app.warranty import queries, service
from app.warranty.jobs import follow_calendar, settle_undetermined
from app.warranty.rules.inputs import Failure
from app.warranty.rules.verdict import Covered, NotCovered
from app.warranty.schemas import DeviceIn, EventIn, EventRow
from tests.api.warranty_cast import DEFECT, asked, camera_world, happened, made, registered, restarted_camera
from tests.builders import unique

pytestmark = pytest.mark.anyio

ADMIN = duty_actor("tests")
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
World = dict[str, str]


@pytest.fixture
async def world(api: httpx.AsyncClient) -> World:
    return await camera_world(api)


def failure(**changes: Any) -> Failure:
    told = {"occurred_at": NOW, "reported_at": NOW, "cause": "defect", "system_stopped": True}
    return Failure(**(told | changes))


async def facts(db: AsyncConnection, serial: str | None, part: str, **more: Any) -> queries.FailureFacts:
    return await queries.failure_facts(
        db,
        actor=more.pop("actor", ADMIN),
        serial=serial,
        part_number=part,
        failure=more.pop("failure", failure()),
        **more,
    )


async def given(db: AsyncConnection, serial: str, part: str, **changes: Any) -> service.Given:
    found = await facts(db, serial, part, failure=failure(**changes))
    return await service.give_verdict(db, actor=ADMIN, inputs=found.inputs, customer=found.devices[0].customer, now=NOW)


async def test_a_failures_facts_take_one_read(
    engine: AsyncEngine, db: AsyncConnection, api: httpx.AsyncClient, world: World
) -> None:
    serial = await restarted_camera(api, world)
    statements: list[str] = []
    sqlalchemy_event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    found = await facts(db, serial, world["psu"])
    assert (len(statements), found.inputs.position) == (1, "psu")
    device = found.devices[0]
    assert (device.contract, device.customer, device.site, device.zone) == (
        world["contract"],
        world["customer"],
        world["site"],
        "Asia/Shanghai",
    )
    assert isinstance(service.judge(found.inputs), NotCovered)


async def test_a_position_is_inferred_where_only_one_takes_the_part(
    db: AsyncConnection, api: httpx.AsyncClient, world: World
) -> None:
    serial = await registered(api, world, accepted_on="2026-01-31")
    assert (await facts(db, serial, world["psu"])).inputs.position == "psu"
    assert (await facts(db, serial, world["model"])).inputs.position == "unit"
    assert (await facts(db, serial, world["lens"], position="lens-2")).inputs.position == "lens-2"
    with pytest.raises(queries.PositionAmbiguous) as ambiguous:
        await facts(db, serial, world["lens"])
    assert ambiguous.value.facts["positions"] == ["lens-1", "lens-2"]
    for wrong in ({"part": "no-such-part"}, {"part": world["psu"], "position": "lens-1"}):
        with pytest.raises(queries.PartNotOfDevice):
            await facts(db, serial, wrong["part"], position=wrong.get("position"))
    with pytest.raises(Refusal, match=r"position\.unknown"):
        await facts(db, serial, world["psu"], position="nose")


async def test_S5_a_substitute_is_a_part_of_the_device_where_its_model_allows(
    db: AsyncConnection, api: httpx.AsyncClient, world: World
) -> None:
    serial = await registered(api, world, accepted_on="2026-01-31")
    newer, newest, foreign = unique("PSU"), unique("PSU"), unique("PSU")
    for number in (newer, newest, foreign):
        await made(api, "/v1/parts", number=number, name="psu", tracking="none")
    edges = [(world["psu"], newer, None), (newer, newest, world["model"])]
    for old, new, model in edges:
        substitution = SubstitutionIn(from_part=old, to_part=new, kind="supersedes", model=model)
        await network.add_substitution(db, actor=ADMIN, new=substitution, now=NOW)
    assert (await facts(db, serial, newest)).inputs.position == "psu"
    with pytest.raises(queries.PartNotOfDevice):
        await facts(db, serial, foreign)


async def test_an_unread_serial_is_judged_by_site_and_model(
    db: AsyncConnection, api: httpx.AsyncClient, world: World
) -> None:
    await registered(api, world, accepted_on="2015-01-31")
    await registered(api, world, accepted_on="2026-01-31")
    found = await facts(db, None, world["psu"], site=world["site"], model=world["model"])
    verdict = service.judge(found.inputs)
    assert (len(found.devices), isinstance(verdict, Covered), verdict.provisional) == (2, True, True)
    stored = await service.give_verdict(db, actor=ADMIN, inputs=found.inputs, customer=world["customer"], now=NOW)
    read = found.devices[0].serial
    revision = await service.revise(db, actor=ADMIN, verdict_id=stored.id, serial=read)
    final = await service.supersede(db, actor=ADMIN, revision=revision, now=NOW)
    assert (final.outcome["coverage"]["serial"], final.outcome["provisional"]) == (read, False)
    with pytest.raises(queries.NoSuchDevice):
        await facts(db, None, world["psu"], site=world["site"], model="nothing")


async def test_T135_a_strangers_device_has_no_facts(db: AsyncConnection, api: httpx.AsyncClient, world: World) -> None:
    serial = await registered(api, world, accepted_on="2026-01-31")
    stranger = Actor(id="key_x", name="x", role="engineer", customers=frozenset({"someone-else"}))
    for where in ({"serial": serial}, {"serial": None, "site": world["site"], "model": world["model"]}):
        with pytest.raises(queries.NoSuchDevice):
            await facts(db, where.pop("serial"), world["psu"], actor=stranger, **where)


async def test_W12_a_verdict_is_stored_with_its_inputs_and_read_back(
    engine: AsyncEngine, api: httpx.AsyncClient, world: World
) -> None:
    serial = await registered(api, world, accepted_on="2026-01-31")
    async with begin(engine) as db:
        stored = await given(db, serial, world["psu"])
    shown = await asked(api, f"/v1/verdicts/{stored.id}")
    assert (shown["covered"], shown["payer"], shown["price_rule"], shown["device_serial"]) == (
        True,
        "oem",
        "P1",
        serial,
    )
    assert (shown["supersedes"], shown["superseded_by"], shown["rule_version"]) == (None, None, "1")
    assert shown["inputs"]["candidates"][0]["serial"] == serial
    chinese = await api.get(f"/v1/verdicts/{stored.id}", headers={"Accept-Language": "zh-CN"})
    assert "验收" in " ".join(one["text"] for one in chinese.json()["reasons"])
    assert (await api.get("/v1/verdicts/ver_none")).status_code == 404


async def test_W12_a_corrected_acceptance_makes_a_new_verdict_that_names_the_old(
    engine: AsyncEngine, api: httpx.AsyncClient, world: World
) -> None:
    serial = await registered(api, world, accepted_on="2023-11-30")
    async with begin(engine) as db:
        old = await given(db, serial, world["psu"])
        found = await facts(db, serial, world["psu"])
        assert await service.basis_unchanged(db, inputs=found.inputs)
    accepted = (await asked(api, f"/v1/devices/{serial}/events"))["items"][0]["id"]
    correction = {"type": "corrected", "event": accepted, "reason": "protocol", "on": "2023-10-31"}
    await made(api, f"/v1/devices/{serial}/events", **correction)
    async with begin(engine) as db:
        assert not await service.basis_unchanged(db, inputs=found.inputs)
        revision = await service.revise(db, actor=ADMIN, verdict_id=old.id)
        assert ("covered", True, False) in [(one.field, one.before, one.after) for one in revision.changes]
        new = await service.supersede(db, actor=ADMIN, revision=revision, now=NOW)
    assert (await asked(api, f"/v1/verdicts/{old.id}"))["superseded_by"] == new.id
    shown = await asked(api, f"/v1/verdicts/{new.id}")
    assert (shown["supersedes"], shown["covered"], shown["price_rule"]) == (old.id, False, "P2")
    async with begin(engine) as db:
        with pytest.raises(Refusal, match=r"verdict\.superseded"):
            await service.revise(db, actor=ADMIN, verdict_id=old.id)


async def test_IW11_at_most_one_verdict_supersedes_another(
    db: AsyncConnection, api: httpx.AsyncClient, world: World
) -> None:
    serial = await registered(api, world, accepted_on="2026-01-31")
    old = await given(db, serial, world["psu"])
    revision = await service.revise(db, actor=ADMIN, verdict_id=old.id)
    await service.supersede(db, actor=ADMIN, revision=revision, now=NOW)
    with pytest.raises(Refusal, match=r"verdict\.superseded"):
        await service.supersede(db, actor=ADMIN, revision=revision, now=NOW)


@pytest.mark.parametrize("table", ["verdict", "warranty_event"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET payload = '{{}}'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_T146_history_cannot_be_edited(db: AsyncConnection, table: str, statement: str) -> None:
    with pytest.raises(DBAPIError):
        await db.execute(text(statement.format(table)))


async def test_W7_an_open_cause_becomes_a_defect_after_thirty_days_exactly_once(
    engine: AsyncEngine, api: httpx.AsyncClient, world: World, clock: SteppedClock
) -> None:
    serial = await registered(api, world, accepted_on="2025-01-31")
    open_ = {"position": "psu", "cause": "undetermined", "system_stopped": True}
    await happened(api, serial, "component_replaced", "2026-11-01T00:00:00Z", **open_)
    await happened(api, serial, "operation_confirmed", "2026-11-01T02:00:00Z", position="psu")
    async with begin(engine) as db:
        stored = await given(db, serial, world["psu"], cause="undetermined")
    assert (await asked(api, f"/v1/devices/{serial}/warranty"))["provisional"] is True
    settled = []
    for days in (29.9, 30, 31):
        async with begin(engine) as db:
            await settle_undetermined(db, NOW + timedelta(days=days))
        settled.append((await asked(api, f"/v1/devices/{serial}"))["version"])
    assert settled == [3, 4, 4]
    clock.set(NOW + timedelta(days=32))
    assert (await asked(api, f"/v1/devices/{serial}/warranty"))["provisional"] is False
    old = await asked(api, f"/v1/verdicts/{stored.id}")
    new = await asked(api, f"/v1/verdicts/{old['superseded_by']}")
    assert (new["provisional"], new["covered"], new["inputs"]["failure"]["cause"]) == (False, True, "defect")
    assert new["superseded_by"] is None


async def test_W7_two_workers_settle_an_open_cause_once(
    engine: AsyncEngine, api: httpx.AsyncClient, world: World
) -> None:
    serial = await registered(api, world, accepted_on="2025-01-31")
    open_ = {"position": "psu", "cause": "undetermined", "system_stopped": True}
    await happened(api, serial, "component_replaced", "2026-11-01T00:00:00Z", **open_)

    async def worker() -> None:
        async with begin(engine) as db:
            await settle_undetermined(db, NOW + timedelta(days=31))

    await asyncio.gather(*(worker() for _ in range(4)))
    assert (await asked(api, f"/v1/devices/{serial}"))["version"] == 3


async def test_W7_settled_as_customer_is_stored_as_needing_consent(
    db: AsyncConnection, api: httpx.AsyncClient, world: World
) -> None:
    serial = await registered(api, world, accepted_on="2025-01-31")
    old = await given(db, serial, world["psu"], cause="undetermined")
    new, changed = await service.settle_cause(db, actor=ADMIN, verdict_id=old.id, cause="customer", now=NOW)
    assert (new.supersedes, new.outcome["needs_consent"], new.outcome["price_rule"]) == (old.id, True, "P3")
    assert ("needs_consent", False, True) in [(one.field, one.before, one.after) for one in changed]


@pytest.mark.parametrize(("cause", "last_day"), [("customer", "2028-01-31"), ("defect", "2029-11-01")])
async def test_W4_a_settled_cause_corrects_the_history_it_came_from(
    engine: AsyncEngine, api: httpx.AsyncClient, world: World, cause: Any, last_day: str
) -> None:
    serial, failed_at = await registered(api, world, accepted_on="2025-01-31"), datetime(2026, 10, 31, 20, tzinfo=UTC)
    async with begin(engine) as db:
        old = await given(db, serial, world["psu"], cause="undetermined", occurred_at=failed_at)
    open_ = {"position": "psu", "cause": "undetermined", "system_stopped": True, "failed_at": failed_at.isoformat()}
    await happened(api, serial, "component_replaced", "2026-11-01T00:00:00Z", **open_)
    await happened(api, serial, "operation_confirmed", "2026-11-01T02:00:00Z", position="psu")
    async with begin(engine) as db:
        await service.settle_cause(db, actor=ADMIN, verdict_id=old.id, cause=cause, now=NOW)
    answer = await asked(api, f"/v1/devices/{serial}/warranty")
    psu = next(one for one in answer["components"] if one["position"] == "psu")
    assert (psu["last_day"], answer["provisional"]) == (last_day, False)
    assert (await asked(api, f"/v1/devices/{serial}"))["version"] == 4


async def test_W10_a_check_counts_only_what_is_not_void(
    db: AsyncConnection, api: httpx.AsyncClient, world: World
) -> None:
    serial = await registered(api, world, accepted_on="2025-01-31")
    covered = []
    for position in ("psu", "lens-1", "lens-2"):
        void = {"position": position, "reason": "opened", "from": "2026-03-01"}
        await happened(api, serial, "voided", "2026-03-02T00:00:00Z", **void)
        one = (await queries.check_serials(db, actor=ADMIN, serials=[serial], on=None, now=NOW)).items[0]
        covered.append((one.status, one.components_covered, one.components_last_day))
    whole, rest = date(2028, 1, 31), date(2026, 2, 28)
    assert covered == [("covered", 2, whole), ("covered", 1, whole), ("covered", 0, rest)]


async def test_T95_a_published_calendar_moves_the_last_day(
    engine: AsyncEngine, api: httpx.AsyncClient, world: World
) -> None:
    contract = unique("CONTRACT")
    terms = {"holiday_rollover": True, "calendar": "QZ"}
    await made(api, "/v1/contracts", number=contract, customer=world["customer"], currency="CNY", terms=terms)
    serial = await registered(api, world | {"contract": contract}, accepted_on="2024-10-01")
    guess = await asked(api, f"/v1/devices/{serial}/warranty")
    assert (guess["provisional"], guess["device"]["last_day"]) == (True, "2027-10-01")
    async with begin(engine) as db:
        stored = await given(db, serial, world["psu"])
        year = CalendarIn(
            country="QZ", year=2027, published=True, working_days_off=[date(2027, 10, n) for n in range(1, 8)]
        )
        await network.add_calendar(db, actor=ADMIN, new=year, now=NOW)
        assert await follow_calendar(db, NOW) >= 1
        assert await follow_calendar(db, NOW) == 0
    checked = await made(api, "/v1/warranty/check", serials=[serial])
    certain = await asked(api, f"/v1/devices/{serial}/warranty")
    assert (certain["provisional"], certain["device"]["last_day"]) == (False, "2027-10-08")
    assert checked["items"][0]["last_day"] == "2027-10-08"
    async with begin(engine) as db:
        revision = await service.revise(db, actor=ADMIN, verdict_id=stored.id)
    assert revision.after["calendar_version"] == "QZ 2027.1"


async def test_check_finds_every_planted_difference(
    engine: AsyncEngine, db: AsyncConnection, api: httpx.AsyncClient, world: World
) -> None:
    serial = await restarted_camera(api, world)
    await given(db, serial, world["psu"])
    assert await queries.faults(db) == []
    of = {"of": await db.scalar(text("SELECT installation FROM device WHERE serial = :of"), {"of": serial})}
    await db.execute(text("UPDATE coverage SET payer = 'oem' WHERE installation = :of AND payer = 'oem_service'"), of)
    await db.execute(
        text("DELETE FROM coverage WHERE installation = :of AND position = 'psu' AND upper_inf(valid)"), of
    )
    await db.execute(
        text("UPDATE installation SET version = version + 1, accepted_on = '2015-08-01' WHERE id = :of"), of
    )
    forged = """
        INSERT INTO verdict SELECT 'ver_forged', installation, device_serial, customer, subject, cause, inputs,
            jsonb_set(outcome, '{covered}', 'true'), outcome_hash, rule_version, calendar_version, NULL, given_at, given_by
        FROM verdict WHERE device_serial = :serial
    """
    await db.execute(text(forged), {"serial": serial})
    found = await queries.faults(db)
    assert [fault for fault in found if of["of"] not in fault and "ver_forged" not in fault] == []
    for part in ("missing ('psu'", "wrong ('unit'", "version is not", "acceptance differs", "ver_forged: its outcome"):
        assert any(part in fault for fault in found), part


async def test_W1_a_failure_before_delivery_gets_no_verdict(
    db: AsyncConnection, api: httpx.AsyncClient, world: World
) -> None:
    serial = await registered(api, world, delivered_on="2026-11-22")
    found = await facts(db, serial, world["psu"], failure=failure(occurred_at=NOW - timedelta(hours=11)))
    with pytest.raises(Refusal, match=r"failure\.before_delivery"):
        service.judge(found.inputs)


@pytest.fixture
async def many(db: AsyncConnection, world: World) -> list[str]:
    """Two thousand devices in one transaction."""
    serials = [unique("BULK") for _ in range(2000)]
    rows = [
        DeviceIn(
            serial=one,
            model=world["model"],
            site=world["site"],
            contract=world["contract"],
            accepted_on=date(2015, 7, 31),
        )
        for one in serials
    ]
    assert await service.import_devices(db, actor=ADMIN, rows=rows, now=NOW) == 2000
    return serials


async def test_two_thousand_devices_and_their_history_import_and_check(
    db: AsyncConnection, many: list[str], world: World
) -> None:
    def row(serial: str, type_: Any, day: int, **fields: Any) -> EventRow:
        at = datetime(2017, 5, day, 2, 0, tzinfo=UTC)
        return EventRow(serial=serial, event=EventIn(type=type_, occurred_at=at, **fields))

    rows = []
    for serial in many:
        rows.append(row(serial, "component_replaced", 1, position="psu", **DEFECT))
        rows.append(row(serial, "operation_confirmed", 2, position="psu"))
        rows.append(row(serial, "device_replaced", 3, new_serial=f"{serial}-B", **DEFECT))
        rows.append(row(f"{serial}-B", "operation_confirmed", 4, position="unit"))
    assert await service.import_events(db, actor=ADMIN, rows=rows, now=NOW) == 8000
    checked = await queries.check_serials(
        db, actor=ADMIN, serials=[*many, *(f"{one}-B" for one in many), "unknown"], on=date(2018, 8, 1), now=NOW
    )
    assert checked.unknown == ["unknown"]
    assert {one.status for one in checked.items[:2000]} == {"replaced"}
    assert {
        (one.status, one.last_day, one.components_covered, one.components_last_day) for one in checked.items[2000:]
    } == {("covered", date(2020, 5, 4), 3, date(2020, 5, 4))}
