"""Where each role's work is: the entries of the navigation, the first of which is the role's home."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.accounts.rules import Role

WORDS: Mapping[str, str] = {
    "/engineer": "My requests",
    "/devices": "Devices",
    "/picking": "Picking",
    "/receiving": "Receiving",
    "/stock": "Stock",
    "/board": "Board",
    "/requests": "Requests",
    "/escalations": "Escalations",
    "/drafts": "Tickets",
    "/finance": "Look up",
    "/finance/charges": "Charges",
    "/finance/costs": "Costs",
    "/finance/exposure": "Exposure",
    "/reports": "Reports",
    "/admin": "Admin",
}
SHAPES: Mapping[str, str] = {
    "/engineer": "wrench",
    "/devices": "shield",
    "/picking": "hand",
    "/receiving": "inbox",
    "/stock": "shelf",
    "/board": "board",
    "/requests": "list",
    "/escalations": "bell",
    "/drafts": "inbox",
    "/finance": "shield",
    "/finance/charges": "coin",
    "/finance/costs": "scale",
    "/finance/exposure": "calendar",
    "/reports": "chart",
    "/admin": "gear",
}
WORK: Mapping[Role, tuple[str, ...]] = {
    "engineer": ("/engineer", "/requests", "/devices", "/drafts", "/board"),
    "warehouse": ("/picking", "/receiving", "/stock", "/board"),
    "dispatcher": ("/board", "/requests", "/escalations", "/drafts", "/devices", "/reports"),
    "finance": ("/finance", "/requests", "/finance/charges", "/finance/costs", "/finance/exposure", "/reports"),
    "admin": ("/admin", "/board", "/requests", "/picking", "/stock", "/finance", "/reports", "/devices"),
    "integration": (),
}
BESIDE: Mapping[str, str] = {
    "/finance/quotes": "/finance/charges",
    "/finance/periods": "/finance/charges",
    "/finance/revisions": "/finance/costs",
}
"""Pages that stand as tabs beside another entry's page rather than under its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the navigation."""

    address: str
    words: str
    shape: str
    here: bool


def navigation(role: Role, here: str, say: Callable[[str], str]) -> tuple[Entry, ...]:
    """A role's entries; the one that the present address lies under the longest way is marked."""
    mine, here = WORK[role], next((BESIDE[one] for one in BESIDE if here == one or here.startswith(one + "/")), here)
    under = [one for one in mine if here == one or here.startswith(one + "/")]
    marked = max(under, key=len, default=None)
    return tuple(Entry(address=one, words=say(WORDS[one]), shape=SHAPES[one], here=one == marked) for one in mine)


def home_of(role: Role) -> str | None:
    """Where a role's work begins; None for those who have no pages."""
    return WORK[role][0] if WORK[role] else None
