"""Who may do and see what, as plain decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["admin", "dispatcher", "warehouse", "engineer", "finance", "integration"]
ADMIN: Role = "admin"
DISPATCHER: Role = "dispatcher"
WAREHOUSE: Role = "warehouse"
ENGINEER: Role = "engineer"
FINANCE: Role = "finance"
INTEGRATION: Role = "integration"
ROLES: tuple[Role, ...] = (ADMIN, DISPATCHER, WAREHOUSE, ENGINEER, FINANCE, INTEGRATION)

PersonRole = Literal["admin", "dispatcher", "warehouse", "engineer", "finance"]
PERSON_ROLES: tuple[PersonRole, ...] = ("admin", "dispatcher", "warehouse", "engineer", "finance")
"""Roles of people; `integration` is for systems, which have keys and no pages."""

SCOPES = ("customers", "areas", "places")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a role and a scope. None in a scope means all; a set limits to its members."""

    id: str
    name: str
    role: Role
    customers: frozenset[str] | None = None
    areas: frozenset[str] | None = None
    places: frozenset[str] | None = None
    request_id: str = ""

    @property
    def scope(self) -> dict[str, Any]:
        """The scope as bind parameters, for `(CAST(:scope_customers AS text[]) IS NULL OR customer = ANY(…))`."""
        return {
            "scope_customers": _listed(self.customers),
            "scope_areas": _listed(self.areas),
            "scope_places": _listed(self.places),
        }

    @property
    def is_system(self) -> bool:
        """Another system rather than a person: an integration's key, or a connection."""
        return self.role == INTEGRATION or self.id.startswith("connection:")

    @property
    def sees_cost(self) -> bool:
        """Lot cost and borne cost are finance's and the admin's (P: who sees what)."""
        return self.role in (FINANCE, ADMIN)

    @property
    def sees_price(self) -> bool:
        """The customer's price; the warehouse sees none (reliability, threat model)."""
        return self.role != WAREHOUSE

    def may_see_customer(self, customer: str | None) -> bool:
        return self.customers is None or customer in self.customers

    def may_see_area(self, area: str | None) -> bool:
        return self.areas is None or area in self.areas

    def may_see_place(self, place: str | None) -> bool:
        return self.places is None or place in self.places


def _listed(scope: frozenset[str] | None) -> list[str] | None:
    return None if scope is None else sorted(scope)


def duty_actor(name: str) -> Actor:
    """The actor behind a background duty: sees all, is named in the audit as what it is."""
    return Actor(id=f"duty:{name}", name=name, role=ADMIN, request_id=f"duty:{name}")


def wider_scopes(actor: Actor, given: Mapping[str, list[str] | None]) -> list[str]:
    """Which of the given scopes hold more than the actor's own: nobody gives away what he or she does not have."""
    return [kind for kind, codes in given.items() if _wider(getattr(actor, kind), codes)]


def _wider(mine: frozenset[str] | None, given: list[str] | None) -> bool:
    return mine is not None and (given is None or not set(given) <= mine)
