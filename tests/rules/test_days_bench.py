"""The benchmark of promises kept: frozen days, each policy on a tiny one, and a log check that finds what is planted."""

from dataclasses import replace

import pytest

from bench.dispatch.days.checking import faults
from bench.dispatch.days.command import POLICIES, played, policy_of
from bench.dispatch.days.day import SEEDS, Day, Request, day_of
from bench.dispatch.days.figures import table
from bench.dispatch.days.greedy import Nearest
from bench.dispatch.days.referee import Entry, Foul, World, promised
from bench.dispatch.days.rolling import Effort

TINY = day_of(7, 10)
EFFORT = Effort(seconds=60.0, solutions=20)
CLOCKS = ("cpu_s", "load", "plan_ms")


def test_the_days_are_frozen():
    assert [day_of(seed).digest() for seed in (SEEDS[0], SEEDS[-1])] == ["57afe0859cf6", "c92d29161a68"]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_tiny_day_is_sound_and_the_same_twice(policy):
    once, again = (
        {key: value for key, value in played(TINY, 3, policy, effort=EFFORT).items() if key not in CLOCKS}
        for _ in range(2)
    )
    assert once == again
    assert once["promised"] == len(promised(TINY)) == once["emergency"][1] + once["severe"][1] + once["general"][1]
    assert len(table([once])) == 3


@pytest.mark.parametrize("policy", ["nearest-bundled", "rolling"])
def test_a_day_is_sound_when_drives_take_longer_than_planned(policy):
    played(TINY, 2, policy, effort=EFFORT, slower=20)


def sound():
    """A day under a plain rule with two couriers: its log, which the check accepts."""
    world = World(TINY, 2)
    world.play(Nearest(2))
    assert faults(TINY, 2, world.log) == []
    return world.log


def changed(log, which, **facts):
    """The log with the first line that `which` picks written otherwise."""
    at = next(at for at, one in enumerate(log) if which(one))
    return [*log[:at], replace(log[at], **facts), *log[at + 1 :]]


def shifted(log, which, by_s):
    at_s = next(one.at_s for one in log if which(one))
    return changed(log, which, at_s=at_s + by_s)


def later(log, courier, by_s):
    return [replace(one, at_s=one.at_s + by_s) if one.courier == courier else one for one in log]


FIRST = next(one for one in promised(TINY))
EMPTY = next(place for place in range(4) if (place, FIRST.part) not in dict(TINY.stock))


@pytest.mark.parametrize(
    ("plant", "word"),
    [
        (lambda log: changed(log, lambda one: one.what == "held", place=EMPTY), "does not have"),
        (lambda log: changed(log, lambda one: one.what == "held", at_s=FIRST.at_s + 9), "is answered at"),
        (lambda log: changed(log, lambda one: one.what == "held", what="unpromised"), "turned away"),
        (lambda log: changed(log, lambda one: one.what == "held", what="moved"), "out of turn"),
        (lambda log: shifted(log, lambda one: one.what == "came" and one.visit == "drop", -60), "drives"),
        (lambda log: shifted(log, lambda one: one.what == "ended" and one.visit == "drop", -60), "takes"),
        (lambda log: changed(log, lambda one: one.visit == "drop" and one.what == "came", request=9), "turns round"),
        (lambda log: [one for one in log if not (one.what == "began" and one.request == FIRST.number)], "turns round"),
        (lambda log: [replace(one, place=0) if one.visit == "drop" else one for one in log], "fits"),
        (lambda log: [one for one in log if one.visit != "pickup"], "without having it"),
        (lambda log: [one for one in log if one.visit != "drop"], "still carries"),
        (lambda log: [replace(one, courier=0) if one.courier == 1 else one for one in log], "turns round"),
        (lambda log: [replace(one, courier=2) if one.courier == 1 else one for one in log], "not of the fleet"),
        (lambda log: [one for one in log if one.request != FIRST.number], "answered 0 times"),
        (lambda log: later(log, 0, -40_000), "begins at"),
    ],
)
def test_the_check_finds_what_is_planted(plant, word):
    assert word in "; ".join(faults(TINY, 2, plant(sound())))


def test_too_many_parts_on_board_are_found():
    """Five calls at once from next door, all fetched before the first is brought."""
    day = Day(
        seed=0, requests=tuple(Request(at, 0, 2, 0, 4) for at in range(5)), stock=(((0, 0), 5),), travel=((0,) * 5,) * 5
    )
    log = [Entry(0, "held", at, 0) for at in range(5)]
    for turn, (visit, number) in enumerate((visit, at) for visit in ("pickup", "drop") for at in range(5)):
        begins, ends = (turn * 240, turn * 240 + 240) if turn < 5 else (turn * 1200 - 4800, turn * 1200 - 3600)
        steps = ((begins, "left"), (begins, "came"), (begins, "began"), (ends, "ended"))
        log += [Entry(at_s, step, number, 0 if visit == "pickup" else 4, 0, visit) for at_s, step in steps]
    assert faults(day, 1, log) == ["courier 0: carries 5 parts at 1200"]
    with pytest.raises(Foul, match="is full"):
        World(day, 1).play(Nearest(5))


def test_the_referee_stops_who_takes_what_is_not_there():
    class Greedy(Nearest):
        def asked(self, world, request):
            return EMPTY

    with pytest.raises(Foul, match="no free piece"):
        World(TINY, 2).play(Greedy())


def test_every_policy_has_a_name():
    assert all(policy_of(name, TINY, 3, EFFORT, 1.0) for name in POLICIES)
