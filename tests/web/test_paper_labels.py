"""Labels as a thermal printer of 203 dpi prints them: both codes are read back from the dots."""

from dataclasses import replace

import pypdfium2
import pytest
import zxingcpp

from app.web import paper
from app.web.paper.warehouse_papers import TooManyLabels
from app.web.render import Words
from tests.web import papers

pytestmark = pytest.mark.anyio
DOTS = 203.2 / 72


async def printed(*labels, language="zh-CN", on="roll"):
    return pypdfium2.PdfDocument(await paper.labels(labels, Words(language), on=on))


def codes(page) -> set[tuple[str, str]]:
    """What a scanner finds on a page that was printed in black dots alone."""
    dots = page.render(scale=DOTS).to_pil().convert("L").point(lambda light: 255 if light > 127 else 0)
    return {(str(one.format), one.text) for one in zxingcpp.read_barcodes(dots)}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_both_codes_of_a_label_are_read_back(language):
    document = await printed(papers.label(language), language=language)
    assert codes(document[0]) == {("QR Code", papers.LINK), ("Code 128", "PS2609-00412")}
    assert [round(one * 25.4 / 72, 1) for one in document[0].get_size()] == [100.0, 60.0]


@pytest.mark.parametrize(
    ("code", "link", "found"),
    [
        ("A", "R-1A2B3", {("QR Code", "R-1A2B3"), ("Code 128", "A")}),
        (
            "PSU-12V-5A-2026-EXT-TEMP-",
            papers.LINK,
            {("QR Code", papers.LINK), ("Code 128", "PSU-12V-5A-2026-EXT-TEMP-")},
        ),
        ("S" * 64, papers.LINK, {("QR Code", papers.LINK), ("Data Matrix", "S" * 64)}),
        ("电源-12V", papers.LINK, {("QR Code", papers.LINK), ("Data Matrix", "电源-12V")}),
        ("X1", papers.LINK + "?" + "y" * 60, {("QR Code", papers.LINK + "?" + "y" * 60), ("Code 128", "X1")}),
    ],
)
async def test_codes_of_any_length_are_read_back(code, link, found):
    label = replace(papers.label("zh-CN"), code=code, link=link, serial=None, lot="L-" + "9" * 40, site="站" * 99)
    assert codes((await printed(label))[0]) == found


async def test_a_label_of_a_part_alone_leaves_out_what_it_does_not_know():
    bare = paper.Label(link="https://x.example/stock/parts/P", code="P", part_number="P", part_name="电源", quantity=3,
                       made_at=papers.AT)  # fmt: skip
    document = await printed(bare)
    text = document[0].get_textpage().get_text_range()
    assert ("质保" in text, "×3" in text, "电源" in text) == (False, True, True)
    assert codes(document[0]) == {("QR Code", "https://x.example/stock/parts/P"), ("Code 128", "P")}


async def test_a_roll_has_a_page_for_each_label_and_a_sheet_has_eight():
    many = [replace(papers.label("en"), code=f"PS-{n}") for n in range(10)]
    roll, sheet = await printed(*many, language="en"), await printed(*many, language="en", on="sheet")
    assert (len(roll), len(sheet)) == (10, 2)
    read = {code for page in sheet for kind, code in codes(page) if kind == "Code 128"}
    assert read == {f"PS-{n}" for n in range(10)}


async def test_so_many_labels_that_others_would_wait_are_refused():
    with pytest.raises(TooManyLabels):
        await printed(*[papers.label("en")] * 501)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_codes_of_a_pick_list_and_a_verdict_are_read_back(language):
    say = Words(language)
    picks = pypdfium2.PdfDocument(await paper.pick_list(papers.pick_list(language), say))
    verdict = pypdfium2.PdfDocument(await paper.verdict(papers.verdict(language), say))
    assert codes(picks[0]) >= {("Code 128", "P-1A2B3"), ("Code 128", "P-9F0C7")}
    assert ("QR Code", f"https://sparelane.example/verdicts/{papers.VERDICT}") in codes(verdict[0])
