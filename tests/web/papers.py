"""One of each paper, as a door would hand it over, in either language."""

from dataclasses import replace
from datetime import UTC, date, datetime

from app.core.i18n import Language
from app.core.money import Money
from app.web.paper import (
    Bar,
    DispatchNote,
    Label,
    Letterhead,
    PartLine,
    Party,
    PickJob,
    PickList,
    Quotation,
    QuotedLine,
    ReasonLine,
    Timeline,
    TimelineRow,
    VerdictPaper,
)

AT = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)
ZONE = "Asia/Shanghai"
REQUEST = "req_0199a1b2c3d4e5f60718293a4b51a2b3"
VERDICT = "ver_0199a1b2c3d4e5f60718293a4b5c6d7e"
LINK = f"https://sparelane.example/r/{REQUEST}"
HEADS = {
    "zh-CN": Letterhead("银川安信备件服务有限公司", ("宁夏银川市兴庆区北京东路 8 号", "0951-555 0100")),
    "en": Letterhead("Anxin Parts Service Ltd", ("8 Beijing East Road, Yinchuan", "+86 951 555 0100")),
}
PARTIES = {
    "zh-CN": Party(name="机场北", customer="银川机场公安分局", address="银川市灵武机场北路 1 号 3 号机房",
                   contact="马工 138 0000 0000"),
    "en": Party(name="Airport North", customer="Yinchuan Airport Police", address="1 Airport North Road, room 3",
                contact="Mr Ma, 138 0000 0000"),
}  # fmt: skip
NAMES = {
    "zh-CN": ("电源模块 12V 5A", "散热风扇 80 mm", "主板 CM-4"),
    "en": ("Power supply 12 V 5 A", "Fan 80 mm", "Main board CM-4"),
}


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def lines(language: Language) -> tuple[PartLine, ...]:
    psu, fan, _ = NAMES[language]
    substitute = {"zh-CN": "代替 FAN-80-OLD，免费升级", "en": "in place of FAN-80-OLD, a free upgrade"}[language]
    return (
        PartLine(
            part_number="PSU-12V-5A", part_name=psu, quantity=2, bin="A-03-4", serials=("PS2609-00412", "PS2609-00413")
        ),
        PartLine(part_number="FAN-80-B", part_name=fan, quantity=1, bin="B-01-2", lot="L2610-7", note=substitute),
    )


def pick_list(language: Language) -> PickList:
    said = {
        "zh-CN": ("紧急", "一般", "16:05 前更换", "小马 15:40 来取，至机场北 25 分钟", "次日 8:00 前发出", "顺丰 18:00 截单"),
        "en": ("emergency", "general", "fitted by 16:05", "Xiao Ma fetches it at 15:40, 25 min to the site",
               "dispatched by tomorrow 08:00", "SF, cut-off 18:00"),
    }[language]  # fmt: skip
    party, board = PARTIES[language], NAMES[language][2]
    first = PickJob(label="R-1A2B3", code="P-1A2B3", link=f"https://sparelane.example/picking/{REQUEST}", site=party.name,
                    customer=party.customer, priority=said[0], urgent=True, due=said[2], handover=said[3],
                    lines=lines(language))  # fmt: skip
    board_line = PartLine(part_number="BRD-CM4-8G-EXTENDED-TEMP-2026", part_name=board, quantity=1)
    second = replace(first, label="HD-20931", code="P-9F0C7", priority=said[1], urgent=False, due=said[4], handover=said[5],
                     lines=(board_line,))  # fmt: skip
    place = {"zh-CN": "银川备件库", "en": "Yinchuan warehouse"}[language]
    return PickList(head=HEADS[language], place=place, jobs=(first, second), made_at=AT, zone=ZONE, made_by="Li Na")


def dispatch_note(language: Language) -> DispatchNote:
    said = {
        "zh-CN": ("银川备件库", "小马（专人送达）", "16:05 前更换", "旧电源模块，序列号 PS2303-11874", "联系现场后再上楼。"),
        "en": ("Yinchuan warehouse", "Xiao Ma, courier", "fitted by 16:05", "the old power supply, serial PS2303-11874",
               "Call the site before going up."),
    }[language]  # fmt: skip
    return DispatchNote(
        head=HEADS[language], label="R-1A2B3", link=LINK, from_place=said[0], to=PARTIES[language], by=said[1],
        promise=said[2], lines=lines(language), made_at=AT, zone=ZONE, device="CAM-YC-0001", model="CAM-4K",
        ticket="HD-20931", parcels=1, old_parts=(said[3],), notes=(said[4],),
    )  # fmt: skip


def label(language: Language) -> Label:
    urgent = {"zh-CN": "紧急", "en": "emergency"}[language]
    party = PARTIES[language]
    return Label(
        link=LINK, code="PS2609-00412", part_number="PSU-12V-5A", part_name=NAMES[language][0], quantity=1, made_at=AT,
        request="R-1A2B3", site=party.name, customer=party.customer, serial="PS2609-00412",
        warranty_end=date(2029, 11, 22), priority=urgent, parcel="1 / 2",
    )  # fmt: skip


def quotation(language: Language) -> Quotation:
    psu, fan, _ = NAMES[language]
    why = {
        "zh-CN": ("质保期至 2026-03-01，已满。期满后更换部件只收采购成本，免收服务及人工费用。",),
        "en": (
            "The warranty ended on 2026-03-01. After it, parts cost what we paid for them; service and labor are free.",
        ),
    }[language]
    return Quotation(
        head=HEADS[language], label="R-1A2B3", link=LINK, to=PARTIES[language],
        lines=(
            QuotedLine(part_number="PSU-12V-5A", part_name=psu, quantity=2, net=cny(128000), tax=cny(16640), gross=cny(144640)),
            QuotedLine(part_number="FAN-80-B", part_name=fan, quantity=1, net=cny(8550), tax=cny(1112), gross=cny(9662)),
        ),
        net=cny(136550), tax=cny(17752), gross=cny(154302), tax_rate="13 %", why=why,
        valid_until=datetime(2026, 11, 23, 7, 30, tzinfo=UTC), made_at=AT, zone=ZONE, device="CAM-YC-0001", model="CAM-4K",
        contract="HT-2023-0117",
    )  # fmt: skip


def timeline(language: Language) -> Timeline:
    oem, service = {"zh-CN": ("原厂", "原厂服务"), "en": ("OEM", "OEM service")}[language]
    psu, fan, board = NAMES[language]
    base = (Bar(first=date(2023, 11, 2), last=date(2025, 11, 1), payer=oem),
            Bar(first=date(2025, 11, 2), last=date(2026, 11, 1), payer=service))  # fmt: skip
    restart = Bar(first=date(2025, 5, 11), last=date(2028, 5, 10), kind="restart")
    return Timeline(
        device=TimelineRow(name="CAM-YC-0001", bars=base),
        positions=(
            TimelineRow(name=psu, part="PSU-12V-5A", key=True, bars=(*base, restart)),
            TimelineRow(name=fan, part="FAN-80-B", bars=base),
            TimelineRow(name=board, part="BRD-CM4", key=True, bars=base),
        ),
        today=date(2026, 11, 22),
        failed_on=date(2026, 11, 21),
    )


def verdict(language: Language) -> VerdictPaper:
    said = {
        "zh-CN": ("在保", "至 2028-05-10（含当日）", "我公司承担，客户免费", "机场北", "电源位 psu",
                  "2026-11-21 22:10，电源无输出，系统停机",
                  "原因尚未认定：暂按质保处理，30 天后视为我方缺陷。"),
        "en": ("Covered", "until and including 2028-05-10", "borne by us, free for the customer", "Airport North",
               "power supply (psu)", "2026-11-21 22:10, no output, the system stopped",
               "The cause is not settled yet: covered for now, after 30 days it counts as a defect of ours."),
    }[language]  # fmt: skip
    reasons = {
        "zh-CN": (
            ("W1", "2023-11-01 竣工验收：自验收次日起免费质保 36 个月。"),
            ("W2", "自 2023-11-01 起计 36 个月：2023-11-02 至 2026-11-01（含当日，民法典第201、202条）。"),
            ("W4", "psu 部件于 2025-05-10 更换并确认正常运行，质保期重新计算 36 个月：2025-05-11 至 2028-05-10。"),
            ("W3", "故障时间 2026-11-21T14:10:00Z，按现场时区 Asia/Shanghai 为 2026-11-21。"),
            ("W9", "2026-11-21 不在原厂服务期内，费用由我公司承担。"),
        ),
        "en": (
            ("W1", "Accepted on 2023-11-01: free warranty for 36 months from the day after."),
            ("W2", "36 months from 2023-11-01: 2023-11-02 to 2026-11-01, inclusive (Civil Code, art. 201, 202)."),
            (
                "W4",
                "psu was replaced and confirmed to run on 2025-05-10: its 36 months run anew, 2025-05-11 to 2028-05-10.",
            ),
            ("W3", "The failure at 2026-11-21T14:10:00Z fell on 2026-11-21 at the site (Asia/Shanghai)."),
            ("W9", "2026-11-21 lies outside the OEM's service: we bear the cost."),
        ),
    }[language]
    party = PARTIES[language]
    return VerdictPaper(
        head=HEADS[language], verdict=VERDICT, link=f"https://sparelane.example/verdicts/{VERDICT}", standing="ok",
        word=said[0], until=said[1], payer=said[2], device="CAM-YC-0001", model="CAM-4K", site=said[3],
        customer=party.customer, contract="HT-2023-0117", failure=said[5], position=said[4],
        reasons=tuple(ReasonLine(rule=rule, words=words) for rule, words in reasons), timeline=timeline(language),
        given_at=AT, made_at=AT, zone=ZONE, rule_version="1", calendar_version="CN-2026.1", notes=(said[6],),
        fingerprint="9f2b0c4e5d1a7788aa90e0c1b2d3f4a59f2b0c4e5d1a7788aa90e0c1b2d3f4a5",
    )  # fmt: skip
