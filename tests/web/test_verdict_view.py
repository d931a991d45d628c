"""The verdict's words and the picture of a warranty's life: the domain's dates as bars, who pays when, what is said."""

from datetime import UTC, date, datetime

import pytest

from app.core.i18n import LANGUAGES
from app.warranty.rules.coverage import Installation, Position, fold
from app.warranty.rules.events import Accepted, ComponentReplaced, DeviceReplaced, Event, OperationConfirmed, Voided
from app.warranty.rules.lifetimes import lifetimes
from app.warranty.rules.terms import Terms
from app.web.life import drawn
from app.web.render import Words, rendered
from app.web.verdict import verdict_of

ACCEPTED = Accepted(on=date(2015, 7, 31))
FAILED = ComponentReplaced(position="psu", cause="defect", system_stopped=True, part_number="PSU")
RUNS = OperationConfirmed(position="psu")


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 4, tzinfo=UTC)


def lives(*happened, **frozen):
    """The unit's and each position's life after these events."""
    installation = Installation(
        serial="OLD",
        terms=Terms(),
        positions=(Position("unit", "CAM", True), Position("psu", "PSU", True), Position("lens", "LENS", False)),
        site="A",
        zones={"A": "Asia/Shanghai"},
        delivered_on=date(2015, 6, 30),
        **frozen,
    )
    events = [Event(n, f"e{n}", when, when, what) for n, (when, what) in enumerate(happened, 1)]
    return {one.position: one for one in lifetimes(fold(installation, events))}


def bars(one):
    return [(stretch.kind, stretch.first, stretch.last) for stretch in one.stretches]


def test_W9_the_devices_bar_names_its_payers_one_after_the_other():
    found = lives((at(2015, 7, 31), ACCEPTED))
    assert [(layer.payer, layer.first, layer.last) for layer in found["unit"].stretches[0].paid] == [
        ("oem", date(2015, 8, 1), date(2017, 7, 31)),
        ("oem_service", date(2017, 8, 1), date(2018, 7, 31)),
    ]
    assert bars(found["psu"]) == bars(found["unit"])


def test_W4_a_restart_is_a_bar_of_its_own_from_the_confirmation():
    found = lives((at(2015, 7, 31), ACCEPTED), (at(2017, 5, 9), FAILED), (at(2017, 5, 10), RUNS))
    assert bars(found["psu"]) == [
        ("base", date(2015, 8, 1), date(2018, 7, 31)),
        ("restart", date(2017, 5, 11), date(2020, 5, 10)),
    ]
    assert [layer.payer for layer in found["psu"].stretches[1].paid] == ["oem", "oem_service", "vendor"]
    assert len(found["unit"].stretches) == len(found["lens"].stretches) == 1
    assert [(mark.kind, mark.day) for mark in found["psu"].marks] == [("fitted", date(2017, 5, 9))]


def test_W6_a_chain_of_restarts_hangs_each_from_the_one_before():
    happened = [(at(2017, 5, 9), FAILED), (at(2017, 5, 10), RUNS), (at(2019, 11, 19), FAILED), (at(2019, 11, 20), RUNS)]
    found = lives((at(2015, 7, 31), ACCEPTED), *happened)
    assert [last for _, _, last in bars(found["psu"])] == [date(2018, 7, 31), date(2020, 5, 10), date(2022, 11, 20)]


def test_W13_a_swap_is_marked_and_the_bar_goes_on():
    swapped = DeviceReplaced(new_serial="NEW", cause="customer", system_stopped=True)
    found = lives((at(2015, 7, 31), ACCEPTED), (at(2016, 3, 1), swapped))
    assert [(mark.kind, mark.name) for mark in found["unit"].marks] == [("swapped", "NEW")]
    assert bars(found["unit"]) == [("base", date(2015, 8, 1), date(2018, 7, 31))]


def test_a_void_cuts_the_bar_and_is_pointed_out():
    found = lives((at(2015, 7, 31), ACCEPTED), (at(2016, 1, 5), Voided(reason="opened", from_day=date(2016, 1, 1))))
    assert bars(found["unit"]) == [("base", date(2015, 8, 1), date(2015, 12, 31))]
    assert found["unit"].stretches[0].void
    assert [mark.kind for mark in found["unit"].marks] == ["void"]


def test_nothing_is_drawn_before_the_acceptance():
    assert bars(lives()["unit"]) == []


@pytest.mark.parametrize(
    ("status", "first", "last", "on", "said"),
    [
        ("covered", "2015-08-01", "2018-07-31", "2018-07-31", ("在保", "至 2018-07-31", "今天是最后一天")),
        ("covered", "2015-08-01", "2018-07-31", "2018-07-30", ("在保", "至 2018-07-31", "还剩 1 天")),
        ("expired", "2015-08-01", "2018-07-31", "2018-08-02", ("仅收采购成本", "已于 2018-07-31 到期", "2 天前")),
        ("expired", "2015-08-01", "2018-07-31", "2026-08-02", ("仅收采购成本", "已于 2018-07-31 到期", "")),
        ("not_started", None, None, "2018-08-02", ("未起保", "自竣工验收次日起算", "")),
        ("replaced", None, None, "2018-08-02", ("已被替换", "", "")),
        ("void", "2015-08-01", "2016-12-31", "2018-08-02", ("质保失效", "最后在保日 2016-12-31", "")),
    ],
)
def test_the_big_word_says_until_when_and_how_long(status, first, last, on, said):
    found = verdict_of(
        status=status,
        first_day=first and date.fromisoformat(first),
        last_day=last and date.fromisoformat(last),
        payer=None,
        on=date.fromisoformat(on),
        say=Words("zh-CN"),
    )
    assert (found.word, found.until, found.left) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_says_the_same_to_those_who_cannot_see_it(language):
    say = Words(language)
    found = lives((at(2015, 7, 31), ACCEPTED), (at(2017, 5, 9), FAILED), (at(2017, 5, 10), RUNS))
    covered = verdict_of(status="covered", first_day=None, last_day=date(2020, 5, 10), payer="oem", on=date(2018, 1, 1),
                         say=say)  # fmt: skip
    made = drawn(
        list(found.values()),
        verdicts=dict.fromkeys(found, covered),
        parts={},
        names={"PSU": "电源"},
        on=date(2018, 1, 1),
        today=date(2020, 1, 1),
        say=say,
    )
    assert [row.position for row in made.rows] == ["unit", "psu", "lens"]
    assert "2017-05-11 – 2020-05-10" in made.rows[1].says
    assert [bar.lane for bar in made.rows[1].bars] == [0, 1]
    assert made.rows[1].bars[1].from_x < made.rows[1].bars[1].x
    assert ("2018-08-01", "2020-05-10") in [(line.first, line.last) for line in made.lines]
    assert 0 < made.on_x < made.today_x < 100
    assert all(bar.x >= 0 and bar.x + bar.width <= 100 for row in made.rows for bar in row.bars)


def test_a_template_of_the_picture_needs_no_style_and_no_script():
    page = rendered("offline.html", "en", here="/", who=None, entries=(), said=None)
    assert "style=" not in page
