"""What scans say: GS1 strings in every shape that scanners give them, codes of our own, and plain text."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.gs1 import FORMATS, GS, SPLIT, check_digit, day_of, is_gtin, readings
from app.web.scanned import understand

GTIN = "09506000134352"
REQUEST = "req_0199a1b2c3d4e5f60718293a4b5c6d7e"
VERDICT = "ver_0199a1b2c3d4e5f60718293a4b5c6d7e"
SET_82 = st.sampled_from("!\"%&'*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")


def said(raw: str) -> dict[str, object]:
    """What a scan says of itself, without what it does not say and without how it came."""
    scan = understand(raw)
    unsaid = (None, (), False)
    names = [one for one in scan.__slots__ if one not in ("raw", "text", "kind", "symbology", "others")]
    return {name: value for name in names if (value := getattr(scan, name)) not in unsaid}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (f"]d201{GTIN}10AB12{GS}2177", {"gtin": GTIN, "lot": "AB12", "serial": "77"}),
        (f"]C101{GTIN}10AB12{GS}2177", {"gtin": GTIN, "lot": "AB12", "serial": "77"}),
        (f"]Q301{GTIN}2177{GS}10AB12", {"gtin": GTIN, "lot": "AB12", "serial": "77"}),
        (f"]e001{GTIN}", {"gtin": GTIN}),
        (f"{GS}01{GTIN}10AB12", {"gtin": GTIN, "lot": "AB12"}),
        (f"01{GTIN}10AB12<GS>2177", {"gtin": GTIN, "lot": "AB12", "serial": "77"}),
        (f"01{GTIN}10AB12{{GS}}2177", {"gtin": GTIN, "lot": "AB12", "serial": "77"}),
        (f"01{GTIN}10AB12^]2177", {"gtin": GTIN, "lot": "AB12", "serial": "77"}),
        (f"(01){GTIN}(10)AB12(21)77", {"gtin": GTIN, "lot": "AB12", "serial": "77"}),
        (f"（01）{GTIN}（10）AB12", {"gtin": GTIN, "lot": "AB12"}),
        (f"]d2240PSU-12V-5A{GS}210042", {"part": "PSU-12V-5A", "serial": "0042"}),
        (f"]d2241PSU{GS}3712", {"part": "PSU", "quantity": 12}),
        (f"]C102{GTIN}3708", {"gtin": GTIN, "quantity": 8}),
        (f"]d201{GTIN}17261130112411012101", {"gtin": GTIN, "expires_on": date(2026, 11, 30),
                                              "made_on": date(2024, 11, 1), "serial": "01"}),
        (f"]d201{GTIN}17270200", {"gtin": GTIN, "expires_on": date(2027, 2, 28)}),
        (f"]d201{GTIN}17271399", {"gtin": GTIN, "faults": ("17",)}),
        ("]d2010950600013435310AB12", {"lot": "AB12", "faults": ("01",)}),
        ("]E04006381333931", {"gtin": "04006381333931"}),
        ("]E496385074", {"gtin": "00000096385074"}),
        ("4006381333931", {"gtin": "04006381333931"}),
        ("4006381333932", {}),
        (f"https://id.gs1.org/01/{GTIN}/10/AB12/21/77", {"gtin": GTIN, "lot": "AB12", "serial": "77"}),
        (f"https://oem.example/x/01/{GTIN}?17=261130", {"gtin": GTIN}),
        (REQUEST, {"request": REQUEST}),
        (REQUEST.upper(), {"request": REQUEST}),
        (VERDICT, {"verdict": VERDICT}),
        (f"https://sparelane.example/r/{REQUEST}", {"request": REQUEST}),
        (f"HTTPS://10.0.0.4:8000/requests/{REQUEST}", {"request": REQUEST}),
        (f"https：、、sparelane.example、r、{REQUEST}", {"request": REQUEST}),
        (f"/picking/{REQUEST}", {"request": REQUEST, "to_pick": True}),
        (f"http://x.example/verdicts/{VERDICT}.pdf", {"verdict": VERDICT}),
        ("http://x.example/devices/CAM%2DYC-1", {"device": "CAM-YC-1"}),
        ("http://x.example/stock/parts/PSU?lot=L%201&serial=S2", {"part": "PSU", "lot": "L 1", "serial": "S2"}),
        ("http://x.example/stock/bins/YC-WH/A-03-2", {"place": "YC-WH", "bin": "A-03-2"}),
        (f"http://x.example/scan?code={REQUEST}", {"request": REQUEST}),
        ("http://x.example/scan?code=PSU", {}),
        ("http://x.example/r/not-an-id", {}),
        ("http://[", {}),
        ("R-1A2B3", {"request_end": "1a2b3"}),
        ("r1a2b3", {"request_end": "1a2b3"}),
        ("P-1A2B3", {"request_end": "1a2b3", "to_pick": True}),
        ("R-4711", {}),
        ("PSU-12V-5A", {}),
        ("]C0PSU-12V-5A", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_a_scan_says_what_its_code_says(raw, says):
    assert said(raw) == says


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("PSU-12V-5A\r\n", "PSU-12V-5A"),
        ("\tPSU-12V-5A\t", "PSU-12V-5A"),
        ("\x02PSU-12V-5A\x03", "PSU-12V-5A"),
        ("ＰＳＵ－１２Ｖ－５Ａ", "PSU-12V-5A"),
        ("　PSU\u200b-1\ufeff ", "PSU-1"),
        ("]A0PSU-1", "PSU-1"),
        ("电源 12V", "电源 12V"),
        ("Ａ。１", "A.1"),
        ("x" * 600, "x" * 512),
    ],
)
def test_noise_of_wedges_and_input_methods_is_taken_off(raw, text):
    assert understand(raw).text == text


def test_a_name_is_tried_as_it_came_before_it_is_folded():
    assert understand("ＬＥＤ-ａ\r").tries == ("ＬＥＤ-ａ", "LED-a", "LED-A", "led-a")


def test_swallowed_separators_leave_every_reading_the_likeliest_first():
    scan = understand(f"01{GTIN}10AB122177")
    found = [(one.lot, one.serial) for one in (scan, *scan.others)]
    assert found == [("AB122177", None), ("AB12", "77")]


@pytest.mark.parametrize("text", ["10" * 200, "2110a240b" * 50, "(01)" * 100, "]d2" + "21x10y240z" * 40])
def test_no_code_takes_long_to_read(text):
    assert len(readings(text)) <= 12
    assert understand(text).raw == text[:512]


@pytest.mark.parametrize("text", ["(01)1", "(99999)x", "(10)", "(10)a(", "01123", f"01{GTIN}x", "", GS])
def test_what_is_no_element_string_has_no_reading(text):
    assert readings(text) == []


@pytest.mark.parametrize(
    ("digits", "last"), [("629104150021", 3), ("0950600013435", 2), ("9638507", 4), ("03600029145", 2)]
)
def test_the_check_digit_is_gs1s(digits, last):
    assert check_digit(digits) == last
    assert is_gtin(f"{digits}{last}")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("280229", date(2028, 2, 29)),
        ("280200", date(2028, 2, 29)),
        ("270229", None),
        ("271300", None),
        ("270001", None),
    ],
)
def test_days_of_gs1_are_days_of_this_century(text, day):
    assert day_of(text) == day


@given(st.text(alphabet="0123456789", min_size=13, max_size=13), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(digits, at, more):
    whole = digits + str(check_digit(digits))
    wrong = whole[:at] + str((int(whole[at]) + more) % 10) + whole[at + 1 :]
    assert (is_gtin(whole), is_gtin(wrong)) == (True, False)


def values(identifier: str) -> st.SearchStrategy[str]:
    form = FORMATS[identifier]
    alphabet = st.sampled_from("0123456789") if form.digits else SET_82
    return st.text(alphabet=alphabet, min_size=form.least, max_size=form.most)


@st.composite
def element_strings(draw: st.DrawFn) -> tuple[dict[str, str], str]:
    """Elements in any order, and how a scanner gives them: a separator after each that has no fixed length."""
    identifiers = draw(st.lists(st.sampled_from(sorted(FORMATS)), min_size=1, max_size=5, unique=True))
    elements = {one: draw(values(one)) for one in identifiers}
    parts = [one + value + ("" if FORMATS[one].fixed else GS) for one, value in elements.items()]
    return elements, "".join(parts).rstrip(GS)


@given(element_strings())
def test_what_scanners_separate_is_read_back(given_one):
    elements, text = given_one
    assert elements in readings(text)
    assert readings(text)[0] == elements or GS not in text


@given(st.dictionaries(st.sampled_from(SPLIT), st.just("x"), min_size=1))
def test_the_printed_form_is_read_back(identifiers):
    elements = {one: "260101" if FORMATS[one].fixed else "12" for one in identifiers}
    assert readings("".join(f"({one}){value}" for one, value in elements.items())) == [elements]


@given(st.text(max_size=600))
def test_anything_at_all_is_understood_somehow(raw):
    scan = understand(raw)
    assert all(character.isprintable() or ord(character) > 0x7F for character in scan.text)
    assert len(scan.tries) <= 4
