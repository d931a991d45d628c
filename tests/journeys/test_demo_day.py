"""The demo day in small: the same table for the same seed, clean books, and no fewer promises kept than nearest first."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from app.cli.day.demand import AskedLine, Call, calls_of, day_of
from app.cli.day.facts import Carrier, PartFacts, Person, Place, Site, World, next_run
from app.cli.day.nearest import Bundling, Nearest
from app.cli.day.outcome import Outcome, Result, percentile
from app.cli.day.stage import Played, Wish, played, prepare
from app.cli.day.table import table
from app.cli.frame import engine_on
from app.core.settings import Settings
from app.network.rules.hours import parse_hours
from tests.conftest import database

pytestmark = pytest.mark.anyio
CALLS = 10
TIGHT = {
    "from": "08:30", "to": "10:00", "rush_hours": [], "on_shift": ["YC-C1", "YC-E1", "YC-E3"],
    "areas": {"YINCHUAN": 1},
}  # fmt: skip
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
ENDS = NOON + timedelta(hours=17)


@pytest.fixture(scope="module")
def own_url(clone: Callable[[str], str]) -> str:
    return clone(f"day_{os.getpid()}")


@pytest.fixture(scope="module")
async def twice(own_url: str, cluster_url: str, anyio_backend: Any) -> list[Played]:
    """The same small day in two databases that were one."""
    first, name = own_url, f"day_{os.getpid()}"
    async with engine_on(first) as engine:
        await prepare(engine, day_of() | TIGHT, currency="CNY")
    connection = await asyncpg.connect(cluster_url)
    await connection.execute(f'CREATE DATABASE "{name}_again" TEMPLATE "{name}" STRATEGY FILE_COPY')
    await connection.close()
    wish = Wish(day=day_of() | TIGHT, seed=5, requests=CALLS, solutions=4)
    return [await played(url, Settings(), wish) for url in (first, database(cluster_url, f"{name}_again"))]


async def test_the_same_seed_gives_the_same_table(twice):
    first, again = (table(day) for day in twice)
    assert first == again
    assert f"seed 5: {CALLS} calls" in first
    assert "All invariants hold." in first


async def test_the_books_are_clean_and_couriers_keep_to_their_started_legs(twice):
    assert [(day.found, day.swerves) for day in twice] == [((), 0), ((), 0)]


async def test_the_plan_keeps_no_fewer_promises_than_nearest_first(twice):
    plan, nearest = twice[0].plan, twice[0].nearest
    assert len(plan.outcomes) + plan.canceled + plan.refused >= CALLS
    assert plan.kept_percent >= nearest.kept_percent
    assert all(one.why for one in plan.outcomes if not one.kept)
    assert plan.driven_s > 0


def test_another_seed_is_another_day():
    one, same, other = (calls_of(day_of(), seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert len({call.serial for call in one}) == len(one) == 120
    assert [call.at for call in one] == sorted(call.at for call in one)


def test_half_of_the_calls_come_in_the_rush_hours():
    day = day_of()
    clocks = [
        (call.at + timedelta(hours=8)).strftime("%H:%M") for seed in range(5) for call in calls_of(day, seed=seed)
    ]
    rush = sum(any(one["from"] <= clock < one["to"] for one in day["rush_hours"]) for clock in clocks)
    assert 0.5 < rush / len(clocks) < 0.8


# The baseline, on a world small enough to reckon by hand: the warehouse and two sites on one road.


def a_place(code: str, **changes: Any) -> Place:
    always = parse_hours("24x7", "Asia/Shanghai")
    place = Place(code=code, point=(38.0, 106.0), zone="Asia/Shanghai", hours=always, preparation_s=600, ours=True)
    return replace(place, **changes)


def a_world(people: int = 1, pieces: int = 9, elsewhere: int = 0) -> World:
    always = parse_hours("24x7", "Asia/Shanghai")
    return World(
        places={"WH": a_place("WH"), "FAR": a_place("FAR", point=(34.0, 108.0))},
        sites={"S1": Site("A", (38.05, 106.0)), "S2": Site("A", (38.051, 106.0))},
        people=tuple(Person(f"P{at}", "A", (38.0, 106.0), always, 50_000) for at in range(people)),
        carriers=(Carrier("SF", "FAR", "A", ("14:30", "18:30"), 72_000),),
        parts={"PSU": PartFacts(1200, 300)},
        sources={"A": ("WH",)},
        stock={("WH", "PSU"): pieces, ("FAR", "PSU"): elsewhere},
        links=(),
    )


def a_call(number: int, minutes: int = 0, **changes: Any) -> Call:
    call = Call(
        number=number, at=NOON + timedelta(minutes=minutes), serial=f"D{number}", model="M", site="S1", area="A",
        priority="general", cause="defect", stopped=False, found_on="use", lines=(AskedLine("PSU", 1, "psu"),),
        answers_s=60, consents_s=600, agrees=True, cancels_s=None, appointment_s=None, fate="smooth",
    )  # fmt: skip
    return replace(call, **changes)


def nearest(world: World, *calls: Call, pays: frozenset[int] = frozenset(), pieces: int = 8) -> Result:
    return Nearest(world, date(2026, 11, 24), ENDS, set(pays), Bundling(pieces)).play(calls)


def minutes_of(result: Result) -> list[int | None]:
    return [one.ended_at and round((one.ended_at - NOON).total_seconds() / 60) for one in result.outcomes]


def test_nearest_fetches_drives_and_fits():
    result = nearest(a_world(), a_call(1))
    drive = result.driven_s / 60
    assert minutes_of(result) == [round(10 + 4 + drive + 20)]
    assert result.kept_percent == 100


def test_nearest_takes_along_what_waits_for_near_sites():
    calls = [a_call(1), a_call(2, site="S2"), a_call(3)]
    together, alone = nearest(a_world(), *calls), nearest(a_world(), *calls, pieces=1)
    assert together.driven_s < alone.driven_s
    assert max(minutes_of(together)) < max(minutes_of(alone))


def test_nearest_serves_in_the_order_of_the_calls():
    ends = minutes_of(nearest(a_world(), a_call(1), a_call(2, minutes=1, priority="emergency"), pieces=1))
    assert ends[0] < ends[1]


def test_what_is_not_in_stock_here_goes_by_the_next_run():
    result = nearest(a_world(pieces=0, elsewhere=1), a_call(1))
    assert [(one.kind, one.kept) for one in result.outcomes] == [("national", True)]
    assert minutes_of(result) == [150]
    assert nearest(a_world(pieces=0), a_call(1)).refused == 1


def test_a_price_to_agree_on_stops_the_clock_in_the_baseline_too():
    slow = a_call(1, consents_s=7200)
    assert nearest(a_world(), slow, pays=frozenset({1})).kept_percent == 100
    assert nearest(a_world(), replace(slow, agrees=False), pays=frozenset({1})).outcomes == ()


def test_a_lost_part_is_brought_again_in_the_baseline_too():
    smooth, lost = nearest(a_world(), a_call(1)), nearest(a_world(), a_call(1, fate="lost"))
    assert len(lost.outcomes) == 1
    assert minutes_of(lost)[0] > minutes_of(smooth)[0]


def test_the_last_moment_before_a_cut_off_is_in_time():
    world = a_world()
    at = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    assert next_run(world, world.places["FAR"], "A", at)[0] == at
    assert next_run(world, world.places["FAR"], "A", at + timedelta(seconds=1))[0] == at + timedelta(hours=4)
    assert next_run(world, world.places["WH"], "A", at) is None


def test_figures_of_a_result():
    def line(minutes: int | None) -> Outcome:
        ended = None if minutes is None else NOON + timedelta(minutes=minutes)
        return Outcome(
            call=1, part="PSU", site="S1", area="A", priority="general", kind="local", received_at=NOON,
            due_at=NOON + timedelta(hours=2), ended_at=ended, day_ends=ENDS,
        )  # fmt: skip

    result = Result(outcomes=(line(120), line(121), line(None), line(30)), refused=0, canceled=0, driven_s=5400)
    assert (result.kept_percent, result.driven_hours) == (50.0, 1.5)
    assert result.mean_late_min == (0 + 1 + 900 + 0) / 4
    assert [percentile([1, 2, 3, 4], share) for share in (0.5, 0.75, 0.76)] == [2, 3, 4]
