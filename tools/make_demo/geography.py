"""Where things are: service areas, places that hold stock, customers and their sites. True city coordinates."""

from tools.make_demo.basics import Row

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFFICE = {day: [["08:30", "18:00"]] for day in WEEK[:5]}
SIX_DAYS = {day: [["08:30", "18:30"]] for day in WEEK[:6]}
WESTERN = {day: [["10:00", "19:30"]] for day in WEEK[:6]}

# Own stock that serves an area inside two hours comes first; partners' reported stock follows.
AREAS: list[tuple[str, str, list[str]]] = [
    ("YINCHUAN", "银川 Yinchuan", ["YC-WH", "YC-VAN-1", "YC-VAN-2", "YC-PT"]),
    ("SHIZUISHAN", "石嘴山 Shizuishan", ["YC-WH", "YC-VAN-2"]),
    ("WUZHONG", "吴忠 Wuzhong", ["YC-WH", "YC-VAN-1"]),
    ("XIAN", "西安 Xi'an", ["XA-BR", "XA-VAN-1", "XA-PT"]),
    ("LANZHOU", "兰州 Lanzhou", ["LZ-BR", "LZ-PT"]),
    ("SHANGHAI", "上海 Shanghai", ["SH-HQ"]),
    ("BEIJING", "北京 Beijing", ["BJ-BR", "BJ-PT"]),
    ("CHENGDU", "成都 Chengdu", ["CD-BR"]),
    ("WUHAN", "武汉 Wuhan", ["WH-BR"]),
    ("GUANGZHOU", "广州 Guangzhou", ["GZ-BR"]),
    ("SHENYANG", "沈阳 Shenyang", ["SY-BR"]),
    ("URUMQI", "乌鲁木齐 Urumqi", ["UR-BR"]),
    ("ZHENGZHOU", "郑州 Zhengzhou", ["ZZ-BR"]),
    ("HOHHOT", "呼和浩特 Hohhot", ["HH-BR"]),
    ("XINING", "西宁 Xining", ["XN-BR"]),
]

# code, name, kind, latitude, longitude, area, preparation minutes, opening hours
PLACES: list[tuple[str, str, str, float, float, str | None, int, object]] = [
    ("SH-HQ", "上海总部中心库", "own", 31.2035, 121.5910, "SHANGHAI", 20, "24x7"),
    ("YC-WH", "银川备件库", "own", 38.4730, 106.2420, "YINCHUAN", 8, "24x7"),
    ("XA-BR", "西安分公司备件库", "branch", 34.2233, 108.8850, "XIAN", 10, "24x7"),
    ("LZ-BR", "兰州分公司", "branch", 36.0611, 103.8343, "LANZHOU", 15, SIX_DAYS),
    ("BJ-BR", "北京分公司", "branch", 39.9840, 116.3160, "BEIJING", 20, SIX_DAYS),
    ("CD-BR", "成都分公司", "branch", 30.6570, 104.0660, "CHENGDU", 20, SIX_DAYS),
    ("WH-BR", "武汉分公司", "branch", 30.5928, 114.3055, "WUHAN", 20, SIX_DAYS),
    ("GZ-BR", "广州分公司", "branch", 23.1291, 113.2644, "GUANGZHOU", 20, SIX_DAYS),
    ("SY-BR", "沈阳分公司", "branch", 41.8057, 123.4315, "SHENYANG", 25, OFFICE),
    ("UR-BR", "乌鲁木齐分公司", "branch", 43.8256, 87.6168, "URUMQI", 25, WESTERN),
    ("ZZ-BR", "郑州分公司", "branch", 34.7466, 113.6253, "ZHENGZHOU", 20, SIX_DAYS),
    ("HH-BR", "呼和浩特分公司", "branch", 40.8424, 111.7492, "HOHHOT", 25, OFFICE),
    ("XN-BR", "西宁分公司", "branch", 36.6171, 101.7785, "XINING", 25, OFFICE),
    ("YC-PT", "银川合作备件点", "partner", 38.5010, 106.2950, "YINCHUAN", 30, SIX_DAYS),
    ("XA-PT", "西安合作备件点", "partner", 34.2930, 108.9460, "XIAN", 30, SIX_DAYS),
    ("LZ-PT", "兰州合作备件点", "partner", 36.1030, 103.7190, "LANZHOU", 30, SIX_DAYS),
    ("BJ-PT", "北京合作备件点", "partner", 39.8050, 116.5060, "BEIJING", 30, SIX_DAYS),
    ("HZ-SUP", "杭州摄像机供应商", "supplier", 30.2741, 120.1551, None, 60, OFFICE),
    ("SZ-SUP", "深圳网络设备供应商", "supplier", 22.5431, 114.0579, None, 60, OFFICE),
    ("DG-SUP", "东莞电源供应商", "supplier", 23.0207, 113.7518, None, 60, OFFICE),
    ("SU-SUP", "苏州存储供应商", "supplier", 31.2990, 120.5853, None, 60, OFFICE),
    ("YC-VAN-1", "银川工程车1", "van", 38.4590, 106.2750, "YINCHUAN", 2, "24x7"),
    ("YC-VAN-2", "银川工程车2", "van", 38.5360, 106.2730, "YINCHUAN", 2, "24x7"),
    ("XA-VAN-1", "西安工程车1", "van", 34.2650, 108.9170, "XIAN", 2, "24x7"),
]

# code, name, named engineer, home service area
CUSTOMERS: list[tuple[str, str, str]] = [
    ("YC-AIRPORT", "银川机场", "YC-E1"),
    ("YC-HOSPITAL", "凤城医院", "YC-E2"),
    ("YC-UNIV", "塞上大学", "YC-E3"),
    ("YC-MALL", "悦湖商场", "YC-E1"),
    ("YC-GOV", "银川政务中心", "YC-E2"),
    ("YC-DATA", "银川数据园", "YC-E3"),
    ("YC-SCHOOL", "塞上中学", "YC-E1"),
    ("YC-BUS", "银川公交场站", "YC-E2"),
    ("NX-POWER", "宁夏变电站群", "YC-E3"),
    ("NX-CHEM", "宁东化工园", "YC-E3"),
    ("SZS-STEEL", "石嘴山钢厂", "YC-E1"),
    ("WZ-HOSPITAL", "吴忠城南医院", "YC-E2"),
    ("XA-HOSPITAL", "雁南医院", "XA-E1"),
    ("XA-UNIV", "渭水大学", "XA-E2"),
    ("XA-MALL", "曲池商场", "XA-E1"),
    ("XA-LOGISTICS", "西安物流港", "XA-E2"),
    ("XA-METRO", "西安地铁站群", "XA-E1"),
    ("LZ-RAIL", "兰州铁路货场", "XA-E2"),
    ("SH-PORT", "上海港区码头", "XA-E2"),
    ("UR-AIRPORT", "乌鲁木齐机场", "XA-E1"),
]

# customer, area, zone, then (what, latitude, longitude, how many devices weigh on it, address)
SITES: list[tuple[str, str, str, list[tuple[str, float, float, int, str]]]] = [
    (
        "YC-AIRPORT",
        "YINCHUAN",
        "Asia/Shanghai",
        [
            ("航站楼一", 38.3228, 106.3931, 6, "河东机场一号航站楼"),
            ("航站楼二", 38.3252, 106.3898, 6, "河东机场二号航站楼"),
            ("航站楼三", 38.3281, 106.3872, 8, "河东机场三号航站楼"),
            ("货运站", 38.3176, 106.4007, 3, "河东机场货运区"),
            ("塔台", 38.3204, 106.3961, 2, "河东机场塔台"),
        ],
    ),
    (
        "YC-HOSPITAL",
        "YINCHUAN",
        "Asia/Shanghai",
        [
            ("门诊楼", 38.4677, 106.2790, 5, "兴庆区鼓楼片区"),
            ("住院楼", 38.4655, 106.2834, 5, "兴庆区鼓楼片区"),
            ("西夏院区", 38.4913, 106.1504, 3, "西夏区"),
        ],
    ),
    (
        "YC-UNIV",
        "YINCHUAN",
        "Asia/Shanghai",
        [
            ("贺兰山校区", 38.5010, 106.1380, 5, "西夏区贺兰山西路"),
            ("金凤校区", 38.4852, 106.2195, 4, "金凤区"),
            ("图书馆", 38.5036, 106.1417, 2, "西夏区贺兰山西路"),
        ],
    ),
    (
        "YC-MALL",
        "YINCHUAN",
        "Asia/Shanghai",
        [
            ("阅海店", 38.5067, 106.2050, 3, "金凤区阅海片区"),
            ("东街店", 38.4692, 106.2871, 3, "兴庆区解放东街片区"),
            ("德胜店", 38.5360, 106.2730, 2, "贺兰县德胜片区"),
        ],
    ),
    (
        "YC-GOV",
        "YINCHUAN",
        "Asia/Shanghai",
        [
            ("市民大厅", 38.4958, 106.2291, 4, "金凤区"),
            ("贺兰大厅", 38.5544, 106.3497, 2, "贺兰县城关"),
            ("永宁大厅", 38.2774, 106.2534, 2, "永宁县杨和"),
        ],
    ),
    (
        "YC-DATA",
        "YINCHUAN",
        "Asia/Shanghai",
        [
            ("一号机楼", 38.5118, 106.1162, 4, "西夏区云基地片区"),
            ("二号机楼", 38.5146, 106.1121, 4, "西夏区云基地片区"),
        ],
    ),
    (
        "YC-SCHOOL",
        "YINCHUAN",
        "Asia/Shanghai",
        [
            ("本部", 38.4585, 106.2702, 2, "兴庆区"),
            ("望远分校", 38.3915, 106.2700, 2, "永宁县望远"),
            ("掌政分校", 38.4470, 106.3810, 2, "兴庆区掌政"),
        ],
    ),
    (
        "YC-BUS",
        "YINCHUAN",
        "Asia/Shanghai",
        [
            ("火车站场", 38.4902, 106.1640, 2, "金凤区火车站片区"),
            ("南门场", 38.4602, 106.2812, 2, "兴庆区南门片区"),
        ],
    ),
    (
        "NX-POWER",
        "YINCHUAN",
        "Asia/Shanghai",
        [
            ("镇北变电站", 38.6160, 106.0860, 2, "西夏区镇北堡"),
            ("丰登变电站", 38.5480, 106.1950, 2, "金凤区丰登"),
        ],
    ),
    ("NX-POWER", "SHIZUISHAN", "Asia/Shanghai", [("平罗变电站", 38.9060, 106.5450, 2, "平罗县")]),
    (
        "SZS-STEEL",
        "SHIZUISHAN",
        "Asia/Shanghai",
        [
            ("炼钢车间", 38.9842, 106.3676, 2, "大武口区"),
            ("轧钢车间", 38.9921, 106.3790, 2, "大武口区"),
            ("惠农料场", 39.1930, 106.7750, 1, "惠农区"),
        ],
    ),
    ("NX-CHEM", "WUZHONG", "Asia/Shanghai", [("中控楼", 38.1900, 106.6300, 3, "宁东基地")]),
    (
        "WZ-HOSPITAL",
        "WUZHONG",
        "Asia/Shanghai",
        [
            ("门诊楼", 37.9976, 106.1993, 2, "利通区"),
            ("青铜峡分院", 38.0210, 106.0790, 1, "青铜峡市"),
        ],
    ),
    (
        "XA-HOSPITAL",
        "XIAN",
        "Asia/Shanghai",
        [
            ("门诊楼", 34.2116, 108.9475, 3, "雁塔区"),
            ("住院楼", 34.2098, 108.9502, 3, "雁塔区"),
            ("高新院区", 34.2050, 108.8630, 2, "高新区"),
            ("浐灞院区", 34.3300, 109.0300, 2, "浐灞生态区"),
        ],
    ),
    (
        "XA-UNIV",
        "XIAN",
        "Asia/Shanghai",
        [
            ("长安校区", 34.1550, 108.8990, 4, "长安区郭杜"),
            ("友谊校区", 34.2420, 108.9170, 3, "碑林区友谊西路"),
            ("实验楼", 34.1524, 108.9031, 2, "长安区郭杜"),
            ("草滩校区", 34.3850, 108.9180, 2, "未央区草滩"),
        ],
    ),
    (
        "XA-MALL",
        "XIAN",
        "Asia/Shanghai",
        [
            ("曲江店", 34.1960, 108.9820, 3, "曲江新区"),
            ("钟楼店", 34.2610, 108.9423, 3, "碑林区钟楼片区"),
            ("未央店", 34.3460, 108.9480, 2, "未央区"),
        ],
    ),
    (
        "XA-LOGISTICS",
        "XIAN",
        "Asia/Shanghai",
        [
            ("一号库", 34.3830, 109.0430, 3, "国际港务区"),
            ("二号库", 34.3794, 109.0381, 2, "国际港务区"),
            ("分拨中心", 34.2780, 108.8010, 2, "沣东新城"),
        ],
    ),
    ("XA-LOGISTICS", "BEIJING", "Asia/Shanghai", [("亦庄分拨点", 39.8000, 116.5200, 1, "亦庄")]),
    (
        "XA-METRO",
        "XIAN",
        "Asia/Shanghai",
        [
            ("北客站", 34.3767, 108.9390, 3, "未央区北站"),
            ("小寨站", 34.2247, 108.9463, 3, "雁塔区小寨"),
        ],
    ),
    (
        "LZ-RAIL",
        "LANZHOU",
        "Asia/Shanghai",
        [
            ("东货场", 36.0480, 103.8790, 2, "城关区"),
            ("西固货场", 36.0880, 103.6280, 2, "西固区"),
            ("安宁调度楼", 36.1080, 103.7150, 1, "安宁区"),
            ("中川货场", 36.5152, 103.6204, 1, "中川"),
        ],
    ),
    ("LZ-RAIL", "XINING", "Asia/Shanghai", [("西宁货场", 36.5800, 101.8300, 1, "城东区")]),
    (
        "SH-PORT",
        "SHANGHAI",
        "Asia/Shanghai",
        [
            ("外高桥港区", 31.3450, 121.6060, 2, "浦东外高桥"),
            ("吴淞港区", 31.3880, 121.4960, 1, "宝山吴淞"),
            ("洋山港区", 30.6170, 122.0640, 2, "洋山"),
        ],
    ),
    # One side of the airport keeps the local zone, the other Beijing time: the same moment, two dates (W3).
    ("UR-AIRPORT", "URUMQI", "Asia/Urumqi", [("地窝堡航站楼", 43.9071, 87.4742, 2, "新市区地窝堡")]),
    ("UR-AIRPORT", "URUMQI", "Asia/Shanghai", [("地窝堡货运站", 43.9012, 87.4855, 1, "新市区地窝堡")]),
]


def areas() -> list[Row]:
    """areas.csv"""
    return [{"code": code, "name": name, "sources": sources} for code, name, sources in AREAS]


def places() -> list[Row]:
    """places.csv; partners and suppliers report their stock, the rest is ours."""
    fields = ("code", "name", "kind", "latitude", "longitude", "area", "preparation_minutes", "opening_hours")
    rows: list[Row] = [dict(zip(fields, place, strict=True)) for place in PLACES]
    for row in rows:
        row["timezone"] = "Asia/Shanghai"
        row["stock"] = "reported" if row["kind"] in ("partner", "supplier") else "ours"
    return rows


def customers() -> list[Row]:
    """customers.csv; the contact is a role at a reserved example domain, never a person."""
    return [
        {"code": code, "name": name, "engineer": engineer, "contact": f"设备值班室 <duty@{code.lower()}.example>"}
        for code, name, engineer in CUSTOMERS
    ]


def sites() -> list[Row]:
    """sites.csv plus a `weight` for the generator (how many devices a site gets, relative to the others)."""
    names = {code: name for code, name, _ in CUSTOMERS}
    count: dict[str, int] = {}
    rows: list[Row] = []
    for customer, area, zone, entries in SITES:
        for what, latitude, longitude, weight, address in entries:
            count[customer] = count.get(customer, 0) + 1
            rows.append(
                {
                    "code": f"{customer}-{count[customer]:02}",
                    "customer": customer,
                    "name": f"{names[customer]}{what}",
                    "latitude": latitude,
                    "longitude": longitude,
                    "timezone": zone,
                    "area": area,
                    "address": address,
                    "weight": weight,
                }
            )
    return rows
