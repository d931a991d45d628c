"""Finance's pages: look up a job and its money, charges and credits, costs and claims, exposure, revisions."""

from app.web.finance import charge, charges, claims, costs, exposure, lookup, quotes, revisions

HANDLERS = [
    *lookup.HANDLERS,
    *charges.HANDLERS,
    *charge.HANDLERS,
    *costs.HANDLERS,
    *claims.HANDLERS,
    *exposure.HANDLERS,
    *quotes.HANDLERS,
    *revisions.HANDLERS,
]
