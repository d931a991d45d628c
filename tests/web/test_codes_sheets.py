"""Tables as files: what our importers read of them is what was written, and no text is taken for a formula."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

import pytest
import python_calamine
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import Money
from app.integrations.imports.table import read_table
from app.web.sheets import Column, Sheet, csv_pieces, pieces_of, sheet_name, width_of, xlsx_file

pytestmark = pytest.mark.anyio
TRICKY = [
    "00123", "1E10", "12E5", "3-4", "MARCH1", "12345678901234567890", "=HYPERLINK(\"x\")", "+1", "-2", "@x", "\tx", "\rx",
    "'x", "'=x", "''-x", "＝1+1", "＠x", "a,b", 'a"b', "two\nlines", "电源 12V", "TRUE", "1.0", "2026-11-22", " x ",
]  # fmt: skip
TEXT = Column(key="text", label="备件号")


async def csv_of(sheet: Sheet) -> bytes:
    return b"".join([piece async for piece in csv_pieces(sheet)])


async def xlsx_of(sheet: Sheet) -> bytes:
    return b"".join(pieces_of(await xlsx_file(sheet)))


def one_column(texts) -> Sheet:
    return Sheet(title="表", columns=(TEXT, Column(key="n", label="n")), rows=[(one, "x") for one in texts])


async def test_T134_text_comes_back_from_csv_as_it_was():
    table = read_table(await csv_of(one_column(TRICKY)))
    assert [row.cells["备件号"] for row in table.rows] == TRICKY


async def test_T127_text_comes_back_from_xlsx_as_text():
    table = read_table(await xlsx_of(one_column(TRICKY)))
    assert [row.cells["备件号"] for row in table.rows] == TRICKY


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",)), min_size=1))
)
async def test_any_text_comes_back_from_csv(texts):
    table = read_table(await csv_of(one_column([*texts, "last"])))
    assert [row.cells["备件号"] for row in table.rows] == [*texts, "last"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x"])
async def test_T134_no_cell_of_csv_begins_like_a_formula(text):
    raw = await csv_of(one_column([text]))
    assert raw.startswith(b"\xef\xbb\xbf")
    assert f"'{text}" in raw.decode("utf-8-sig")


def full() -> Sheet:
    return Sheet(
        title="Charges: 2026/11",
        columns=(
            Column(key="part", label="Part"),
            Column(key="count", label="Count", kind="whole"),
            Column(key="share", label="Share", kind="number"),
            Column(key="net", label="Net", kind="money", currency="Currency"),
            Column(key="on", label="On", kind="date"),
            Column(key="at", label="At (Asia/Shanghai)", kind="instant", zone="Asia/Shanghai"),
        ),
        rows=[
            ("00123", -2, Decimal("0.125"), Money(-154302, "CNY"), date(2026, 11, 22),
             datetime(2026, 11, 22, 7, 30, tzinfo=UTC)),
            (None, None, None, None, None, None),
            ("x", 3, 0.5, Money(1234567, "JPY"), date(2028, 2, 29), datetime(2026, 11, 22, 16, 30, tzinfo=UTC)),
        ],
    )  # fmt: skip


async def test_csv_says_amounts_days_and_instants_exactly():
    lines = (await csv_of(full())).decode("utf-8-sig").splitlines()
    assert lines == [
        "Part,Count,Share,Net,Currency,On,At (Asia/Shanghai)",
        "00123,-2,0.125,-1543.02,CNY,2026-11-22,2026-11-22T15:30:00+08:00",
        ",,,,,,",
        "x,3,0.5,1234567,JPY,2028-02-29,2026-11-23T00:30:00+08:00",
    ]


async def test_xlsx_has_real_numbers_days_and_times_under_a_frozen_head():
    raw = await xlsx_of(full())
    book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(raw))
    sheet = book.get_sheet_by_name("Charges  2026 11").to_python(skip_empty_area=False)
    assert sheet[1] == ["00123", -2.0, 0.125, -1543.02, "CNY", date(2026, 11, 22), datetime(2026, 11, 22, 15, 30)]  # noqa: DTZ001
    assert sheet[2] == [""] * 7
    inside = ZipFile(BytesIO(raw)).read("xl/worksheets/sheet1.xml").decode()
    assert 'state="frozen"' in inside
    assert "<autoFilter" in inside
    assert "<f>" not in inside


async def test_rows_may_come_one_by_one_and_large_files_come_in_pieces():
    async def rows():
        for n in range(20_000):
            yield (f"{n:06}", "词" * 8)

    sheet = Sheet(title="t", columns=(TEXT, Column(key="n", label="n")), rows=rows())
    pieces = [piece async for piece in csv_pieces(sheet)]
    assert len(pieces) > 5
    assert len(read_table(b"".join(pieces)).rows) == 20_000


@pytest.mark.parametrize(
    ("title", "name"), [("a/b:c", "a b c"), ("'x'", "x"), ("", "1"), ("[]", "1"), ("长" * 40, "长" * 31)]
)
async def test_any_title_names_a_sheet(title, name):
    assert sheet_name(title) == name
    assert (await xlsx_of(Sheet(title=title, columns=(TEXT,), rows=[]))).startswith(b"PK")


def test_columns_are_wide_enough_for_their_heads():
    assert (width_of("n", "whole"), width_of("备件号和名称以及更多", "whole"), width_of("x" * 99, "text")) == (
        10,
        23,
        48,
    )
