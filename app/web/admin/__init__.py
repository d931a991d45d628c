"""The administrator's pages: people, keys, the network, contracts, calendars, the catalog, imports and the audit trail."""

from app.web.admin import (
    acceptance,
    areas,
    audit,
    calendars,
    catalog,
    contracts,
    couriers,
    fresh,
    home,
    imports,
    keys,
    lanes,
    parts,
    people,
    places,
    sites,
)

HANDLERS = [
    *home.HANDLERS,
    *fresh.HANDLERS,
    *people.HANDLERS,
    *keys.HANDLERS,
    *places.HANDLERS,
    *areas.HANDLERS,
    *sites.HANDLERS,
    *couriers.HANDLERS,
    *lanes.HANDLERS,
    *calendars.HANDLERS,
    *contracts.HANDLERS,
    *acceptance.HANDLERS,
    *catalog.HANDLERS,
    *parts.HANDLERS,
    *imports.HANDLERS,
    *audit.HANDLERS,
]
