"""Random histories: the bulk check, the single answer and the recomputation never disagree; races keep one order."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.rules import duty_actor
from app.core.db import begin
from app.core.errors import Refusal
from app.warranty import queries, service
from app.warranty.rules.inputs import Failure
from app.warranty.schemas import DeviceIn, EventIn, WarrantyOut
from tests.api.warranty_cast import DEFECT, asked, camera_world, made, registered
from tests.builders import unique

pytestmark = pytest.mark.anyio

ADMIN = duty_actor("tests")
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
World = dict[str, str]


@pytest.fixture
async def world(api: httpx.AsyncClient) -> World:
    return await camera_world(api)


def a_day(dice: random.Random) -> date:
    return date(2015, 1, 1) + timedelta(days=dice.randrange(4300))


def an_event(dice: random.Random, sites: list[str]) -> dict[str, Any]:
    """Any event a door takes; many are refused, which is part of the test."""
    position = dice.choice(["psu", "lens-1", "lens-2", "unit"])
    cause = {"cause": dice.choice(["defect", "customer", "undetermined"]), "system_stopped": dice.random() < 0.8}
    return dice.choice(
        [
            {"type": "component_replaced", "position": position, **cause},
            {"type": "component_replaced", "position": "psu", **DEFECT},
            {"type": "operation_confirmed", "position": position},
            {"type": "operation_confirmed", "position": "psu"},
            {"type": "device_replaced", "new_serial": unique("NEW"), **cause},
            {"type": "extended", "months": dice.randrange(1, 30), "reason": "bought"},
            {"type": "voided", "reason": "opened", "from_day": a_day(dice), "position": dice.choice([None, "psu"])},
            {"type": "transferred", "site": dice.choice(sites)},
            {"type": "accepted", "on": a_day(dice)},
            {"type": "component_installed", "position": position, "part_number": "SPARE"},
            {"type": "operation_confirmed", "position": "psu", "presumed": True},
        ]
    )


def a_correction(dice: random.Random, event: str) -> dict[str, Any]:
    """A correction of one event; wrong ones are refused."""
    moved = datetime.combine(a_day(dice), datetime.min.time(), UTC)
    change = dice.choice(
        [
            {"withdrawn": True},
            {"withdrawn": False, "cause": "wear"},
            {"cause": dice.choice(["customer", "defect"])},
            {"on": a_day(dice)},
            {"from_day": a_day(dice)},
            {"months": dice.randrange(1, 20)},
            {"system_stopped": True},
            {"position": "psu"},
            {"happened_at": min(moved, NOW)},
        ]
    )
    return {"type": "corrected", "event": event, "reason": "typo", **change}


async def lived(db: AsyncConnection, dice: random.Random, world: World, sites: list[str]) -> list[str]:
    """One device with a random life; gives all its serials."""
    serial = unique("LIFE")
    device = DeviceIn(
        serial=serial,
        model=world["model"],
        site=world["site"],
        contract=world["contract"],
        delivered_on=dice.choice([None, a_day(dice)]),
        accepted_on=dice.choice([None, a_day(dice), a_day(dice)]),
        oem_last_day=dice.choice([None, a_day(dice)]),
    )
    await service.register_device(db, actor=ADMIN, new=device, now=NOW)
    serials, told = [serial], ["wev_unknown"]
    for _ in range(dice.randrange(16)):
        what = a_correction(dice, dice.choice(told)) if dice.random() < 0.3 else an_event(dice, sites)
        at = datetime.combine(a_day(dice), datetime.min.time(), UTC) + timedelta(minutes=dice.randrange(1440))
        event = EventIn(occurred_at=min(at, NOW), **what)
        try:
            kept = await service.append_event(db, actor=ADMIN, serial=dice.choice(serials), new=event, now=NOW)
            told.append(kept.id)
            serials += [what["new_serial"]] if "new_serial" in what else []
        except Refusal:
            continue
    return serials


def summary(answer: Any) -> tuple[Any, ...]:
    """What a bulk check says, worked out from a single answer."""
    here = [one for one in answer.components if one.status != "replaced"]
    ends = [one.last_day for one in here if one.last_day is not None]
    covered = sum(one.status == "covered" for one in here)
    return (
        answer.serial,
        answer.device.status,
        answer.device.last_day,
        answer.device.payer,
        covered,
        max(ends, default=None),
    )


@pytest.mark.parametrize("scope", ["part", "device"])
@pytest.mark.parametrize("seed", range(3))
async def test_IW8_the_bulk_check_equals_single_answers(
    db: AsyncConnection, api: httpx.AsyncClient, world: World, seed: int, scope: str
) -> None:
    dice = random.Random(f"{seed} {scope}")
    contract, site = unique("CONTRACT"), unique("SITE")
    await made(
        api,
        "/v1/contracts",
        number=contract,
        customer=world["customer"],
        currency="CNY",
        terms={"restart_scope": scope},
    )
    where = {"latitude": 40.7, "longitude": -74.0, "timezone": "America/New_York"}
    await made(api, "/v1/sites", code=site, customer=world["customer"], name="Away", **where)
    world = world | {"contract": contract}
    serials = [one for _ in range(30) for one in await lived(db, dice, world, [world["site"], site])]
    for on in [None, *(a_day(dice) for _ in range(12)), date(1970, 1, 1), date(2100, 12, 31)]:
        checked = await queries.check_serials(db, actor=ADMIN, serials=serials, on=on, now=NOW)
        bulk = [
            (one.serial, one.status, one.last_day, one.payer, one.components_covered, one.components_last_day)
            for one in checked.items
        ]
        single = [
            summary(await queries.warranty(db, actor=ADMIN, serial=one, on=on, known_at=None, now=NOW))
            for one in serials
        ]
        assert bulk == single
    assert await queries.faults(db) == []


async def test_IW10_verdicts_on_random_lives_replay_from_what_was_stored(
    db: AsyncConnection, api: httpx.AsyncClient, world: World
) -> None:
    dice = random.Random(10)
    given = 0
    for _ in range(60):
        serial = dice.choice(await lived(db, dice, world, [world["site"]]))
        at = datetime.combine(a_day(dice), datetime.min.time(), UTC)
        failure = Failure(
            occurred_at=at,
            reported_at=at + timedelta(days=dice.randrange(40)),
            cause=dice.choice(["defect", "customer", "undetermined", "force_majeure"]),
            system_stopped=dice.random() < 0.5,
            found_on=dice.choice(["use", "use", "opening"]),
        )
        found = await queries.failure_facts(
            db,
            actor=ADMIN,
            failure=failure,
            serial=serial,
            part_number=None,
            position=dice.choice(["psu", "unit", "lens-1"]),
        )
        try:
            await service.give_verdict(db, actor=ADMIN, inputs=found.inputs, customer=world["customer"], now=NOW)
        except Refusal:
            continue
        given += 1
    assert given >= 30
    assert await queries.faults(db) == []


async def test_W10_what_was_known_stays_known(db: AsyncConnection, api: httpx.AsyncClient, world: World) -> None:
    dice = random.Random(7)
    serial = await registered(api, world, accepted_on="2015-07-31")
    days = [a_day(dice) for _ in range(25)]
    told: list[tuple[datetime, list[Any]]] = []
    for hours in range(1, 9):
        now = NOW + timedelta(hours=hours)
        told.append((now, [await answered(db, serial, on, None, now) for on in days]))
        for kind in ("component_replaced", "operation_confirmed"):
            more = DEFECT if kind == "component_replaced" else {}
            at = datetime.combine(a_day(dice), datetime.min.time(), UTC)
            event = EventIn(type=kind, occurred_at=at, position="psu", **more)  # type: ignore[arg-type]
            try:
                await service.append_event(db, actor=ADMIN, serial=serial, new=event, now=now + timedelta(minutes=1))
            except Refusal:
                continue
    for known_at, answers in told:
        assert [await answered(db, serial, on, known_at, NOW) for on in days] == answers


async def answered(db: AsyncConnection, serial: str, on: date, known_at: datetime | None, now: datetime) -> Any:
    answer = await queries.warranty(db, actor=ADMIN, serial=serial, on=on, known_at=known_at, now=now)
    return (answer.device, answer.components, answer.provisional)


async def test_two_events_at_once_keep_one_order(engine: AsyncEngine, api: httpx.AsyncClient, world: World) -> None:
    serial = await registered(api, world, accepted_on="2025-01-31")
    body = {"type": "extended", "months": 1, "reason": "bought"}
    answers = await asyncio.gather(*(api.post(f"/v1/devices/{serial}/events", json=body) for _ in range(8)))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 10))
    assert (await asked(api, f"/v1/devices/{serial}/warranty"))["device"]["last_day"] == "2028-09-30"
    async with begin(engine) as db:
        assert await queries.faults(db) == []


async def test_one_new_serial_wanted_by_two_swaps_goes_to_one(api: httpx.AsyncClient, world: World) -> None:
    one, other = await registered(api, world), await registered(api, world)
    body = {"type": "device_replaced", "new_serial": unique("CAM"), **DEFECT}
    answers = await asyncio.gather(*(api.post(f"/v1/devices/{serial}/events", json=body) for serial in (one, other)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "serial.taken"}


async def test_acceptance_and_registration_at_once_leave_nothing_unanchored(
    api: httpx.AsyncClient, world: World
) -> None:
    path, day = f"/v1/contracts/{world['contract']}/accept", {"accepted_on": "2026-01-31"}
    accepted, *_ = await asyncio.gather(api.post(path, json=day), *(registered(api, world) for _ in range(6)))
    assert accepted.status_code == 200
    devices = (await asked(api, "/v1/devices", contract=world["contract"]))["items"]
    assert {device["accepted_on"] for device in devices} == {"2026-01-31"}


async def test_two_acceptances_at_once_agree_on_one_day(api: httpx.AsyncClient, world: World) -> None:
    serial = await registered(api, world)
    path = f"/v1/contracts/{world['contract']}/accept"
    days = ["2026-01-31", "2026-02-01"]
    answers = await asyncio.gather(*(api.post(path, json={"accepted_on": day}) for day in days))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    won = next(answer.json()["accepted_on"] for answer in answers if answer.status_code == 200)
    contract = await asked(api, f"/v1/contracts/{world['contract']}")
    assert (contract["accepted_on"], (await asked(api, f"/v1/devices/{serial}"))["accepted_on"]) == (won, won)


def test_the_answer_has_exactly_the_promised_fields() -> None:
    assert WarrantyOut.__struct_fields__ == (
        "serial",
        "model",
        "on",
        "known_at",
        "provisional",
        "device",
        "components",
        "reasons",
    )
