"""What is installed and what replaces it: parts with a typical cost, substitutions, models and their positions."""

from tools.make_demo.basics import Row

# number, name, tracking, fitting minutes, grams, hazardous, typical cost in yuan,
# Yinchuan's stock: rich | some | last (one piece) | none (deliberately absent)
PARTS: list[tuple[str, str, str, int, int, bool, str, str]] = [
    ("PSU-12V-2A", "12 V 2 A 电源 power supply", "none", 8, 150, False, "24.00", "none"),
    ("PSU-12V-3A", "12 V 3 A 电源 power supply", "none", 10, 210, False, "32.50", "none"),
    ("PSU-12V-5A", "12 V 5 A 电源 power supply", "none", 10, 290, False, "46.00", "rich"),
    ("PSU-12V-5A-B", "12 V 5 A 电源（另一厂牌） power supply", "none", 10, 300, False, "43.80", "some"),
    ("PSU-24V-3A", "24 V 3 A 球机电源 PTZ power supply", "none", 12, 420, False, "88.00", "some"),
    ("PSU-5V-2A", "5 V 2 A 收发器电源 transceiver power supply", "none", 5, 90, False, "15.20", "rich"),
    ("PSU-NVR-250", "250 W 录像机电源 NVR power supply", "serial", 20, 1400, False, "310.00", "last"),
    ("PSU-SW-370", "370 W 交换机电源 switch power supply", "serial", 15, 1800, False, "680.00", "some"),
    ("PSU-CORE-600", "600 W 核心交换机电源 core power supply", "serial", 10, 2600, False, "2350.00", "last"),
    ("POE-INJ-30W", "30 W PoE 供电器 injector", "none", 5, 230, False, "74.00", "some"),
    ("SNS-2MP", "200 万像素感光板 sensor board", "serial", 25, 60, False, "185.00", "rich"),
    ("SNS-4MP", "400 万像素感光板 sensor board", "serial", 25, 60, False, "265.00", "some"),
    ("SNS-8MP", "800 万像素感光板 sensor board", "serial", 25, 70, False, "540.00", "last"),
    ("SNS-PTZ-2MP", "球机感光板 PTZ sensor board", "serial", 35, 90, False, "420.00", "some"),
    ("SNS-THERM-640", "640 热成像机芯 thermal core", "serial", 45, 180, False, "9800.00", "none"),
    ("LENS-28", "2.8 mm 镜头 lens", "none", 15, 40, False, "38.00", "some"),
    ("LENS-VF-2812", "2.8-12 mm 变焦镜头 varifocal lens", "none", 20, 110, False, "96.00", "rich"),
    ("LENS-PTZ-25X", "25 倍变倍镜头 zoom lens", "serial", 40, 320, False, "860.00", "none"),
    ("MB-CAM-A", "摄像机主板 A camera mainboard", "serial", 30, 80, False, "230.00", "rich"),
    ("MB-CAM-B", "球机主板 B PTZ mainboard", "serial", 40, 120, False, "480.00", "last"),
    ("IR-LED-30", "30 m 红外灯板 IR board", "none", 15, 50, False, "42.00", "some"),
    ("IR-LED-80", "80 m 红外灯板 IR board", "none", 20, 90, False, "79.00", "some"),
    ("HTR-CAM", "防护罩加热器 heater", "none", 15, 120, False, "35.00", "some"),
    ("FAN-40", "40 mm 风扇 fan", "none", 10, 35, False, "11.50", "rich"),
    ("FAN-80", "80 mm 风扇 fan", "none", 12, 80, False, "19.00", "rich"),
    ("FAN-120", "120 mm 风扇 fan", "none", 12, 150, False, "26.00", "some"),
    ("COVER-DOME-4", "4 寸半球罩 dome cover", "none", 5, 130, False, "22.00", "some"),
    ("BRK-WALL", "壁装支架 wall bracket", "none", 20, 650, False, "29.00", "some"),
    ("MTR-PAN", "水平电机 pan motor", "serial", 45, 380, False, "265.00", "last"),
    ("MTR-TILT", "俯仰电机 tilt motor", "serial", 45, 340, False, "248.00", "none"),
    ("SLIP-RING-12", "12 路滑环 slip ring", "none", 50, 90, False, "130.00", "none"),
    ("HDD-4T", "4 TB 监控硬盘 disk", "serial", 15, 640, False, "520.00", "rich"),
    ("HDD-8T", "8 TB 监控硬盘 disk", "serial", 15, 690, False, "1080.00", "some"),
    ("HDD-16T", "16 TB 监控硬盘 disk", "serial", 15, 710, False, "2060.00", "last"),
    ("MB-NVR-16", "16 路录像机主板 NVR mainboard", "serial", 40, 560, False, "740.00", "some"),
    ("MB-NVR-64", "64 路录像机主板 NVR mainboard", "serial", 60, 980, False, "2680.00", "none"),
    ("RAID-CARD-8", "8 口阵列卡 RAID card", "serial", 30, 210, False, "1560.00", "none"),
    ("RAM-8G", "8 GB 内存 memory", "lot", 10, 25, False, "165.00", "some"),
    ("CBL-SATA", "SATA 线 cable", "none", 5, 30, False, "6.80", "rich"),
    ("BRD-SW-8", "8 口交换板 switch board", "serial", 25, 260, False, "290.00", "some"),
    ("BRD-SW-24", "24 口交换板 switch board", "serial", 35, 620, False, "1150.00", "last"),
    ("SUP-CORE-48", "核心主控板 supervisor", "serial", 45, 1900, False, "12600.00", "none"),
    ("SFP-1G-SM", "千兆单模光模块 1G SFP", "lot", 5, 20, False, "58.00", "rich"),
    ("SFP-10G-LR", "万兆光模块 10G SFP+", "lot", 5, 20, False, "240.00", "some"),
    ("FTX-BRD-20", "光纤收发器板 transceiver board", "serial", 15, 110, False, "98.00", "some"),
    ("AP-RADIO-AX", "无线射频板 radio board", "serial", 25, 140, False, "380.00", "some"),
    ("ANT-AP-5D", "5 dBi 天线 antenna", "none", 8, 60, False, "18.00", "rich"),
    ("BAT-12V-9AH", "12 V 9 Ah 蓄电池 battery", "lot", 15, 2600, True, "112.00", "rich"),
    ("BAT-12V-38AH", "12 V 38 Ah 蓄电池 battery", "lot", 25, 13500, True, "468.00", "some"),
    ("BAT-12V-100AH", "12 V 100 Ah 蓄电池 battery", "lot", 40, 31000, True, "1020.00", "none"),
    ("BAT-CR2032", "CR2032 纽扣电池 coin cell", "lot", 10, 3, True, "2.40", "some"),
    ("BRD-UPS-INV", "UPS 逆变板 inverter board", "serial", 60, 2100, False, "1480.00", "last"),
    ("BRD-UPS-CTL", "UPS 控制板 control board", "serial", 40, 480, False, "690.00", "some"),
    ("UPS-3K-SET", "3 kVA UPS 整机（含电池） complete set", "serial", 60, 29000, True, "3950.00", "some"),
    ("BRD-ACS-4D", "四门门禁板 access board", "serial", 30, 350, False, "620.00", "some"),
    ("READER-IC", "IC 读卡器 card reader", "none", 15, 140, False, "85.00", "some"),
    ("LOCK-MAG-280", "280 kg 磁力锁 magnetic lock", "none", 30, 2100, False, "128.00", "some"),
    ("PANEL-55", "55 寸液晶屏 LCD panel", "serial", 60, 21500, False, "4300.00", "none"),
    ("DEC-CARD-4", "4 路解码卡 decoder card", "serial", 25, 300, False, "1750.00", "last"),
    ("SPD-POE", "PoE 防雷器 surge protector", "none", 10, 120, False, "52.00", "some"),
    ("CBL-CAT6-3M", "六类跳线 3 m patch cord", "none", 3, 90, False, "9.50", "rich"),
    ("CBL-CAT6-305M", "六类网线 305 m 箱 cable box", "lot", 90, 11500, False, "640.00", "some"),
    ("CBL-FIB-LC-3M", "LC 光纤跳线 3 m fiber cord", "none", 5, 60, False, "16.00", "rich"),
    ("CBL-PWR-C13", "C13 电源线 power cord", "none", 3, 210, False, "12.00", "some"),
    ("DESIC-50G", "50 g 干燥剂 desiccant", "lot", 5, 55, False, "3.10", "some"),
]

# from_part, to_part (may stand in for from_part), kind, model, valid_from, valid_to
SUBSTITUTIONS: list[tuple[str, str, str, str | None, str | None, str | None]] = [
    ("PSU-12V-2A", "PSU-12V-3A", "supersedes", None, "2016-01-01", None),
    ("PSU-12V-3A", "PSU-12V-5A", "supersedes", None, "2019-07-01", None),
    ("PSU-12V-5A", "PSU-12V-5A-B", "equivalent", None, "2022-01-01", None),
    ("SNS-2MP", "SNS-4MP", "supersedes", "CAM-B200", "2024-03-01", None),
    ("HDD-4T", "HDD-8T", "supersedes", None, "2021-01-01", None),
    ("HDD-8T", "HDD-16T", "supersedes", None, "2025-01-01", None),
    ("IR-LED-30", "IR-LED-80", "supersedes", None, "2020-05-01", None),
    ("LENS-28", "LENS-VF-2812", "equivalent", "CAM-D400", "2018-01-01", "2027-12-31"),
    ("SFP-1G-SM", "SFP-10G-LR", "supersedes", "SW-CORE-48", "2023-01-01", None),
    ("BRD-SW-8", "BRD-SW-24", "supersedes", "SW-POE-8", "2025-06-01", None),
    ("CAM-B200", "CAM-B400", "supersedes", None, "2022-09-01", None),
    ("CAM-B400", "CAM-B800", "supersedes", None, "2025-09-01", None),
]

KEY, PLAIN = True, False

# code, name, typical cost of the whole unit, then (position, part, key)
MODELS: list[tuple[str, str, str, list[tuple[str, str, bool]]]] = [
    (
        "CAM-B200",
        "200 万枪机 bullet camera 2 MP",
        "520.00",
        [
            ("sensor", "SNS-2MP", KEY),
            ("mainboard", "MB-CAM-A", KEY),
            ("psu", "PSU-12V-5A", KEY),
            ("lens", "LENS-VF-2812", PLAIN),
            ("ir", "IR-LED-30", PLAIN),
            ("heater", "HTR-CAM", PLAIN),
            ("bracket", "BRK-WALL", PLAIN),
        ],
    ),
    (
        "CAM-B400",
        "400 万枪机 bullet camera 4 MP",
        "690.00",
        [
            ("sensor", "SNS-4MP", KEY),
            ("mainboard", "MB-CAM-A", KEY),
            ("psu", "PSU-12V-5A", KEY),
            ("lens", "LENS-VF-2812", PLAIN),
            ("ir", "IR-LED-80", PLAIN),
        ],
    ),
    (
        "CAM-B800",
        "800 万枪机 bullet camera 8 MP",
        "1180.00",
        [
            ("sensor", "SNS-8MP", KEY),
            ("mainboard", "MB-CAM-A", KEY),
            ("psu", "PSU-12V-5A", KEY),
            ("lens", "LENS-VF-2812", PLAIN),
            ("desiccant", "DESIC-50G", PLAIN),
        ],
    ),
    (
        "CAM-D400",
        "400 万半球 dome camera 4 MP",
        "480.00",
        [
            ("sensor", "SNS-4MP", KEY),
            ("mainboard", "MB-CAM-A", KEY),
            ("psu", "PSU-12V-3A", KEY),
            ("lens", "LENS-28", PLAIN),
            ("cover", "COVER-DOME-4", PLAIN),
        ],
    ),
    (
        "CAM-P225",
        "200 万 25 倍球机 PTZ camera",
        "2400.00",
        [
            ("sensor", "SNS-PTZ-2MP", KEY),
            ("zoom", "LENS-PTZ-25X", KEY),
            ("mainboard", "MB-CAM-B", KEY),
            ("psu", "PSU-24V-3A", KEY),
            ("pan_motor", "MTR-PAN", KEY),
            ("tilt_motor", "MTR-TILT", KEY),
            ("slip_ring", "SLIP-RING-12", PLAIN),
            ("fan", "FAN-40", PLAIN),
            ("surge", "SPD-POE", PLAIN),
        ],
    ),
    (
        "CAM-T640",
        "640 热成像枪机 thermal camera",
        "14800.00",
        [
            ("core", "SNS-THERM-640", KEY),
            ("mainboard", "MB-CAM-B", KEY),
            ("psu", "PSU-24V-3A", KEY),
            ("heater", "HTR-CAM", PLAIN),
        ],
    ),
    (
        "NVR-16",
        "16 路录像机 recorder",
        "2250.00",
        [
            ("mainboard", "MB-NVR-16", KEY),
            ("psu", "PSU-NVR-250", KEY),
            ("disk_1", "HDD-4T", KEY),
            ("disk_2", "HDD-4T", KEY),
            ("fan", "FAN-80", PLAIN),
            ("clock_cell", "BAT-CR2032", PLAIN),
            ("sata", "CBL-SATA", PLAIN),
        ],
    ),
    (
        "NVR-64",
        "64 路录像机 recorder",
        "9600.00",
        [
            ("mainboard", "MB-NVR-64", KEY),
            ("raid", "RAID-CARD-8", KEY),
            ("psu_1", "PSU-NVR-250", KEY),
            ("psu_2", "PSU-NVR-250", PLAIN),
            *((f"disk_{n}", "HDD-8T", KEY) for n in range(1, 9)),
            ("memory", "RAM-8G", KEY),
            ("fan_1", "FAN-120", PLAIN),
            ("fan_2", "FAN-120", PLAIN),
        ],
    ),
    # A small switch is a consumable: its unit is no key part (W4 does not apply when it is swapped whole).
    (
        "SW-POE-8",
        "8 口 PoE 交换机 switch",
        "430.00",
        [("unit", "SW-POE-8", PLAIN), ("board", "BRD-SW-8", KEY), ("cord", "CBL-PWR-C13", PLAIN)],
    ),
    (
        "SW-POE-24",
        "24 口 PoE 交换机 switch",
        "2600.00",
        [
            ("board", "BRD-SW-24", KEY),
            ("psu", "PSU-SW-370", KEY),
            ("fan_1", "FAN-40", PLAIN),
            ("fan_2", "FAN-40", PLAIN),
            ("uplink_1", "SFP-1G-SM", KEY),
            ("uplink_2", "SFP-1G-SM", PLAIN),
        ],
    ),
    (
        "SW-CORE-48",
        "核心交换机 core switch",
        "28500.00",
        [
            ("supervisor", "SUP-CORE-48", KEY),
            ("psu_1", "PSU-CORE-600", KEY),
            ("psu_2", "PSU-CORE-600", PLAIN),
            *((f"uplink_{n}", "SFP-10G-LR", KEY) for n in range(1, 5)),
            ("fan", "FAN-120", PLAIN),
        ],
    ),
    (
        "FTX-20",
        "20 km 光纤收发器 transceiver",
        "160.00",
        [("board", "FTX-BRD-20", KEY), ("psu", "PSU-5V-2A", KEY), ("cord", "CBL-FIB-LC-3M", PLAIN)],
    ),
    (
        "AP-AX",
        "无线接入点 access point",
        "760.00",
        [
            ("radio", "AP-RADIO-AX", KEY),
            ("injector", "POE-INJ-30W", KEY),
            ("antenna", "ANT-AP-5D", PLAIN),
            ("cord", "CBL-CAT6-3M", PLAIN),
        ],
    ),
    # Its unit is swapped as a set with fresh batteries, so the spare carries another number than the model.
    (
        "UPS-3K",
        "3 kVA UPS",
        "3600.00",
        [
            ("unit", "UPS-3K-SET", KEY),
            ("inverter", "BRD-UPS-INV", KEY),
            ("control", "BRD-UPS-CTL", KEY),
            *((f"battery_{n}", "BAT-12V-9AH", KEY) for n in range(1, 5)),
            ("fan", "FAN-80", PLAIN),
        ],
    ),
    (
        "UPS-10K",
        "10 kVA UPS",
        "11800.00",
        [
            ("inverter", "BRD-UPS-INV", KEY),
            ("control", "BRD-UPS-CTL", KEY),
            *((f"battery_{n}", "BAT-12V-38AH", KEY) for n in range(1, 9)),
            ("fan", "FAN-120", PLAIN),
        ],
    ),
    (
        "ACS-4D",
        "四门门禁控制器 access controller",
        "980.00",
        [
            ("board", "BRD-ACS-4D", KEY),
            ("psu", "PSU-12V-5A", KEY),
            ("reader_1", "READER-IC", PLAIN),
            ("reader_2", "READER-IC", PLAIN),
            ("lock_1", "LOCK-MAG-280", PLAIN),
            ("backup", "BAT-12V-9AH", PLAIN),
        ],
    ),
    (
        "VW-55",
        "55 寸拼接屏单元 video wall cell",
        "6900.00",
        [("panel", "PANEL-55", KEY), ("decoder", "DEC-CARD-4", KEY), ("fan", "FAN-80", PLAIN)],
    ),
]

# Whole devices as spares: minutes to swap, grams, hazardous. A model would bring its unit part by itself, but without
# these. UPS-3K is missing: its spare is the set.
UNITS: dict[str, tuple[int, int, bool]] = {
    "CAM-B200": (30, 1300, False),
    "CAM-B400": (30, 1350, False),
    "CAM-B800": (30, 1600, False),
    "CAM-D400": (25, 620, False),
    "CAM-P225": (60, 5200, False),
    "CAM-T640": (60, 4100, False),
    "NVR-16": (45, 4500, False),
    "NVR-64": (75, 14500, False),
    "SW-POE-8": (20, 1100, False),
    "SW-POE-24": (30, 4300, False),
    "SW-CORE-48": (90, 16500, False),
    "FTX-20": (10, 400, False),
    "AP-AX": (20, 850, False),
    "UPS-10K": (120, 86000, True),
    "ACS-4D": (40, 2400, False),
    "VW-55": (60, 27000, False),
}


def parts() -> list[Row]:
    """parts.csv: components, then whole devices under their model's code."""
    fields = ("number", "name", "tracking", "fitting_minutes", "weight_g", "hazardous")
    rows: list[Row] = [dict(zip(fields, part, strict=False)) for part in PARTS]
    names = {code: name for code, name, *_ in MODELS}
    for code, (minutes, grams, hazardous) in UNITS.items():
        rows.append(dict(zip(fields, (code, names[code], "serial", minutes, grams, hazardous), strict=True)))
    return rows


def substitutions() -> list[Row]:
    """substitutions.csv"""
    fields = ("from_part", "to_part", "kind", "model", "valid_from", "valid_to")
    return [dict(zip(fields, edge, strict=True)) for edge in SUBSTITUTIONS]


def models() -> list[Row]:
    """models.csv, the positions as a JSON list."""
    return [
        {
            "code": code,
            "name": name,
            "positions": [{"position": where, "part_number": part, "key": key} for where, part, key in positions],
        }
        for code, name, _, positions in MODELS
    ]


def positions_of(model: str) -> dict[str, tuple[str, bool]]:
    """Position -> (part number, key), `unit` included."""
    listed = next(positions for code, _, _, positions in MODELS if code == model)
    return {"unit": (model, True)} | {where: (part, key) for where, part, key in listed}


def costs() -> dict[str, str]:
    """Typical landed cost in yuan by part number, whole units included."""
    return {part[0]: part[6] for part in PARTS} | {code: cost for code, _, cost, _ in MODELS if code in UNITS}


def tracking() -> dict[str, str]:
    """none | lot | serial by part number, whole units included."""
    return {part[0]: part[2] for part in PARTS} | dict.fromkeys(UNITS, "serial")
