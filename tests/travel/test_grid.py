"""A real OSRM server and the embedded graph on the same grid: the provider says what OSRM says, the graph nearly so."""

from dataclasses import replace

import httpx
import numpy as np
import pytest

from app.routing.travel import GreatCircle, Steady, implausible
from app.routing.travel.graph import SMALLEST, load, parts_of, save
from app.routing.travel.hours import BUCKETS, DAY, EVENING, FREE, MORNING
from app.routing.travel.osrm import Osrm, coordinates
from app.routing.travel.roads import RoadGraph
from app.routing.travel.wire import Wire
from tests.travel.grid import CELLS, ISLAND, OFF_ROAD, PARTS, crossings, place

pytestmark = pytest.mark.anyio
TOLERANCE = (0.85, 1.10)
"""Between these lie nine in ten of the graph's times, as a share of OSRM's; what turns cost there is not in them."""


async def table(url, points):
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/table/v1/driving/{coordinates(points)}?annotations=duration,distance")
    return answer.json()


async def test_R5_the_provider_says_what_the_server_says(server):
    points = crossings()
    source = Osrm(Wire(server.url))
    found, said = await source.matrix(points), await table(server.url, points)
    assert found.seconds == tuple(tuple(int(np.ceil(one)) for one in row) for row in said["durations"])
    assert found.metres == tuple(tuple(round(one) for one in row) for row in said["distances"])
    assert not found.estimated
    assert implausible(found, points) is None
    await source.aclose()


async def test_R5_a_table_larger_than_a_server_allows_is_asked_in_blocks(server):
    points = [place(row, column * PARTS) for row in range(0, CELLS * PARTS + 1, 3) for column in range(CELLS + 1)]
    assert len(points) > 100
    source = Osrm(Wire(server.url))
    found = await source.matrix(points)
    some = [0, 7, 55, 99, 120, 153]
    alone = await source.matrix([points[at] for at in some])
    assert [[found.seconds[a][b] for b in some] for a in some] == [list(row) for row in alone.seconds]
    await source.aclose()


async def test_R5_a_point_the_server_has_to_move_far_has_no_way_by_road(server):
    far = (40.5, 106.3)
    source = Osrm(Wire(server.url))
    found = await Steady(source).matrix([*crossings()[:2], far])
    estimate = GreatCircle().estimate([*crossings()[:2], far])
    assert found.unknown == {(0, 2), (2, 0), (1, 2), (2, 1)}
    assert found.seconds[0][2] == estimate.seconds[0][2]
    assert found.seconds[0][1] != estimate.seconds[0][1]
    await source.aclose()


async def test_R5_swapped_coordinates_are_found_out(server):
    points = [(longitude, latitude) for latitude, longitude in crossings()[:3]]
    said = await table(server.url, [(89.0, 38.4), (88.0, 38.5)])
    assert said["durations"] == [[0, 0], [0, 0]]  # what the server makes of them
    with pytest.raises(ValueError):
        await Steady(Osrm(Wire(server.url))).matrix(points)


async def test_R5_the_graph_agrees_with_the_server_within_the_tolerance(server, roads):
    points = crossings()
    ours = np.array(roads.table(points, FREE).seconds)
    theirs = np.array((await table(server.url, points))["durations"])
    far = theirs > 60
    low, high = np.percentile(ours[far] / theirs[far], [5, 95])
    assert TOLERANCE[0] < low < high < TOLERANCE[1]


async def test_R5_the_line_of_a_way_is_the_server_s(server):
    start, end = place(0, 0), place(8, 8)
    source = Osrm(Wire(server.url))
    line = await source.line(start, end)
    assert line[0] == pytest.approx(start, abs=1e-4)
    assert line[-1] == pytest.approx(end, abs=1e-4)
    assert len(line) > 2
    await source.aclose()


def test_R5_one_way_streets_make_there_and_back_differ(roads):
    north, south = place(PARTS * 5 + 2, PARTS * 2), place(PARTS * 5 + 1, PARTS * 2)
    there, back = roads.table([south, north], FREE).seconds[0][1], roads.table([south, north], FREE).seconds[1][0]
    assert 0 < there < back / 3


@pytest.mark.parametrize("lost", [ISLAND, OFF_ROAD, (10.0, 10.0)])
def test_R5_what_no_road_reaches_is_named(roads, lost):
    found = roads.table([place(0, 0), place(4, 4), lost], FREE)
    assert found.unknown == {(0, 2), (1, 2), (2, 0), (2, 1)}
    assert roads.path(place(0, 0), lost) is None


def test_R5_no_point_near_a_road_is_no_error(roads):
    assert roads.table([(10.0, 10.0), (11.0, 10.0)], FREE).unknown == {(0, 1), (1, 0)}


def test_R5_a_graph_that_cannot_be_true_is_an_error_like_others(roads):
    graph = roads._graph
    with pytest.raises((RuntimeError, ValueError)):
        RoadGraph(replace(graph, order=graph.order[:-1]))


def test_R5_the_stretch_to_the_road_counts(roads):
    at, beside = place(0, 0), (place(0, 0)[0] - 0.002, place(0, 0)[1])
    found = roads.table([at, beside, place(4, 4)], FREE).seconds
    assert found[0][1] == pytest.approx(222 / (15 / 3.6), abs=2)
    assert found[1][2] == pytest.approx(found[0][2] + found[0][1], abs=2)


def test_R5_the_hour_changes_the_times_and_comes_back(roads):
    points = crossings()[:6]
    first = {bucket: roads.table(points, bucket).seconds[0][5] for bucket in BUCKETS}
    assert first[FREE] < first[DAY] < first[MORNING] <= first[EVENING]
    assert {bucket: roads.table(points, bucket).seconds[0][5] for bucket in reversed(BUCKETS)} == first


def test_R5_a_path_runs_from_point_to_point(roads):
    path = roads.path(place(0, 0), place(8, 4))
    assert path[0] == path[1] == place(0, 0)
    assert path[-1] == place(8, 4)


def test_R5_a_kept_graph_gives_the_same_times(roads, tmp_path):
    graph = roads._graph
    save(graph, tmp_path / "roads" / "kept.npz")
    again = RoadGraph(load(tmp_path / "roads" / "kept.npz", graph.digest))
    assert again.table(crossings(), FREE) == roads.table(crossings(), FREE)
    assert again.version == roads.version


def test_R5_a_dead_end_that_lets_nobody_out_is_no_place_to_move_a_point_to():
    ring = np.arange(2 * SMALLEST)
    tail, head = np.append(ring, 0), np.append(np.roll(ring, -1), 2 * SMALLEST)
    part = parts_of(2 * SMALLEST + 1, tail, head)
    assert set(part[:-1]) == {0}
    assert part[-1] == -1
