"""What holds of every list: pages visit each row once, exports are what is shown, nothing sent is ever a statement."""

import re
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.db import reading
from app.core.errors import BadRequest
from app.web.tables.asked import BadSort, asked_for, asked_in, everything
from app.web.tables.computed import Sorting, order_in
from app.web.tables.listing import Column, Filter, Listing, WrongListing
from app.web.tables.shown import added_here, added_up, cell_of, grouped, zone_name
from app.web.tables.statement import all_rows, page_statement, sums_statements
from tests.conftest import START
from tests.web.messages import listings
from tests.web.visitors import signed_in, token_in

pytestmark = pytest.mark.anyio
LISTINGS = listings()
_numbers = count(1)
WORDS = {"a": "State", "b": "Day"}
ODD = Listing(
    page="/odd",
    title="List",
    source="""(SELECT n, CASE WHEN n % 7 = 0 THEN NULL ELSE n % 5 END AS five, CASE WHEN n % 4 = 0 THEN NULL
        ELSE DATE '2026-01-01' + CAST(n % 11 AS int) END AS day, CASE WHEN n % 3 = 0 THEN NULL
        ELSE chr(CAST(97 + n % 6 AS int)) || '%_' END AS word, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END AS state,
        CASE WHEN n % 2 = 0 THEN 'CNY' ELSE 'JPY' END AS currency FROM generate_series(1, 83) AS n) t""",
    where="true",
    id="t.n",
    id_type=int,
    order="word",
    empty="List",
    facts={"currency": "t.currency"},
    columns=(
        Column(key="word", label="Name", sql="t.word"),
        Column(key="five", label="Amount", sql="CAST(t.five AS bigint)", kind="money", sums=True),
        Column(key="n", label="Quantity", sql="t.n", kind="quantity", sums=True, nullable=False),
        Column(key="day", label="Day", sql="t.day", kind="date"),
        Column(key="state", label="State", sql="t.state", kind="state", words=WORDS),
    ),
    filters=(
        Filter(key="word", label="Name", kind="search", sql="t.word"),
        Filter(key="exact", label="Name", kind="is", sql="t.word"),
        Filter(key="state", label="State", kind="choice", sql="t.state", words=WORDS),
        Filter(key="day", label="Day", kind="dates", sql="t.day"),
    ),
)
ASKED = st.fixed_dictionaries(
    {"sort": st.sampled_from(["word", "-word", "five", "-five", "n", "-n", "day", "-day", "state", "-state"])},
    optional={
        "word": st.sampled_from(["a", "B", "%", "_", "%%", "zz"]),
        "exact": st.sampled_from(["a%_", "a"]),
        "state": st.sampled_from(["a", "b"]),
        "day_from": st.sampled_from(["2026-01-03", "2025-01-01"]),
        "day_to": st.sampled_from(["2026-01-06", "2030-01-01"]),
        "size": st.sampled_from(["1", "7", "50", "1000000000"]),
    },
)


async def fetched(engine, made) -> list:
    statement, binds = made
    async with reading(engine) as db:
        return list((await db.execute(statement, binds)).all())


async def every_page(engine, asked: dict[str, str]) -> list:
    """All rows, page after page, the way a reader turns them."""
    found, after = [], {}
    while True:
        one = asked_for(ODD, [*asked.items(), *after.items()])
        rows = await fetched(engine, page_statement(one))
        found += rows[: one.size]
        if len(rows) <= one.size:
            return found
        after = {"after": one.cursor(rows[one.size - 1])}


@given(asked=ASKED)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_turning_the_pages_visits_each_row_once_in_the_lists_order(engine, asked):
    pages = await every_page(engine, asked)
    whole = await fetched(engine, all_rows(everything(asked_for(ODD, list(asked.items())))))
    assert [one.row_id for one in pages] == [one.row_id for one in whole]
    assert len({one.row_id for one in pages}) == len(pages)
    key = asked["sort"].removeprefix("-")
    values = [getattr(one, key) for one in whole if getattr(one, key) is not None]
    assert values == sorted(values, reverse=asked["sort"].startswith("-"))
    assert [getattr(one, key) for one in whole[len(values) :]] == [None] * (len(whole) - len(values))


@given(asked=ASKED)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_filters_keep_what_they_say_and_sums_add_up_all_of_it(engine, asked):
    one = asked_for(ODD, list(asked.items()))
    everyone = await fetched(engine, all_rows(asked_for(ODD, [])))
    kept = [
        row.row_id
        for row in everyone
        if asked.get("word", "").lower() in (row.word or "").lower() and not ("word" in asked and row.word is None)
        if asked.get("exact") in (None, row.word)
        if asked.get("state") in (None, row.state)
        if "day_from" not in asked or (row.day and row.day.isoformat() >= asked["day_from"])
        if "day_to" not in asked or (row.day and row.day.isoformat() <= asked["day_to"])
    ]
    rows = await fetched(engine, all_rows(one))
    sums = added_up(one, [await fetched(engine, each) for each in sums_statements(one)])
    assert sorted(row.row_id for row in rows) == sorted(kept)
    assert sums == added_here(one, rows)
    assert (sums.total, sums.counted.get("n", 0)) == (len(rows), sum(row.n for row in rows))
    assert sums.amounts == {
        currency: {"five": sum(row.five or 0 for row in rows if row.currency == currency)}
        for currency in {row.currency for row in rows}
    }


@given(asked=ASKED)
@settings(max_examples=40, deadline=None)
def test_an_address_says_the_whole_state_and_is_read_back_the_same(asked):
    one = asked_for(ODD, list(asked.items()))
    again = asked_in(ODD, one.query())
    assert again.query() == one.query()
    assert (again.values, again.by, again.columns, again.size) == (one.values, one.by, one.columns, one.size)


@pytest.mark.parametrize(
    "query",
    [
        "sort=password_hash", "sort=--n", "sort=n;DROP", "after=forged", "after=WzFd", "state=c", "state=a&state=zz",
        "day_from=2026-13-01", "day_to=tomorrow", "day_from=0001-01-01", "size=-1", "size=%C2%B2", "word=" + "x" * 201,
    ],
)  # fmt: skip
def test_T47_what_a_list_cannot_mean_is_400(query):
    with pytest.raises(BadRequest):
        page_statement(asked_in(ODD, query))


def test_T47_a_page_holds_200_rows_at_most_and_old_columns_are_left_out():
    asked = asked_in(ODD, "size=1000000000&cols=word,gone&other=1")
    assert (asked.size, [one.key for one in asked.columns]) == (200, ["word"])
    assert [one.key for one in asked_in(ODD, "cols=gone").columns] == ["word", "five", "n", "day", "state"]


@pytest.mark.parametrize("searched", ["' OR 1=1 --", "(a+)+$", "\\", ":row_id", '"'])
async def test_T149_searched_text_is_never_part_of_a_statement(engine, searched):
    asked = asked_for(ODD, [("word", searched), ("exact", searched)])
    assert await fetched(engine, all_rows(asked)) == []


@pytest.mark.parametrize("page", sorted(LISTINGS))
async def test_every_list_of_the_house_sorts_both_ways_filters_and_adds_up(engine, page):
    listing, scope = LISTINGS[page], {"scope_customers": None, "scope_areas": None, "scope_places": None}
    scope |= {"only_mine": None, "now": START, "today": START.date()}
    filled = [
        (name, "2026-11-01" if one.kind == "dates" else next(iter(one.words), "x"))
        for one in listing.filters
        for name in one.names
    ]
    for order in [f"{way}{one.key}" for one in listing.columns if one.sorts for way in ("", "-")]:
        asked = asked_for(listing, [("sort", order)])
        statement, binds = page_statement(asked)
        async with reading(engine) as db:
            rows = list((await db.execute(statement, known(statement, scope) | binds)).all())
            for row in rows[:1]:
                following = asked_for(listing, [("sort", order), ("after", asked.cursor(row))])
                statement, binds = page_statement(following)
                found = (await db.execute(statement, known(statement, scope) | binds)).all()
                assert found[: len(rows) - 1] == rows[1:]
    async with reading(engine) as db:
        for made in (page_statement(asked_for(listing, filled)), *sums_statements(asked_for(listing, filled))):
            assert (await db.execute(made[0], known(made[0], scope) | made[1])).all() is not None


def known(statement, binds):
    """Those of the binds that the statement asks for; what a page asks for besides is left open."""
    return dict.fromkeys(statement._bindparams) | {
        name: value for name, value in binds.items() if name in statement._bindparams
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"order": "gone"},
        {"facts": {}},
        {"facts": {"word": "t.word", "currency": "t.currency"}},
        {"facts": {"a b": "t.word", "currency": "t.currency"}},
        {"also": ("sort",)},
    ],
)
def test_a_list_that_is_declared_wrongly_is_found_at_once(wrong):
    with pytest.raises(WrongListing):
        replace(ODD, **wrong)


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (0, "CNY", "0.00"),
        (128_000, "CNY", "1,280.00"),
        (-5, "CNY", "−0.05"),
        (1_234_567, "JPY", "1,234,567"),
        (-1_234_567, "KWD", "−1,234.567"),
    ],
)
def test_money_is_told_with_its_thousands_apart(minor, currency, said):
    assert grouped(minor, currency) == said


def test_instants_are_told_in_the_sites_zone_and_the_zone_is_named():
    column = Column(key="at", label="Time", sql="t.at", kind="instant")
    cells = [cell_of(column, {"at": START, "zone": zone}, str) for zone in ("Asia/Shanghai", "Asia/Kathmandu", None)]
    assert [(one.text, one.unit) for one in cells] == [
        ("2026-11-22 10:00", "UTC+8"),
        ("2026-11-22 07:45", "UTC+5:45"),
        ("2026-11-22 02:00", "UTC"),
    ]
    assert zone_name(START, "America/St_Johns") == "UTC-3:30"


def test_a_link_holds_a_rows_values_safely_and_is_none_where_one_is_missing():
    column = Column(key="a", label="Name", sql="t.a", href="/devices/{a}?x={b}")
    cells = [cell_of(column, {"a": "S/1 &?", "b": b}, str) for b in ("2", None)]
    assert [one.href for one in cells] == ["/devices/S%2F1%20%26%3F?x=2", None]


async def test_a_reader_saves_opens_renames_and_deletes_views_of_his_own(app, as_role):
    mine = await signed_in(app, await as_role("finance"))
    other = await signed_in(app, await as_role("finance"))
    token = token_in((await mine.get("/components")).text)

    async def post(path: str, **fields: str):
        body = {"token": token, "once": f"once-{next(_numbers)}-{id(mine)}", **fields}
        return await mine.post(path, data=body)

    saved = await post("/views", page="/components", query="state=fitted&sort=-price", name="重要")
    assert (saved.status_code, saved.headers["location"]) == (303, "/components?state=fitted&sort=-price")
    page = (await mine.get(saved.headers["location"])).text
    view = re.search(r"/views/(view_\w+)/default", page)[1]
    assert "重要" in page
    assert "重要" not in (await other.get("/components")).text
    assert (await mine.get("/components")).status_code == 200
    await post(f"/views/{view}/rename", name="紧要")
    assert "紧要" in (await mine.get("/components")).text
    assert (await post(f"/views/{view}/rename", name=" ")).status_code == 422
    theirs = {"token": token_in((await other.get("/components")).text), "once": "x" * 20, "name": "mine"}
    assert (await other.post(f"/views/{view}/rename", data=theirs)).status_code == 404
    assert (await other.post(f"/views/{view}/delete", data=theirs)).status_code == 404
    assert (await post("/views", page="//elsewhere", query="", name="x")).status_code == 400
    await post("/views", page="/components", query="sort=price", name="other")
    assert (await post(f"/views/{view}/rename", name="other")).status_code == 409
    await post(f"/views/{view}/delete")
    await mine.get("/components")
    assert "紧要" not in (await mine.get("/components")).text


async def test_a_list_is_shown_filtered_sorted_and_added_up(app, as_role):
    browser = await signed_in(app, await as_role("admin"))
    page = (await browser.get("/components?state=fitted&state=picked&sort=-price")).text
    assert re.findall(r'<tr id="row-(\d)"', page) == ["1", "2"]
    assert "313.40" in page
    assert re.search(
        r'aria-sort="descending"><a href="/components\?state=fitted&amp;state=picked&amp;sort=price"', page
    )
    assert 'href="/components?state=picked&amp;sort=-price"' in page
    assert (await browser.get("/components?sort=password_hash")).status_code == 400


COMPUTED = Sorting(value=lambda row, key: row[key], identity=lambda row: row["id"])
CELLS = {
    "id": st.uuids().map(str),
    "a": st.none() | st.integers(-3, 3),
    "b": st.none() | st.sampled_from(["x", "y", "zz"]),
}


@given(
    rows=st.lists(st.fixed_dictionaries(CELLS), max_size=30, unique_by=lambda row: row["id"]),
    by=st.sampled_from(["a", "-a", "b", "-b", "id", "-id"]),
    size=st.integers(1, 7),
)
def test_computed_rows_are_sorted_as_a_statement_would_and_paged_once_each(rows, by, size):
    order, found, after = order_in(by, ("id", "a", "b"), "id"), [], None
    for _ in range(len(rows) + 1):
        page, after = COMPUTED.page(rows, order, after=after, size=size)
        found += page
        if after is None:
            break
    assert found == COMPUTED.sort(rows, order)
    assert sorted(one["id"] for one in found) == sorted(one["id"] for one in rows)
    values = [one[order.key] for one in found]
    filled = [one for one in values if one is not None]
    assert values == filled + [None] * (len(values) - len(filled))
    assert filled == sorted(filled, reverse=order.descending)


@pytest.mark.parametrize("by", ["c", "--a", "-"])
def test_an_order_by_no_column_of_computed_rows_is_refused(by):
    with pytest.raises(BadSort):
        order_in(by, ("a", "b"), "a")
