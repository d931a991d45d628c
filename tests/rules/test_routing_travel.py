"""Estimated travel times, and answers of road servers that cannot be true."""

import asyncio
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.routing.travel import GreatCircle, Matrix, Point, SpeedBand, Steady, TravelTimes, implausible, wrong_point

pytestmark = pytest.mark.anyio
SHANGHAI, SUZHOU, BEIJING = (31.2304, 121.4737), (31.2990, 120.5853), (39.9042, 116.4074)
POINTS = st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=8)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_R5_the_fallback_is_marked_and_fits_the_interface() -> None:
    provider: TravelTimes = GreatCircle()
    found = await provider.matrix([SHANGHAI, SUZHOU, BEIJING])
    assert found.estimated
    assert found.metres[0][2] == pytest.approx(1_067_000 * 1.35, rel=0.01)
    assert found.metres[0][1] == pytest.approx(85_000 * 1.35, rel=0.02)
    # 15 km at 30 km/h, 45 km at 60, the rest at 80
    rest = found.metres[0][1] - 60_000
    assert found.seconds[0][1] == pytest.approx(1800 + 2700 + rest / (80 / 3.6), abs=2)


class Server:
    """A road server that answers a fixed matrix, an error, or never."""

    def __init__(self, answer: Matrix | Exception | None) -> None:
        self.answer = answer

    async def matrix(self, points: Sequence[Point]) -> Matrix:
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Matrix):
            return self.answer
        raise self.answer or TimeoutError


ROADS = Matrix(((0, 4000), (4200, 0)), ((0, 90_000), (91_000, 0)), estimated=False)


@pytest.mark.parametrize(
    ("answer", "estimated"),
    [
        (ROADS, False),
        (None, True),
        (ConnectionError("refused"), True),
        (KeyError("durations"), True),
        (Matrix(((0, 0), (0, 0)), ((0, 0), (0, 0)), estimated=False), True),
    ],
)
async def test_T150_whatever_the_road_server_does_there_are_times(
    answer: Matrix | Exception | None, estimated: bool
) -> None:
    found = await Steady(Server(answer), limit_s=0.01).matrix([SHANGHAI, SUZHOU])
    assert found.estimated == estimated
    assert found.seconds[0][1] > 0


def test_R5_bands_and_factor_are_settings() -> None:
    plain = GreatCircle(road_factor=1.0, bands=(SpeedBand(math.inf, 36.0),)).estimate([(0.0, 10.0), (1.0, 10.0)])
    assert plain.seconds[0][1] == pytest.approx(111_195 / 10, abs=2)


@given(POINTS)
def test_R5_estimates_are_symmetric_whole_and_zero_at_home(points: list[tuple[float, float]]) -> None:
    found = GreatCircle().estimate(points)
    size = range(len(points))
    assert all(found.seconds[a][b] == found.seconds[b][a] >= 0 for a in size for b in size)
    assert all(found.seconds[a][a] == 0 for a in size)
    assert all(type(each) is int for row in found.seconds for each in row)


@given(st.tuples(st.floats(-60, 60), st.floats(-170, 170)), st.floats(0.001, 1), st.floats(0.001, 1))
def test_R5_farther_is_never_faster(start: tuple[float, float], near: float, more: float) -> None:
    found = GreatCircle().estimate([start, (start[0] + near, start[1]), (start[0] + near + more, start[1])])
    assert found.seconds[0][1] <= found.seconds[0][2]


def test_R5_the_same_points_are_computed_once_and_none_gives_none() -> None:
    provider = GreatCircle()
    assert provider.estimate([SHANGHAI, SUZHOU]) is provider.estimate([SHANGHAI, SUZHOU])
    assert provider.estimate([]) == Matrix((), (), estimated=True)


@pytest.mark.parametrize(
    ("point", "wrong"),
    [
        ((0.0, 0.0), "null_island"),
        ((91.0, 10.0), "out_of_range"),
        ((10.0, 181.0), "out_of_range"),
        ((math.nan, 10.0), "not_a_number"),
        ((math.inf, 10.0), "not_a_number"),
        (SHANGHAI, None),
        ((121.4737, 31.2304), "out_of_range"),
    ],
)
def test_T152_coordinates_nobody_lives_at(point: tuple[float, float], wrong: str | None) -> None:
    assert wrong_point(point) == wrong


def test_T152_estimates_refuse_impossible_coordinates() -> None:
    with pytest.raises(ValueError):
        GreatCircle().estimate([SHANGHAI, (math.nan, 0.0)])


@pytest.mark.parametrize(
    ("seconds", "wrong"),
    [
        (((0, 0), (0, 0)), "all_zero"),
        (((0, 600), (600, 0)), "too_fast"),
        (((0, -1), (5000, 0)), "negative"),
        (((0,),), "shape"),
        (((0, 4000), (4200, 0)), None),
        (((0, 5_400_000), (5_400_000, 0)), "too_slow"),
    ],
)
def test_T150_a_road_server_that_cannot_be_right(seconds: tuple[tuple[int, ...], ...], wrong: str | None) -> None:
    assert implausible(Matrix(seconds, seconds, estimated=False), [SHANGHAI, SUZHOU]) == wrong


def test_T150_one_place_behind_a_fjord_does_not_make_a_road_server_wrong() -> None:
    near = [SHANGHAI, (31.25, 121.48), (31.27, 121.50), (31.29, 121.52)]
    seconds = [[0 if a == b else 90_000 if 3 in (a, b) else 900 for b in range(4)] for a in range(4)]
    there = tuple(map(tuple, seconds))
    assert implausible(Matrix(there, (), estimated=False), near[:3]) == "shape"
    assert implausible(Matrix(there, (), estimated=False), near) == "too_slow"
    five = [*near, (31.31, 121.44)]
    more = [[0 if a == b else 90_000 if 3 in (a, b) else 1_900 for b in range(5)] for a in range(5)]
    assert implausible(Matrix(tuple(map(tuple, more)), (), estimated=False), five) is None
