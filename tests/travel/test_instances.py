"""Routing instances made from roads: whole, the same each time, and servable."""

import pytest

from bench.travel.figures import matrix_seconds, ratios, sample
from bench.travel.instances import CAPACITY, HORIZON_S, instance, vrplib


@pytest.fixture(scope="module")
def made(roads):
    return instance(roads, name="grid", customers=40, seed=3)


def sections(text):
    found, name = {}, "HEAD"
    for line in text.splitlines():
        if line.endswith("_SECTION"):
            name = line
        else:
            found.setdefault(name, []).append(line)
    return found


def test_an_instance_is_written_whole(made):
    found = sections(vrplib(made))
    head = dict(line.split(" : ") for line in found["HEAD"])
    assert (head["DIMENSION"], head["CAPACITY"]) == ("41", str(CAPACITY))
    assert (head["EDGE_WEIGHT_TYPE"], head["EDGE_WEIGHT_FORMAT"]) == ("EXPLICIT", "FULL_MATRIX")
    rows = [[int(one) for one in line.split()] for line in found["EDGE_WEIGHT_SECTION"][:-1]]
    assert tuple(map(tuple, rows)) == made.seconds
    assert found["EDGE_WEIGHT_SECTION"][-1] == "EOF"
    assert [line.split()[0] for line in found["TIME_WINDOW_SECTION"]] == [str(at) for at in range(1, 42)]
    assert found["DEPOT_SECTION"] == ["1", "-1"]


def test_an_instance_is_the_same_each_time_and_another_with_another_seed(roads, made):
    assert vrplib(instance(roads, name="grid", customers=40, seed=3)) == vrplib(made)
    assert instance(roads, name="grid", customers=40, seed=4).points != made.points


def test_each_customer_can_be_served_alone_and_the_vans_carry_all(made):
    assert sum(made.demands) <= made.vehicles * CAPACITY
    for at in range(1, 41):
        opens, closes = made.windows_s[at]
        begins = max(opens, made.seconds[0][at])
        assert begins <= closes
        assert begins + made.services_s[at] + made.seconds[at][0] <= HORIZON_S


def test_the_ways_there_and_back_differ(made):
    assert any(made.seconds[a][b] != made.seconds[b][a] for a in range(41) for b in range(41))


def test_a_ratio_to_itself_is_one(roads):
    points = sample(roads, 30, 1)
    table = roads.table(points, 0)
    found = ratios("itself", table, table)
    assert (found.p5, found.median, found.p95) == (1, 1, 1)
    assert set(matrix_seconds(roads, points)) == {"first_s", "again_s", "bind_s"}
