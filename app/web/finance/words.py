"""The words of finance's pages for codes, and the scope that each of their lists is held to."""

from collections.abc import Mapping

from app.accounts.rules import ADMIN, FINANCE, Role
from app.web.views import Standing

MONEY_ROLES: tuple[Role, ...] = (ADMIN, FINANCE)
PAYER: Mapping[str, str] = {"oem": "OEM warranty", "oem_service": "OEM service we bought", "vendor": "ourselves"}
COST: Mapping[str, str] = {
    "part": "part",
    "transport": "transport",
    "insurance": "insurance",
    "installation": "installation",
    "testing": "testing",
    "labor": "labor",
}
CHARGE: Mapping[str, str] = {
    "charge": "charge",
    "partly": "charge, partly credited",
    "credited": "charge, credited",
    "credit": "credit",
}
CLAIM: Mapping[str, str] = {
    "open": "to file",
    "filed": "filed",
    "accepted": "accepted, to settle",
    "rejected": "rejected",
    "expired": "claim expired",
    "settled": "settled",
}
CLAIM_STANDING: Mapping[str, Standing] = {"open": "risk", "rejected": "late", "expired": "late", "settled": "ok"}
COVERED: Mapping[str, str] = {"covered": "Covered", "cost": "At cost"}
TABLES = (PAYER, COST, CHARGE, CLAIM, COVERED)

CUSTOMERS = "(CAST(:scope_customers AS text[]) IS NULL OR {column} = ANY(CAST(:scope_customers AS text[])))"
AREAS = "(CAST(:scope_areas AS text[]) IS NULL OR {column} = ANY(CAST(:scope_areas AS text[])))"


def scoped(customer: str, area: str) -> str:
    """The condition of a list: inside the asker's customers and areas, by these columns."""
    return f"{CUSTOMERS.format(column=customer)} AND {AREAS.format(column=area)}"
