"""What clashes and what would help, against an oracle that tries every place in every route with arithmetic of its own."""

import random
from dataclasses import dataclass, replace
from itertools import combinations, product

import pytest

from app.routing.rules.clash import DUE, Question, Source, drivers_of, limits_of, minimal, sound, ways_of
from app.routing.rules.insertion import greedy
from app.routing.rules.problem import Courier, Job, Problem
from app.routing.solver.child import NoPlan, Solver
from app.routing.solver.clash import smallest_clash
from tests.rules.routing_problems import BRANCH, HOUR, WAREHOUSE, courier, job, random_problem, town

HELD, SUBSTITUTE = ("held", ""), ("substitute", "")


def asked(line: Job, problem: Problem, sources: tuple[Source, ...] = (), called: tuple = ()) -> Question:
    """The line against the greedy plan of the others."""
    others = replace(problem, jobs=tuple(one for one in problem.jobs if one.id != line.id))
    plan = greedy(others)
    own = Source(place="own", part="P", pickup=line.pickup, ready_s=line.ready_s, open_spans=line.pickup_open)
    return Question(
        job=line, problem=others, sources=(own, *sources), drivers=drivers_of(plan, others, called),
        limits=limits_of(plan, others, line),
    )  # fmt: skip


def clash_of(question: Question) -> set[tuple[str, str]] | None:
    found = smallest_clash([way.breaks for way in ways_of(question)])
    return None if found.facts is None else set(found.facts)


def test_a_deadline_that_nobody_can_keep_clashes_with_whatever_could_be_changed():
    far = job("late", due_s=600)
    assert clash_of(asked(far, town([far], [courier("K1")]))) == {DUE}


def test_a_line_that_fits_clashes_with_nothing():
    line = job("fits")
    assert clash_of(asked(line, town([line], [courier("K1")]))) == set()


def test_a_shift_and_a_deadline_clash_and_the_shift_for_once_is_priced_by_the_quarter_hour():
    line = job("evening")  # fetched 4 min, driven 5, fitted 20: 29 minutes
    question = asked(line, town([line], [courier("K1", end_s=20 * 60)]))
    assert clash_of(question) == {("ends", "K1")}
    best = ways_of(question)[0]
    assert (best.shift_s, best.cost) == (29 * 60, 300 + 900 + 300)  # driving, a quarter hour, the change itself


def test_closed_doors_far_pieces_and_a_refused_substitute_clash_together():
    line = job("early", pickup_open=((2 * HOUR, 8 * HOUR),), due_s=HOUR)
    far = Source(place="far", part="P", pickup=BRANCH, ready_s=50 * 60, breaks=frozenset({HELD}))
    other = Source(place="own", part="S", pickup=WAREHOUSE, breaks=frozenset({HELD, SUBSTITUTE}), cost=5_000)
    question = asked(line, town([line], [courier("K1")]), (far, other))
    assert clash_of(question) == {DUE, HELD, ("hours", "own")}
    cheapest = next(way for way in ways_of(question) if way.in_time and way.possible)
    assert (cheapest.breaks, cheapest.open_s) == (frozenset({("hours", "own")}), 0)


def test_a_less_urgent_promise_can_be_given_up_and_an_equally_urgent_one_cannot():
    first = job("first", due_s=35 * 60)
    for tier, kind in ((2, "promise"), (0, "as_urgent")):
        line = job("second", drop=WAREHOUSE, tier=0, due_s=35 * 60)
        question = asked(line, town([replace(first, tier=tier), line], [courier("K1")]))
        assert clash_of(question) == {DUE, (kind, "first")}
        assert [way.harmed for way in ways_of(question) if way.in_time and way.possible] == (
            [("first",)] if kind == "promise" else []
        )


def test_no_way_at_all_is_no_clash():
    line = job("walled", drop_open=((0, 60),))
    assert clash_of(asked(line, town([line], [courier("K1")]))) is None


@dataclass(frozen=True)
class Tried:
    breaks: frozenset[tuple[str, str]]
    who: tuple[str, str]
    cost: int


def oracle(question: Question) -> list[Tried]:
    """Every route there is with the line in it, timed stop by stop; what it breaks, what it costs."""
    found = []
    for driver, source in product(question.drivers, question.sources):
        doors = (False, True) if source.pickup is not None and source.open_spans else (False,)
        days = (False, True) if question.job.earliest_drop_s else (False,)
        for shut, early in product(doors, days):
            line = replace(
                question.job, pickup=source.pickup, ready_s=source.ready_s,
                pickup_open=() if shut else source.open_spans,
                earliest_drop_s=0 if early else question.job.earliest_drop_s,
            )  # fmt: skip
            own = [("drop", line)] if line.pickup is None else [("pickup", line), ("drop", line)]
            jobs = {one.id: one for one in question.problem.jobs}
            order = [(visit.kind, jobs[visit.job]) for visit in driver.order]
            size = len(order) + len(own)
            for spots in combinations(range(1 if driver.courier.first else 0, size), len(own)):
                rest = iter(order)
                mixed = [own[spots.index(at)] if at in spots else next(rest) for at in range(size)]
                tried = judged(question, driver, source, (shut, early), mixed)
                if tried is not None:
                    found.append(tried)
    return found


def judged(question, driver, source, passed, order) -> Tried | None:
    person: Courier = driver.courier
    travel = question.problem.travel
    at, place, drive, broken, finish = person.available_s, person.start, 0, set(driver.breaks), 0
    held = [each for each in question.problem.jobs if each.id in person.carrying]
    pieces, grams = sum(each.pieces for each in held), sum(each.grams for each in held)
    if person.first and person.first.kind == "pickup":
        held += [each for each in question.problem.jobs if each.id == person.first.job]
    room = (max(person.pieces, sum(e.pieces for e in held)), max(person.grams, sum(e.grams for e in held)))
    aboard = {each.id for each in question.problem.jobs if each.id in person.carrying}
    for kind, one in order:
        there = one.pickup if kind == "pickup" else one.drop
        ready, spans, takes = (
            (one.ready_s, one.pickup_open, one.pickup_service_s)
            if kind == "pickup"
            else (one.earliest_drop_s, one.drop_open, one.drop_service_s)
        )
        drive += travel[place][there]
        at = max(at + travel[place][there], ready)
        if spans:
            starts = [max(at, opens) for opens, closes in spans if max(at, opens) + takes <= closes]
            if not starts:
                return None
            at = starts[0]
        mine = one.id == question.job.id
        if mine and kind == "pickup" and passed[0]:
            if any(opens <= at and at + takes <= closes for opens, closes in source.open_spans):
                return None
            broken.add(("hours", source.place))
        if mine and kind == "drop" and passed[1]:
            if at >= question.job.earliest_drop_s:
                return None
            broken.add(("appointment", ""))
        at, place = at + takes, there
        if kind == "pickup":
            aboard.add(one.id)
            pieces, grams = pieces + one.pieces, grams + one.grams
            if pieces > room[0] or grams > room[1]:
                broken.add(("load", person.code))
        elif one.id in aboard:
            pieces, grams = pieces - one.pieces, grams - one.grams
        if kind == "drop" and mine:
            finish = at
            if at > one.due_s:
                broken.add(DUE)
        elif kind == "drop" and at > question.limits.get(one.id, at):
            broken.add(("promise" if one.tier > question.job.tier else "as_urgent", one.id))
    end = at
    if person.home is not None:
        drive, end = drive + travel[place][person.home], at + travel[place][person.home]
    last = shift_end(person, question.problem)
    if end > last:
        broken.add(("ends", person.code))
    return told(question, driver, source, broken, (finish, end - last, drive))


def told(question, driver, source, broken, times) -> Tried:
    """What the person and the shelf break beside the times, and what it costs."""
    finish, over, drive = times
    person = driver.courier
    if question.job.pinned_courier not in (None, person.code):
        broken.add(("pin", ""))
    if set(question.job.skills) - set(person.skills):
        broken.add(("skill", person.code))
    broken |= source.breaks
    paid = min(finish, driver.paid_until_s) if driver.paid_until_s is not None else max(0, over)
    changes = [name for name in broken if name[0] not in ("due", "empty", "skill", "load", "appointment", "as_urgent")]
    cost = drive - driver.planned_drive_s + -(-paid // 900) * 900 + source.cost + 300 * len(changes)
    return Tried(frozenset(broken), (person.code, source.place), cost)


def shift_end(person: Courier, problem: Problem) -> int:
    """A shift ends when it ends, or when the leg that has begun is over."""
    if person.first is None:
        return min(person.end_s, problem.horizon_s)
    started = next(one for one in problem.jobs if one.id == person.first.job)
    at, place = person.available_s, person.start
    steps = [(started.drop, started.earliest_drop_s, started.drop_open, started.drop_service_s)]
    if person.first.kind == "pickup":
        steps.insert(0, (started.pickup, started.ready_s, started.pickup_open, started.pickup_service_s))
    for there, ready, spans, takes in steps:
        at = max(at + problem.travel[place][there], ready)
        starts = [max(at, opens) for opens, closes in spans if max(at, opens) + takes <= closes]
        at, place = (starts[0] if starts else at) + takes, there
    return max(
        min(person.end_s, problem.horizon_s), at + (0 if person.home is None else problem.travel[place][person.home])
    )


def random_questions(seed: int) -> list[Question]:
    """Lines of a crowded little day with another shelf, a substitute's and an empty one, and a person to be called in."""
    rng = random.Random(seed)
    problem = random_problem(seed, 5, 2, width_m=14_000)
    problem = replace(
        problem,
        jobs=tuple(replace(one, due_s=rng.randrange(900, one.due_s + 1), told_s=None) for one in problem.jobs),
        couriers=tuple(replace(one, end_s=rng.choice((HOUR, 2 * HOUR, one.end_s))) for one in problem.couriers),
    )
    begun = {one.first.job for one in problem.couriers if one.first} | set(problem.carried_by())
    rested = courier("C9", start=rng.randrange(3), end_s=6 * HOUR)
    found = []
    for line in problem.jobs:
        if line.id in begun or line.pickup is None:
            continue
        opens = rng.randrange(2 * HOUR)
        more = (
            Source(place="other", part="P", pickup=rng.randrange(3), ready_s=rng.randrange(HOUR), breaks=frozenset({HELD}),
                   open_spans=((opens, opens + 4 * HOUR),), cost=rng.randrange(4_000)),
            Source(place="third", part="S", pickup=rng.randrange(3), breaks=frozenset({HELD, SUBSTITUTE}), cost=2_000),
            Source(place="bare", part="P", pickup=rng.randrange(3), breaks=frozenset({HELD, ("empty", "bare")})),
        )  # fmt: skip
        found.append(asked(line, problem, more, ((None, rested),)))
    return found


@pytest.mark.parametrize("seed", range(50))
def test_ways_and_clashes_are_what_trying_everything_finds(seed):
    for question in random_questions(seed):
        tried = oracle(question)
        ways = ways_of(question)
        facts = sorted({name for one in tried for name in one.breaks})
        cheapest: dict[object, int] = {}
        for one in tried:
            cheapest[one.breaks, one.who] = min(one.cost, cheapest.get((one.breaks, one.who), one.cost))
        assert {(way.breaks, (way.courier, way.place)): way.cost for way in ways} == cheapest
        clash = clash_of(question)
        if not tried:
            assert clash is None
            continue
        left = [one.breaks & clash for one in tried]
        assert all(left) or clash == set()
        assert all(any(not (one.breaks & (clash - {name})) for one in tried) for name in clash)
        smaller = combinations(facts, max(len(clash) - 1, 0))
        assert not clash or not any(all(one.breaks & set(few) for one in tried) for few in smaller)


@pytest.mark.anyio
async def test_the_child_answers_what_clashes_and_its_judge_looks():
    sets = [minimal(way.breaks for way in ways_of(one)) for one in random_questions(3)]
    async with Solver() as solver:
        found = await solver.clashes(sets, limit_s=20, wall_s=60)
    assert not isinstance(found, NoPlan)
    assert found == [smallest_clash(one) for one in sets]
    assert all(map(sound, found, sets))
    assert not any(
        sound(replace(one, facts=(*(one.facts or ()), ("made", "up"))), few)
        for one, few in zip(found, sets, strict=True)
    )
