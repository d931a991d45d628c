"""Files as tables: encodings, quotes, limits, spreadsheets and what is wrong with them. No database."""

import struct
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
import xlsxwriter

from app.core.errors import Refusal
from app.integrations.imports import KINDS, read_file, read_table
from app.integrations.imports.cells import sort_of, value_of
from app.integrations.imports.holiday_years import calendar_table
from app.integrations.imports.load import check_headings, fields_of, shaped
from app.integrations.imports.refusals import (
    BadCalendarRange,
    BadHeadings,
    BrokenSpreadsheet,
    BrokenTable,
    FileTooLarge,
    LineTooLong,
    NoRows,
    OldSpreadsheet,
    UnknownEncoding,
    WrongEncoding,
)
from app.integrations.imports.report import write_report
from app.integrations.imports.table import guarded

DEMO = Path(__file__).parent.parent.parent / "demo"
CHINESE = "number,name,tracking\n00123,电源,none\n"
TODAY = date(2026, 11, 22)


def sheet(*rows, text_columns=()):
    """An XLSX file of one sheet, its bytes."""
    made = BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    page = book.add_worksheet()
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            (page.write_string if column in text_columns else page.write)(at, column, cell)
    book.close()
    return made.getvalue()


def rows_of(kind, table):
    """The rows of a table in a kind's shape, and what is bad."""
    shape, bad = KINDS[kind].shape, []
    check_headings(table, shape)
    sorts = {name: sort_of(hint) for name, hint in fields_of(shape).items()}
    return [shaped(table, row, shape, sorts, bad) for row in table.rows], bad


@pytest.mark.parametrize(
    ("raw", "stated"),
    [
        (CHINESE.encode(), None),
        (CHINESE.encode("utf-8-sig"), None),
        (CHINESE.encode("utf-8-sig"), "utf-8"),
        (CHINESE.encode("gb18030"), None),
        (CHINESE.encode("gbk"), "gbk"),
        (CHINESE.encode("utf-16"), None),
        (CHINESE.encode("utf-16"), "utf-16"),
        (CHINESE.encode("utf-16-be"), "utf-16-be"),
        (CHINESE.replace("\n", "\r\n").encode(), None),
    ],
)
def test_T131_text_is_read_in_its_encoding(raw, stated):
    table = read_table(raw, encoding=stated)
    assert table.rows[0].cells == {"number": "00123", "name": "电源", "tracking": "none"}


@pytest.mark.parametrize(
    ("raw", "stated", "refusal"),
    [
        ("number,name\nA,Zürich\n".encode("latin-1"), None, UnknownEncoding),
        (CHINESE.encode("utf-16-le"), None, UnknownEncoding),
        (CHINESE.encode("gb18030"), "utf-8", WrongEncoding),
        (b"\xff\xfea", None, WrongEncoding),
        (b'number,name\n"A,B\n', None, BrokenTable),
        (b'number,name\n"A"x,B\n', None, BrokenTable),
        (b"number,name\nA," + b"x" * 10_000_000 + b"\n", None, LineTooLong),
        (b"number,name\nA," + b"x" * 200_000 + b"\n", None, BrokenTable),
        (b"number,name\n", None, NoRows),
        (b"number,name\n,,\n\n", None, NoRows),
        (b"", None, NoRows),
        (b"\xd0\xcf\x11\xe0rest", None, OldSpreadsheet),
        (b"PK\x03\x04rest", None, BrokenSpreadsheet),
        (b"number,number\nA,B\n", None, BadHeadings),
        (b"number,,name\nA,B,C\n", None, BadHeadings),
        (b",".join(b"c%d" % n for n in range(101)) + b"\n1\n", None, FileTooLarge),
    ],
)
def test_T131_what_is_no_table_is_refused_clearly(raw, stated, refusal):
    with pytest.raises(refusal):
        read_table(raw, encoding=stated)


def test_T131_quotes_run_across_lines_and_rows_know_their_first_line():
    table = read_table(b'number,name\nA,"one\ntwo"\nB,"say ""hi"""\n')
    assert [(row.line, row.cells["name"]) for row in table.rows] == [(2, "one\ntwo"), (4, 'say "hi"')]


def test_empty_cells_are_left_out_and_cells_beyond_the_headings_are_bad():
    rows, bad = rows_of("parts", read_table(b"number,name,tracking,weight_g\nA,a,none,\nB,b,none,1,2,\n"))
    assert rows[0].row.weight_g == 500
    assert [(one.line, one.code) for one in bad] == [(3, "imports.cells_beyond")]


@pytest.mark.parametrize("number", ["00123", "1E10", "12E5", "3-4", "MARCH1", "12345678901234567890"])
def test_T127_identifiers_stay_text(number):
    from_csv, _ = rows_of("parts", read_table(f"number,name,tracking\n{number},x,none\n".encode()))
    raw = sheet(("number", "name", "tracking"), (number, "x", "none"), text_columns=(0,))
    from_sheet, _ = rows_of("parts", read_table(raw))
    assert from_csv[0].row.number == from_sheet[0].row.number == number


def test_T127_a_number_in_an_identifier_column_is_refused_with_its_address():
    _, bad = rows_of("parts", read_table(sheet(("name", "number", "tracking"), ("x", "A", "none"), ("y", 123, "none"))))
    assert [(one.line, one.field, one.code, one.facts["cell"]) for one in bad] == [
        (3, "number", "imports.number_in_identifier", "B3")
    ]


def test_spreadsheet_cells_become_what_the_field_takes():
    head = ("country", "year", "published", "working_days_off", "make_up_days")
    raw = sheet(head, ("CN", 2018, True, "2018-01-01;2018-02-15", "2018-02-11"))
    rows, bad = rows_of("calendars", read_table(raw))
    assert bad == []
    assert rows[0].row.year == 2018
    assert rows[0].row.published is True
    assert rows[0].row.working_days_off == [date(2018, 1, 1), date(2018, 2, 15)]


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("weight_g", "heavy", "imports.expected"),
        ("weight_g", "-1", "imports.out_of_range"),
        ("hazardous", "maybe", "imports.expected"),
        ("tracking", "sometimes", "imports.not_one_of"),
        ("number", "x" * 65, "imports.wrong_length"),
        ("number", "A B", "imports.wrong_form"),
        ("name", "a\x01b", "imports.wrong_form"),
    ],
)
def test_a_wrong_cell_is_named_by_line_and_field(column, cell, code):
    cells = {"number": "A", "name": "a", "tracking": "none", "weight_g": "1", "hazardous": "true"} | {column: cell}
    _, bad = rows_of("parts", read_table((",".join(cells) + "\n" + ",".join(cells.values()) + "\n").encode()))
    assert [(one.line, one.field, one.code) for one in bad] == [(2, column, code)]


def test_every_wrong_field_of_a_row_is_named():
    _, bad = rows_of("parts", read_table(b"number,name,tracking,weight_g\n,a,sometimes,heavy\n"))
    assert sorted(one.field for one in bad) == ["number", "tracking", "weight_g"]


def test_unknown_and_missing_columns_are_all_named():
    with pytest.raises(BadHeadings) as refused:
        rows_of("parts", read_table(b"number,color\nA,red\n"))
    assert [(one.field, one.code) for one in refused.value.errors] == [
        ("color", "imports.column_unknown"),
        ("name", "imports.column_missing"),
        ("tracking", "imports.column_missing"),
    ]


def bomb(entries=0, unpacked=0):
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for at in range(entries):
            packed.writestr(f"{at}.xml", "")
        if unpacked:
            packed.writestr("xl/worksheets/sheet1.xml", b"0" * unpacked)
    return made.getvalue()


@pytest.mark.parametrize("raw", [bomb(entries=2_001), bomb(unpacked=120 * 1024 * 1024)])
def test_T129_a_bomb_is_refused_by_its_directory(raw):
    with pytest.raises(FileTooLarge):
        read_table(raw)


def with_strings(content, *, stated_size=None):
    """A spreadsheet whose table of strings is replaced, and its size misstated where asked for."""
    made = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(sheet(("number", "name"), ("A", "x")))) as source,
        zipfile.ZipFile(made, "w", 8) as packed,
    ):
        for one in source.infolist():
            packed.writestr(
                one.filename, content if one.filename == "xl/sharedStrings.xml" else source.read(one.filename)
            )
    if stated_size is None:
        return made.getvalue()
    return made.getvalue().replace(struct.pack("<L", len(content)), struct.pack("<L", stated_size))


STRINGS = (
    b'<?xml version="1.0"?>%s<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="4" '
    b'uniqueCount="4"><si><t>number</t></si><si><t>name</t></si><si><t>%s</t></si><si><t>x</t></si></sst>'
)


def test_T129_entities_and_misstated_sizes_are_refused():
    assert read_table(with_strings(STRINGS % (b"", b"A"))).rows[0].cells == {"number": "A", "name": "x"}
    entities = b'<!DOCTYPE sst [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    liar = with_strings(STRINGS % (b"", b"A" * 50_000_000), stated_size=1000)
    for raw in (with_strings(STRINGS % (entities, b"&b;")), liar):
        with pytest.raises(BrokenSpreadsheet):
            read_table(raw)


def test_T129_a_cell_in_the_far_corner_costs_the_child_not_us():
    made = BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    book.add_worksheet().write(1_048_575, 16_383, "far")
    book.close()
    with pytest.raises(BrokenSpreadsheet):
        read_table(made.getvalue())


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-2", "@x", "\tx", "\rx", "'=1", "''-2", "plain", "'quoted", "", "it's"]
)
def test_T134_what_we_write_guarded_is_read_back_as_it_was(text):
    written = guarded(text)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    quoted = '"' + written.replace('"', '""') + '"'
    cells = read_table(f"a,b\n{quoted},x\n".encode()).rows[0].cells
    assert cells.get("a", "") == text


def test_the_report_holds_the_bad_rows_with_reasons_in_both_languages(tmp_path):
    table = read_table(b"number,name,tracking\nA,=bad,sometimes\n")
    _, bad = rows_of("parts", table)
    for language, words in (("en", "not among the values"), ("zh-CN", "不是此字段可取的值")):
        with (tmp_path / language).open("w", encoding="utf-8", newline="") as target:
            assert write_report(target, table, bad, language) == 1
        report = (tmp_path / language).read_text(encoding="utf-8")
        assert words in report
        assert "A,'=bad,sometimes" in report


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "calendars"])
def test_the_demo_files_fit_their_kinds(kind):
    rows, bad = rows_of(kind, read_file(DEMO / f"{kind}.csv"))
    assert bad == []
    assert None not in rows


def test_W2_calendars_of_the_holidays_package_know_swapped_days():
    rows, bad = rows_of("calendars", calendar_table("CN:2018-2027", today=TODAY))
    assert bad == []
    years = {one.row.year: one.row for one in rows}
    assert date(2018, 9, 24) in years[2018].working_days_off
    assert date(2018, 10, 1) in years[2018].working_days_off
    assert date(2018, 9, 29) in years[2018].make_up_days
    assert date(2018, 12, 29) in years[2018].make_up_days
    assert all(day.weekday() < 5 for one in years.values() for day in one.working_days_off)
    assert all(day.weekday() >= 5 for one in years.values() for day in one.make_up_days)
    assert years[2026].published
    assert not years[2027].published


@pytest.mark.parametrize("given", ["CN", "CN:26", "XX:2026", "CN:2027-2026", "cn:2026", "CN:2000-2200"])
def test_no_calendar_for_what_is_no_country_and_years(given):
    with pytest.raises(BadCalendarRange):
        calendar_table(given, today=TODAY)


def test_nothing_but_refusals_comes_out_of_odd_json_cells():
    for cell in ("[", "{}", "[[[[", "[1,2]", '{"mon": 1}', "[" * 5000):
        quoted = '"' + cell.replace('"', '""') + '"'
        try:
            _, bad = rows_of("models", read_table(f"code,name,positions\nM,m,{quoted}\n".encode()))
        except Refusal:
            continue
        assert bad, cell


def test_a_list_takes_one_day_or_time_of_a_spreadsheet():
    assert value_of(date(2026, 1, 1), "list") == ["2026-01-01"]
