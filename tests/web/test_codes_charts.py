"""Charts: what the picture holds, what it leaves out, and the table that says the same."""

import re
from xml.etree import ElementTree

import pytest

from app.web.charts import Chart, Series, drawn

LABELS = ("一月", "二月", "三月")
SERIES = (Series(name="in time", values=(61, 58, 70)), Series(name="late <b>", values=(9, None, 0)))


@pytest.mark.parametrize("kind", ["bars", "stacked", "lines"])
def test_a_chart_carries_nothing_that_a_policy_forbids(kind):
    svg = str(drawn(Chart(title='q "x" <y>', labels=LABELS, series=SERIES, kind=kind)).svg)
    assert not re.search(r"<script|<style|style=|href|\bid=|url\(|http|<b>", svg)
    root = ElementTree.fromstring(svg)
    assert (root.get("role"), root.get("aria-label")) == ("img", 'q "x" <y>')
    assert {one for each in root.iter() for one in each.get("class", "").split() if not one.startswith("ch")} == set()


@pytest.mark.parametrize(("kind", "shape"), [("bars", "rect"), ("stacked", "rect"), ("lines", "circle")])
def test_each_value_is_drawn_once_and_says_what_it_is_and_a_gap_is_a_gap(kind, shape):
    root = ElementTree.fromstring(str(drawn(Chart(title="q", labels=LABELS, series=SERIES, kind=kind)).svg))
    titles = [
        one.findtext("title") for one in root.iter() if one.find(shape) is not None and one.find("title") is not None
    ]
    assert titles == [
        "一月 · in time: 61",
        "二月 · in time: 58",
        "三月 · in time: 70",
        "一月 · late <b>: 9",
        "三月 · late <b>: 0",
    ]


def test_the_table_says_the_same_in_the_charts_own_writing():
    share = Chart(title="q", labels=LABELS, series=SERIES, said=lambda value: "–" if value is None else f"{value} %")
    made = drawn(share)
    assert made.names == ("in time", "late <b>")
    assert made.rows == (("一月", ("61 %", "9 %")), ("二月", ("58 %", "–")), ("三月", ("70 %", "0 %")))


def test_a_chart_of_nothing_is_an_empty_ground():
    for chart in (Chart(title="q", labels=(), series=()), Chart(title="q", labels=LABELS, series=())):
        assert drawn(chart).svg.startswith("<svg")


def test_a_scale_may_end_where_it_is_told():
    shares = Chart(title="q", labels=LABELS, series=(Series(name="s", values=(91, 92, 93)),), kind="lines", top=100)
    marks = re.findall(r"<text[^>]*>(\d+)</text>", str(drawn(shares).svg))
    assert (marks[0], marks[-1]) == ("0", "100")


def test_many_labels_stand_aslant():
    labels = tuple(f"2026-11-{day:02}" for day in range(1, 31))
    svg = str(drawn(Chart(title="q", labels=labels, series=(Series(name="s", values=(1,) * 30),))).svg)
    assert "rotate(30" in svg
    assert "rotate" not in str(drawn(Chart(title="q", labels=LABELS, series=SERIES)).svg)
