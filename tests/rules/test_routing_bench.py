"""The routing benchmark: formats known by content, instances as problems, plans judged in the file's own numbers."""

import json
import math
from dataclasses import replace

import pytest

from app.routing.rules.judge import faults
from app.routing.solver.search import improve
from bench.routing import checking, families, formats
from bench.routing.__main__ import main as bench
from bench.routing.mapping import problem_of, routes_of
from bench.routing.own import own

VRPLIB = """NAME : tiny
TYPE : VRPTW
DIMENSION : 4
VEHICLES : 2
CAPACITY : 5
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : FULL_MATRIX
EDGE_WEIGHT_SECTION
0 10 20 30
11 0 10 20
21 12 0 10
31 22 13 0
DEMAND_SECTION
1 0
2 2
3 2
4 2
TIME_WINDOW_SECTION
1 0 200
2 50 55
3 0 100
4 0 100
SERVICE_TIME_SECTION
1 0
2 5
3 5
4 5
DEPOT_SECTION
1
-1
EOF
"""


@pytest.mark.parametrize(
    ("text", "family", "customers", "vans"),
    [
        (families.mdvrptw(1, 10, 2, 3, (90, 180), 480, 190), "MDVRPTW", 10, 6),
        (families.solomon(1, "RC1", 12), "Solomon", 12, 25),
        (VRPLIB, "VRPLIB", 3, 2),
    ],
)
def test_an_instance_is_known_by_its_content_solved_and_sound(text, family, customers, vans):
    instance = formats.read(text, "any name")
    assert (instance.family, instance.customers, len(instance.vans)) == (family, customers, vans)
    problem = problem_of(instance)
    plan = improve(problem, None, limit_s=30.0, solutions=20)
    assert plan.unserved == ()
    assert faults(plan, problem) == []
    routes = routes_of(instance, plan)
    assert checking.wrong(instance, routes) == []
    assert checking.cost_of(instance, routes) == pytest.approx(plan.costs.cost / instance.scale, abs=0.01)
    assert sorted(number for route in routes for number in route["customers"]) == sorted(instance.numbers[:customers])


def test_vrplib_numbers_are_the_file_s_own_and_roads_one_way():
    instance = formats.read(VRPLIB, "x")
    assert instance.numbers == (2, 3, 4, 1)
    assert instance.name == "tiny"
    assert checking.cost_of(instance, [{"vehicle": 1, "depot": 1, "customers": [2, 3]}]) == 10 + 10 + 21
    assert checking.cost_of(instance, [{"vehicle": 1, "depot": 1, "customers": [3, 2]}]) == 20 + 12 + 11


def test_solomon_s_distances_are_cut_to_one_decimal_and_cordeau_s_are_not():
    solomon = formats.read(families.solomon(1, "R1", 5), "x")
    assert all(float(round(10 * each, 6)).is_integer() for row in solomon.distance for each in row)
    cordeau = formats.read(families.mdvrptw(1, 5, 2, 1, (90, 180), 480, 190), "x")
    assert not all(float(round(10 * each, 6)).is_integer() for row in cordeau.distance for each in row)


@pytest.mark.parametrize("text", ["", "hello\nworld", "1 2 3", "EDGE_WEIGHT_TYPE : GEO\nDIMENSION : 2\n"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError):
        formats.read(text, "x")


@pytest.mark.parametrize(
    ("routes", "fault"),
    [
        ([[2, 3]], "customer 4 is served 0 times"),
        ([[2, 3], [3, 4]], "customer 3 is served 2 times"),
        ([[2, 3, 4]], "vehicle 1 carries 6, it holds 5"),
        ([[4, 2], [3]], "vehicle 1 is late at 2"),
        ([[2, 3], [4, 9]], "customer 9 is unknown"),
    ],
)
def test_routes_are_judged_in_the_file_s_own_numbers(routes, fault):
    instance = formats.read(VRPLIB, "x")
    given = [{"vehicle": at, "depot": 1, "customers": each} for at, each in enumerate(routes, start=1)]
    assert fault in checking.wrong(instance, given)


def test_a_route_s_time_is_the_shortest_it_can_be():
    instance = formats.read(VRPLIB, "x")
    given = [{"vehicle": 1, "depot": 1, "customers": [2]}, {"vehicle": 2, "depot": 1, "customers": [3, 4]}]
    assert checking.wrong(instance, given) == []
    vans = tuple(replace(van, duration=26.0) for van in instance.vans)
    assert checking.wrong(replace(instance, vans=vans), given) == ["vehicle 2 is under way longer than 26.0"]
    assert math.isinf(instance.vans[0].duration)


def test_our_own_kind_is_frozen_by_its_seed_and_solved_without_a_fault():
    problem = own(1)
    assert own(1) == problem
    assert len({job.line for job in problem.jobs if job.line}) == 20
    plan = improve(problem, None, limit_s=3.0, solutions=2)
    assert faults(plan, problem) == []


ROWS = [[0, 10, 20], [10, 0, 15], [20, 15, 0]]


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("FULL_MATRIX", "0 10 20 10 0 15 20 15 0"),
        ("LOWER_ROW", "10 20 15"),
        ("LOWER_DIAG_ROW", "0 10 0 20 15 0"),
        ("UPPER_ROW", "10 20 15"),
        ("UPPER_DIAG_ROW", "0 10 20 0 15 0"),
        ("LOWER_COL", "10 20 15"),
        ("UPPER_COL", "10 20 15"),
    ],
)
def test_explicit_weights_come_in_many_forms(form, numbers):
    text = (
        f"DIMENSION: 3\nEDGE_WEIGHT_TYPE: EXPLICIT\nEDGE_WEIGHT_FORMAT: {form}\nEDGE_WEIGHT_SECTION\n{numbers}\nEOF\n"
    )
    instance = formats.read(text, "x")
    at = [instance.numbers.index(number) for number in (1, 2, 3)]
    assert [[instance.distance[here][there] for there in at] for here in at] == ROWS
    with pytest.raises(formats.UnknownFormat, match="numbers"):
        formats.read(text.replace("\nEOF", " 7\nEOF"), "x")


def test_cordeau_s_vans_are_counted_all_together_or_by_depot():
    text = families.mdvrptw(1, 10, 2, 3, (90, 180), 480, 190)
    first = text.splitlines()[0].split()
    one = formats.read(text, "x")
    other = formats.read(text.replace(" ".join(first), " ".join([first[0], "3", *first[2:]]), 1), "x")
    assert (len(one.vans), one.digest) == (6, formats.read("\ufeff" + text.replace("\n", "\r\n\r\n"), "x").digest)
    assert (other.vans, other.digest) == (one.vans, one.digest)


def test_a_file_that_is_no_instance_is_named_and_the_others_are_solved(tmp_path, monkeypatch, capsys):
    (tmp_path / "bad.txt").write_text("hello")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "half.vrp").write_text("EDGE_WEIGHT_TYPE : EUC_2D\n")
    (tmp_path / "half.json").write_text("{}")
    (tmp_path / "good.txt").write_text(VRPLIB)
    files = [str(tmp_path / name) for name in ("bad.txt", "gone", "binary", "half.vrp", "half.json", "good.txt")]
    monkeypatch.setattr("sys.argv", ["bench.routing", *files, "--seconds", "0.2"])
    assert bench() == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["instance"] == "tiny"
    assert [line.split(": ")[0] for line in said.err.splitlines()] == files[:-1]
    assert "'DIMENSION' is missing" in said.err
