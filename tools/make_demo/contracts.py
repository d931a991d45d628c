"""Contracts: the acceptance dates that the warranty rules turn on, and the terms that differ from the defaults."""

from datetime import date

from tools.make_demo.basics import Row

FASTER = {"severe": {"answer_minutes": 5, "depart_minutes": 45, "on_site_minutes": 90, "done_minutes": 180}}
# Visits by appointment: general requests have no clock for departure and arrival.
BY_APPOINTMENT = {
    "general": {"answer_minutes": 240, "depart_minutes": None, "on_site_minutes": None, "done_minutes": 960}
}

# number, customer, accepted_on, terms that differ from the defaults (None: all defaults)
CONTRACTS: list[tuple[str, str, str | None, dict[str, object] | None]] = [
    ("HT-2015-001", "YC-AIRPORT", "2015-07-31", None),
    ("HT-2015-002", "YC-SCHOOL", "2015-07-28", {"holiday_rollover": True}),
    ("HT-2017-003", "YC-HOSPITAL", "2017-11-16", None),
    ("HT-2018-004", "YC-UNIV", "2018-08-31", None),
    ("HT-2019-005", "XA-HOSPITAL", "2019-06-18", None),
    ("HT-2020-006", "XA-UNIV", "2020-09-25", {"restart_after_expiry": False}),
    ("HT-2021-007", "YC-MALL", "2021-02-28", None),
    ("HT-2021-008", "YC-GOV", "2021-08-31", {"months": 30}),
    ("HT-2022-009", "YC-HOSPITAL", "2022-02-28", {"months": 24}),
    ("HT-2022-010", "SZS-STEEL", "2022-08-31", {"months": 18, "oem_months": 12, "oem_service_months": 6}),
    ("HT-2023-011", "UR-AIRPORT", "2023-11-22", None),
    ("HT-2023-012", "XA-MALL", "2023-12-15", {"tax_rate": "0.13", "commit_after_warranty": False}),
    ("HT-2024-013", "YC-DATA", "2024-02-29", None),
    ("HT-2024-014", "YC-BUS", "2024-02-28", None),
    ("HT-2024-015", "YC-UNIV", "2024-06-28", {"restart_scope": "device"}),
    ("HT-2024-016", "XA-LOGISTICS", "2024-09-10", {"oem_months": 12, "oem_service_months": 24}),
    ("HT-2025-017", "XA-METRO", "2025-03-31", {"clocks": FASTER, "inspections": "both"}),
    ("HT-2025-018", "LZ-RAIL", "2025-05-20", {"clocks": BY_APPOINTMENT}),
    ("HT-2025-019", "NX-POWER", "2025-10-15", {"months": 60, "oem_months": 36, "oem_service_months": 0}),
    ("HT-2025-020", "SH-PORT", "2025-12-31", None),
    ("HT-2026-021", "NX-CHEM", "2026-03-01", {"return_days": 30, "doa_days": 90}),
    ("HT-2026-022", "YC-AIRPORT", "2026-06-30", {"inspections": "monthly"}),
    ("HT-2026-023", "WZ-HOSPITAL", "2026-08-20", {"inspections": "quarterly"}),
    ("HT-2026-024", "YC-HOSPITAL", None, None),
    ("HT-2026-025", "XA-UNIV", None, None),
    ("HT-2026-026", "YC-SCHOOL", None, {"holiday_rollover": True}),
]

# What an absent term means, as far as the warranty days need it.
DEFAULTS: dict[str, object] = {
    "months": 36,
    "oem_months": 24,
    "oem_service_months": 12,
    "restart_scope": "part",
    "restart_after_expiry": True,
    "holiday_rollover": False,
}


def contracts() -> list[Row]:
    """contracts.csv; an empty `terms` cell means the defaults, an empty `accepted_on` not accepted yet."""
    return [
        {"number": number, "customer": customer, "currency": "CNY", "accepted_on": accepted_on, "terms": terms}
        for number, customer, accepted_on, terms in CONTRACTS
    ]


def acceptance() -> dict[str, date | None]:
    """The acceptance date by contract number."""
    return {number: date.fromisoformat(day) if day else None for number, _, day, _ in CONTRACTS}


def terms_of(contract: str) -> dict[str, object]:
    """The contract's terms with the defaults filled in."""
    own = next(terms for number, _, _, terms in CONTRACTS if number == contract)
    return DEFAULTS | (own or {})
