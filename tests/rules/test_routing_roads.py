"""What tags of a road mean, how hours change speeds, how lines are written, and how a failing server is left alone."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.settings import BadSetting, read_settings
from app.routing.travel import Breaker, GreatCircle, Matrix, Steady, implausible
from app.routing.travel.hours import DAY, EVENING, FACTORS, FREE, LOCAL, MAIN, MORNING, MOTORWAY, bucket_of
from app.routing.travel.known import NO_ROAD, UNASKED, Memory, SourceInForce, Times, key_of, point_of
from app.routing.travel.lines import decoded, encoded, simplified
from app.routing.travel.tags import Road, blocks, kmh_of, road_of
from app.routing.travel.wire import checked
from tests.conftest import START

A, B, C = (38.4872, 106.2309), (38.3229, 106.3933), (38.4, 106.3)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parametrize(
    ("tags", "road"),
    [
        ({"highway": "residential"}, Road(24, 24, LOCAL)),
        ({"highway": "residential", "maxspeed": "50"}, Road(40, 40, LOCAL)),
        ({"highway": "primary", "maxspeed:forward": "100", "maxspeed": "50"}, Road(80, 40, MAIN)),
        ({"highway": "primary", "maxspeed": "CN:urban"}, Road(64, 64, MAIN)),
        ({"highway": "motorway"}, Road(92, 0, MOTORWAY)),
        ({"highway": "motorway", "maxspeed": "none"}, Road(104, 0, MOTORWAY)),
        ({"highway": "residential", "oneway": "-1"}, Road(0, 24, LOCAL)),
        ({"highway": "motorway", "oneway": "no"}, Road(92, 92, MOTORWAY)),
        ({"highway": "residential", "junction": "roundabout"}, Road(24, 0, LOCAL)),
        ({"highway": "residential", "oneway": "yes", "oneway:motor_vehicle": "no"}, Road(24, 24, LOCAL)),
        ({"highway": "unclassified", "surface": "ground", "maxspeed": "80"}, Road(25, 25, LOCAL)),
        ({"highway": "service", "service": "driveway"}, Road(10, 10, LOCAL)),
        ({"highway": "primary", "access": "private"}, Road(10, 10, MAIN)),
        ({"highway": "primary", "access": "no", "motor_vehicle": "yes"}, Road(64, 64, MAIN)),
        ({"highway": "primary", "motorcar": "no", "access": "yes"}, None),
        ({"highway": "residential", "access": "agricultural"}, None),
        ({"highway": "service", "area": "yes"}, None),
        ({"highway": "footway"}, None),
        ({"highway": "track"}, None),
        ({"railway": "rail"}, None),
    ],
)
def test_R5_which_roads_a_car_takes_and_how_fast(tags, road):
    found = road_of(tags)
    assert (found is None) == (road is None)
    assert found is None or (found.along_kmh, found.against_kmh, found.group) == pytest.approx(
        (road.along_kmh, road.against_kmh, road.group)
    )


@pytest.mark.parametrize(
    ("sign", "kmh"),
    [("50", 50), ("30 mph", 48.28032), ("30mph", 48.28032), ("60 km/h", 60), ("walk", 8), ("none", 130), ("", None),
     ("signals", None), ("0", None), ("999", None), ("-5", None), ("50;60", None)],
)  # fmt: skip
def test_R5_signed_speeds(sign, kmh):
    assert kmh_of(sign) == (None if kmh is None else pytest.approx(kmh))


@pytest.mark.parametrize(
    ("tags", "closed"),
    [
        ({"barrier": "bollard"}, True),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, False),
        ({"barrier": "gate"}, False),
        ({"barrier": "gate", "access": "private"}, True),
        ({"barrier": "gate", "locked": "yes"}, True),
        ({"barrier": "toll_booth"}, False),
        ({"highway": "traffic_signals"}, False),
    ],
)
def test_R5_what_stops_a_car_on_the_way(tags, closed):
    assert blocks(tags) == closed


@pytest.mark.parametrize(
    ("local", "bucket"),
    [
        ("2026-11-23T06:59", FREE), ("2026-11-23T07:00", MORNING), ("2026-11-23T09:00", DAY),
        ("2026-11-23T16:00", EVENING), ("2026-11-23T19:00", FREE), ("2026-11-22T08:00", FREE),
        ("2026-11-22T17:00", DAY),
    ],
)  # fmt: skip
def test_R5_parts_of_the_day(local, bucket):
    assert bucket_of(datetime.fromisoformat(local)) == bucket


def test_R5_nobody_is_faster_than_on_free_roads():
    assert all(0 < share <= 1 for shares in FACTORS.values() for share in shares)
    assert FACTORS[FREE] == (1, 1, 1, 1)


COORDINATES = st.tuples(st.floats(-89, 89), st.floats(-179, 179))


@given(st.lists(COORDINATES, max_size=20), st.sampled_from([5, 6]))
def test_R5_a_line_is_read_as_it_was_written(points, decimals):
    again = decoded(encoded(points, decimals), decimals)
    assert [one for point in again for one in point] == pytest.approx(
        [one for point in points for one in point], abs=0.6 * 10**-decimals
    )


def test_R5_a_known_line():
    assert encoded([(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)]) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


@pytest.mark.parametrize("line", ["_p~iF", "_", "~~~~~~~~~~~~~~~~~", "né"])
def test_R5_what_is_no_line_is_refused(line):
    with pytest.raises(ValueError):
        decoded(line)


def test_R5_a_line_keeps_its_corners_and_loses_what_lies_straight():
    line = [(38.0, 106.0), (38.0, 106.01), (38.00001, 106.02), (38.0, 106.03), (38.02, 106.03)]
    assert simplified(line) == [line[0], line[3], line[4]]
    assert simplified(line[:1]) == line[:1]


@given(st.lists(COORDINATES, min_size=2, max_size=60))
def test_R5_a_line_never_has_too_many_points_and_keeps_its_ends(points):
    found = simplified(points, most=10)
    assert len(found) <= 10
    assert (found[0], found[-1]) == (points[0], points[-1])


@given(COORDINATES)
def test_R5_a_point_is_named_to_the_metre(point):
    assert point_of(key_of(point)) == pytest.approx(point, abs=6e-6)
    assert key_of(point_of(key_of(point))) == key_of(point)
    assert 0 < key_of(point) < 2**63


def times(*cells):
    source, keys = SourceInForce(id=1, version="v", by_hour=False), tuple(map(key_of, (A, B, C)))
    memory = Memory(START)
    memory.put((keys[a], keys[b], seconds) for a, b, seconds in cells)
    return Times(source=source, bucket=FREE, keys=keys, grid=memory.of(keys, START))


ALL = [(a, b, 100 * a + 10 * b + 1000) for a in range(3) for b in range(3) if a != b]


def test_R5_what_is_known_is_not_estimated():
    found = times(*ALL).matrix([A, B])
    assert found == Matrix(((0, 1010), (1100, 0)), (), estimated=False)
    assert times(*ALL).lacks == ()


def test_R5_one_pair_without_a_road_is_estimated_and_marks_the_matrix():
    found = times(*ALL[:-1], (2, 1, None))
    estimate = GreatCircle().estimate([A, B, C]).seconds
    assert found.lacks == ()
    assert found.grid[2, 1] == NO_ROAD
    assert found.matrix([A, B, C]).seconds[2][1] == estimate[2][1]
    assert found.matrix([A, B, C]).estimated
    assert not found.matrix([A, B]).estimated


def test_R5_pairs_nobody_asked_for_are_lacking():
    found = times(*ALL[:-1])
    assert found.grid[2, 1] == UNASKED
    assert set(found.lacks) == {B, C}
    assert found.matrix([(39.0, 107.0), A]).estimated


def test_R5_the_same_place_twice_is_no_way():
    assert times(*ALL).matrix([A, A, B]).seconds == ((0, 0, 1010), (0, 0, 1010), (1100, 1100, 0))


def test_R5_a_memory_is_emptied_when_it_is_old():
    memory = Memory(START)
    keys = [key_of(A), key_of(B)]
    memory.put([(keys[0], keys[1], 5)])
    assert memory.of(keys, START)[0, 1] == 5
    assert memory.of(keys, START.replace(hour=START.hour + 1))[0, 1] == UNASKED


@pytest.mark.parametrize(
    ("seconds", "unknown", "wrong"),
    [
        (((0, 560), (560, 0)), (), None),
        (((0, 440), (560, 0)), (), "too_fast"),
        (((0, 560), (2000, 0)), (), None),
        (((0, 0), (900, 0)), ((0, 1),), None),
        (((0, 0), (0, 0)), ((0, 1), (1, 0)), "no_roads"),
    ],
)
def test_T150_faster_than_150_in_a_straight_line_is_not_believed(seconds, unknown, wrong):
    assert implausible(Matrix(seconds, (), estimated=False, unknown=frozenset(unknown)), [A, B]) == wrong


class Down:
    """A server that fails until it is mended."""

    def __init__(self):
        self.asked, self.mended = 0, False

    async def matrix(self, points):
        self.asked += 1
        return {True: Matrix(((0, 2000), (2000, 0)), (), estimated=False)}[self.mended]


@pytest.mark.anyio
async def test_T150_a_failing_server_is_left_alone_and_tried_again():
    at = [0.0]
    down = Down()
    steady = Steady(down, breaker=Breaker(time=lambda: at[0]))
    assert all([(await steady.matrix([A, B])).estimated for _ in range(10)])
    assert down.asked == 3
    at[0] = 31.0
    assert (await steady.matrix([A, B])).estimated
    assert (await steady.matrix([A, B])).estimated
    assert down.asked == 4  # one try, and it failed
    at[0], down.mended = 62.0, True
    assert [(await steady.matrix([A, B])).estimated for _ in range(3)] == [False] * 3


WRONG_ADDRESSES = [
    "ftp://127.0.0.1", "file:///etc/passwd", "127.0.0.1:5000", "http://", "http://me@127.0.0.1:5000",
    "http://me:secret@127.0.0.1", "http://127.0.0.1:5000/?key=1", "http://127.0.0.1#x", "http://127.0.0.1:99999",
]  # fmt: skip


@pytest.mark.parametrize("address", WRONG_ADDRESSES)
@pytest.mark.parametrize("kind", ["osrm", "valhalla"])
def test_T142_a_road_server_s_address_is_plain_http(address, kind):
    with pytest.raises(ValueError):
        checked(address)
    with pytest.raises(BadSetting, match="SPARELANE_TRAVEL"):
        read_settings({"SPARELANE_TRAVEL": f"{kind}:{address}"})


@pytest.mark.parametrize("value", ["Straight", "osrm", "osrm:", "roads:", "roads:/nowhere.osm.pbf", "google:x"])
def test_a_setting_that_names_no_source_is_refused(value):
    with pytest.raises(BadSetting, match="SPARELANE_TRAVEL"):
        read_settings({"SPARELANE_TRAVEL": value})


@pytest.mark.parametrize("value", ["straight", "osrm:http://127.0.0.1:5000/", "valhalla:https://roads.test/v"])
def test_a_source_of_roads_is_a_setting(value):
    assert read_settings({"SPARELANE_TRAVEL": value}).travel == value
