"""Codes that are drawn: what is drawn is read back, and what no code can hold is refused."""

import re
from xml.etree import ElementTree

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from app.web import barcodes
from tests.web.photographs import picture

GTIN = "09506000134352"
LINK = "https://sparelane.example/r/req_0199a1b2c3d4e5f60718293a4b5c6d7e"


def read(symbol, scale=3):
    return [one.text for one in zxingcpp.read_barcodes(picture(symbol, scale), text_mode=zxingcpp.TextMode.Plain)]


@pytest.mark.parametrize(
    "symbol",
    [
        barcodes.qr(LINK),
        barcodes.qr("电源 12V 5A"),
        barcodes.qr("R-1A2B3", ec_level="H"),
        barcodes.code128("PSU-12V-5A"),
        barcodes.code128("a b\\<>\"'&", height=60),
        barcodes.data_matrix("PSU-12V-5A"),
        barcodes.data_matrix("电源-12V"),
    ],
    ids=lambda one: f"{one.kind} {one.text}",
)
def test_what_is_drawn_is_read_back(symbol):
    assert read(symbol) == [symbol.text]


@pytest.mark.parametrize("kind", ["code128", "data_matrix"])
def test_a_gs1_code_is_read_back_as_one(kind):
    symbol = barcodes.gs1([("01", GTIN), ("10", "L1"), ("21", "0042")], kind=kind)
    found = zxingcpp.read_barcodes(picture(symbol, 3))
    assert [(one.text, one.content_type.name) for one in found] == [(f"(01){GTIN}(10)L1(21)0042", "GS1")]


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40))
def test_any_plain_code_has_bars(text):
    assert read(barcodes.code128(text)) == [text]


@pytest.mark.parametrize(
    ("draw", "what"),
    [
        (barcodes.code128, "电源"),
        (barcodes.code128, ""),
        (barcodes.code128, "a\nb"),
        (barcodes.code128, "x" * 81),
        (barcodes.qr, "x" * 501),
        (barcodes.data_matrix, ""),
        (barcodes.gs1, [("01", "09506000134353")]),
        (barcodes.gs1, [("999", "1")]),
        (barcodes.gs1, [("10", "a(b")]),
        (barcodes.gs1, [("10", "x" * 21)]),
        (barcodes.gs1, []),
    ],
)
def test_what_no_code_can_hold_is_refused(draw, what):
    with pytest.raises(barcodes.NotDrawable):
        draw(what)


def test_bars_give_way_to_a_matrix_where_they_are_too_wide_or_cannot_say_it():
    made = [barcodes.bars_or_matrix(one, most_modules=340).kind for one in ("PSU-12V-5A", "x" * 60, "电源")]
    assert made == ["code128", "data_matrix", "data_matrix"]


def test_a_drawing_for_a_page_needs_no_style_and_escapes_its_words():
    svg = barcodes.qr(LINK).svg('R-1 "<b>&')
    assert not re.search(r"style|script|href|on\w+=|url\(", svg)
    assert ElementTree.fromstring(svg).get("aria-label") == 'R-1 "<b>&'
    assert 'aria-hidden="true"' in barcodes.qr(LINK).svg()
