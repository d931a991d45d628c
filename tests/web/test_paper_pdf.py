"""Papers as PDF: opened and read in both languages, the same bytes for the same value, and nothing in a value obeyed."""

from dataclasses import replace

import pypdfium2
import pytest

from app.core.money import Money
from app.core.settings import Settings
from app.web import paper
from app.web.paper.press import PRESS, PaperNotMade, Press
from app.web.paper.words import amount, money
from app.web.render import Words
from tests.web import papers

pytestmark = pytest.mark.anyio
ALL = ("pick_list", "dispatch_note", "label", "quotation", "verdict")
HOSTILE = (
    '#import "x": *; #panic() $x^2$ *b* _i_ `r` <a> @b \\ // /* {1} [2] = - + "q" \'s\' & ~ --- ... https://x.example %'
)


async def made(name: str, language: str, **changes) -> pypdfium2.PdfDocument:
    value = replace(getattr(papers, name)(language), **changes)
    return pypdfium2.PdfDocument(await getattr(paper, name)(value, Words(language)))


def text_of(document: pypdfium2.PdfDocument) -> str:
    """All of its text, as it would be copied, without the line breaks."""
    pages = "".join(page.get_textpage().get_text_range() for page in document)
    return " ".join(pages.split())


@pytest.mark.parametrize(
    ("name", "language", "says"),
    [
        ("pick_list", "zh-CN", ("拣货单", "银川备件库", "16:05 前更换", "A-03-4", "PS2609-00412", "第 1 页，共 1 页")),
        ("pick_list", "en", ("Pick list", "Yinchuan warehouse", "fitted by 16:05", "no bin", "L2610-7", "Page 1 of 1")),
        ("dispatch_note", "zh-CN", ("发货单", "机场北", "旧件返回", "序列号 PS2303-11874", "代替 FAN-80-OLD，免费升级")),
        ("dispatch_note", "en", ("Dispatch note", "Airport North", "To come back", "Received by", "HD-20931")),
        ("label", "zh-CN", ("R-1A2B3", "机场北", "PSU-12V-5A", "电源模块", "序列号", "质保至 2029-11-22", "紧急")),
        ("label", "en", ("Airport North", "serial", "PS2609-00412", "warranty to 2029-11-22", "×1")),
        ("quotation", "zh-CN", ("报价单", "1,543.02 CNY", "不含税", "1,365.50", "税额（13 %）", "有效期至 2026-11-23 15:30",
                                "人工与服务 0.00 0.00 0.00", "我方同意以上价格，合计 1,543.02 CNY")),
        ("quotation", "en", ("Quotation", "Transport 0.00 0.00 0.00", "Insurance 0.00", "Labor and service 0.00",
                             "Valid until 2026-11-23 15:30", "Signature or seal")),
        ("verdict", "zh-CN", ("质保权益判定书", "在保", "至 2028-05-10（含当日）", "我公司承担", "原厂服务", "重新计算",
                              "今日 2026-11-22", "故障 2026-11-21", "W4", "规则版本 1", "日历 CN-2026.1", papers.VERDICT)),
        ("verdict", "en", ("Warranty verdict", "Covered", "runs anew from the confirmation", "2025-05-11", "2028-05-10",
                           "What it says here", "can be replayed to the same result")),
    ],
)  # fmt: skip
async def test_a_paper_says_everything_in_text_that_can_be_copied(name, language, says):
    document = await made(name, language)
    text = text_of(document)
    assert [one for one in says if one not in text] == []
    assert len(document) == 1


@pytest.mark.parametrize("name", ALL)
async def test_a_paper_can_be_kept_for_long_and_read_aloud(name):
    raw = await getattr(paper, name)(getattr(papers, name)("zh-CN"), Words("zh-CN"))
    assert b"<pdfaid:part>2</pdfaid:part>" in raw
    assert b"<pdfuaid:part>1</pdfuaid:part>" in raw
    assert b"zh-CN" in raw or b"zh-cn" in raw.lower()


@pytest.mark.parametrize("name", ALL)
async def test_the_same_value_gives_the_same_bytes(name):
    value, say = getattr(papers, name)("zh-CN"), Words("zh-CN")
    first = await getattr(paper, name)(value, say)
    PRESS.close()
    assert await getattr(paper, name)(value, say) == first


async def test_a_paper_says_when_it_was_made_on_the_wall_clock_of_its_zone():
    document = await made("quotation", "en", zone="Asia/Urumqi")
    assert "Made 2026-11-22 13:30, times of China (Urumqi) Time (UTC+6)" in text_of(document)
    assert document.get_metadata_value("CreationDate").startswith("D:20261122073000")
    assert document.get_metadata_value("Title") == "Quotation R-1A2B3"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("quotation", {"why": (HOSTILE,)}),
        ("dispatch_note", {"notes": (HOSTILE,), "from_place": HOSTILE}),
        ("pick_list", {"place": HOSTILE}),
        ("verdict", {"until": HOSTILE, "failure": HOSTILE}),
    ],
)
async def test_what_stands_in_a_value_prints_as_itself(name, changes):
    text = text_of(await made(name, "en", **changes))
    assert HOSTILE.replace(" ", "") in text.replace(" ", "")


async def test_what_cannot_be_printed_is_left_out_and_the_paper_comes_all_the_same():
    note = "a\u202eb\u0000c\ud800d 😀 𠮷 ئۇيغۇر\nsecond line"
    document = await made("dispatch_note", "zh-CN", notes=(note,))
    text = text_of(document)
    assert "abcd" in text
    assert "second line" in text


async def test_names_and_codes_of_any_length_stay_on_the_page():
    lines = (paper.PartLine(part_number="W" * 64, part_name="名" * 200, quantity=1_000_000, serials=("S" * 64,) * 90),)
    to = paper.Party(name="站" * 200, customer="客" * 200, address="址" * 200)
    document = await made("dispatch_note", "zh-CN", label="X" * 64, lines=lines, to=to, waybill="8" * 64)
    assert text_of(document).replace(" ", "").count("S" * 64) == 90
    for page in document:
        width = page.get_width()
        boxes = [one.get_bounds() for one in page.get_objects()]
        assert [box for box in boxes if box[0] < 0 or box[2] > width] == []


async def test_a_long_pick_list_counts_its_pages_and_repeats_its_head():
    jobs = papers.pick_list("en").jobs * 20
    document = await made("pick_list", "en", jobs=jobs)
    pages = [page.get_textpage().get_text_range() for page in document]
    assert len(pages) > 5
    assert [f"Page {n} of {len(pages)}" in page for n, page in enumerate(pages, start=1)] == [True] * len(pages)
    assert all("Anxin Parts Service Ltd" in page for page in pages)


async def test_an_empty_pick_list_says_so():
    assert "Nothing is to be picked here just now." in text_of(await made("pick_list", "en", jobs=()))


async def test_a_device_of_many_positions_has_its_picture_on_several_pages():
    timeline = papers.timeline("en")
    many = replace(timeline, positions=timeline.positions * 16)
    text = text_of(await made("verdict", "en", timeline=many))
    assert text.count("BRD-CM4") == 16
    assert (await made("verdict", "en", timeline=replace(timeline, positions=()))) is not None
    assert "today" not in text_of(await made("verdict", "en", timeline=None))


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (Money(154302, "CNY"), "1,543.02 CNY"),
        (Money(0, "CNY"), "0.00 CNY"),
        (Money(-154302, "CNY"), "−1,543.02 CNY"),
        (Money(-5, "CNY"), "−0.05 CNY"),
        (Money(1234567, "JPY"), "1,234,567 JPY"),
        (Money(1234567, "KWD"), "1,234.567 KWD"),
    ],
)
def test_money_is_grouped_and_keeps_its_places(one, words):
    assert money(one) == words
    assert amount(one) == words.split(" ")[0]


@pytest.mark.parametrize(
    ("company", "head"),
    [
        ("Sparelane", paper.Letterhead("Sparelane")),
        ("银川安信; 北京东路 8 号；0951 ", paper.Letterhead("银川安信", ("北京东路 8 号", "0951"))),
        (" ; ", paper.Letterhead("Sparelane")),
    ],
)
def test_the_company_on_papers_is_a_setting(company, head):
    assert paper.letterhead(Settings(company=company)) == head


async def test_a_press_whose_child_fails_says_that_the_paper_could_not_be_made():
    press = Press("tests.web.wayward_child")
    try:
        with pytest.raises(PaperNotMade):
            await press.set("quotation", {"words": {}}, made_at=papers.AT)
    finally:
        press.close()
