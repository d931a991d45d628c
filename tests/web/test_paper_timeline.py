"""The picture of a warranty: where its bars lie, which days it tells, and what it leaves out when it would crowd."""

from dataclasses import replace
from datetime import date, timedelta

from app.web.paper import Bar, Timeline, TimelineRow
from app.web.paper.drawing import Stretch, picture
from app.web.render import Words
from tests.web import papers

SAY = Words("en")
BASE = Bar(first=date(2015, 8, 1), last=date(2018, 7, 31), payer="OEM")


def one_row(*bars: Bar, today: date = date(2017, 6, 1)) -> dict:
    device = TimelineRow(name="CAM", bars=(BASE,))
    return picture(Timeline(device=device, positions=(TimelineRow(name="psu", bars=bars),), today=today), SAY)


def test_W4_a_restart_is_a_new_bar_from_the_day_after_the_confirmation():
    drawn = one_row(BASE, Bar(first=date(2017, 5, 11), last=date(2020, 5, 10), kind="restart"))["positions"][0]
    base, restart = drawn["bars"]
    assert base["x"] < restart["x"] < base["x"] + base["width"] < restart["x"] + restart["width"]
    assert (restart["kind"], restart["words"]) == ("restart", ["runs anew"])
    assert [one["words"] for one in drawn["dates"]] == ["2020-05-10", "2017-05-11"]


def test_a_row_that_tells_the_devices_days_does_not_tell_them_again():
    drawn = one_row(BASE)
    assert [one["words"] for one in drawn["device"]["dates"]] == ["2018-07-31"]
    assert drawn["positions"][0]["dates"] == []


def test_payers_that_follow_each_other_end_once():
    service = Bar(first=date(2018, 8, 1), last=date(2019, 7, 31), payer="OEM service")
    drawn = one_row(BASE, service)["positions"][0]
    assert [one["words"] for one in drawn["dates"]] == ["2019-07-31"]
    assert [bar["tone"] for bar in drawn["bars"]] == [0, 1]


def test_days_that_would_crowd_are_left_out_and_the_end_stays():
    restarts = tuple(
        Bar(first=date(2017, 5, day), last=date(2020, 5, day) - timedelta(days=1), kind="restart") for day in (2, 9, 16)
    )
    drawn = one_row(BASE, *restarts)["positions"][0]
    assert [one["words"] for one in drawn["dates"]] == ["2020-05-15", "2017-05-02"]


def test_a_restart_that_several_pay_for_begins_once():
    first = Bar(first=date(2017, 5, 11), last=date(2019, 5, 10), kind="restart", payer="OEM")
    second = Bar(first=date(2019, 5, 11), last=date(2020, 5, 10), kind="restart", payer="we")
    drawn = one_row(BASE, first, second)["positions"][0]
    assert [one["words"] for one in drawn["dates"]] == ["2020-05-10", "2017-05-11"]
    assert drawn["bars"][2]["words"] == ["runs anew · we", "runs anew", "we"]


def test_everything_lies_within_the_picture_however_long_it_is():
    century = replace(BASE, first=date(1970, 1, 1), last=date(2199, 12, 31))
    for drawn in (one_row(century), one_row(BASE, today=date(2030, 1, 1)), picture(papers.timeline("zh-CN"), SAY)):
        rows = [drawn["device"], *drawn["positions"]]
        assert all(0 <= bar["x"] <= bar["x"] + bar["width"] <= 1.0001 for row in rows for bar in row["bars"])
        assert all(0 <= one["x"] <= 1 for one in drawn["uprights"])
        assert 1 <= len(drawn["ticks"]) <= 9


def test_a_day_is_as_wide_as_any_other():
    stretch = Stretch(date(2024, 1, 1), date(2025, 1, 1))
    steps = {
        round(stretch.x(day + timedelta(days=1)) - stretch.x(day), 4) for day in (date(2024, 2, 28), date(2024, 7, 1))
    }
    assert len(steps) == 1


def test_the_legend_tells_each_ground_once():
    extended = Bar(first=date(2018, 8, 1), last=date(2019, 1, 31), kind="extension")
    words = [one["words"] for one in one_row(BASE, extended)["legend"]]
    assert words == ["OEM", "extended"]
