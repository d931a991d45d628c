"""Billing's invariants recomputed (IM1-IM8): every difference is named. Reads only; fixes nothing."""

from typing import Any

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.billing.models import Charge
from app.billing.rules.pricing import Cost, NoRate, PriceTerms, price_by

TWICE = text("""
    SELECT format('IM1 reservation %s is in %s live charges', reservation, count(*))
    FROM (SELECT unnest(c.reservations) AS reservation FROM charge c
          WHERE c.reverses IS NULL AND c.gross_minor > 0 AND c.gross_minor > coalesce(
              (SELECT -sum(r.gross_minor) FROM charge r WHERE r.reverses = c.id), 0)) live
    GROUP BY reservation HAVING count(*) > 1 ORDER BY 1
""")
ISSUED_UNBILLED = text("""
    SELECT format('IM2 reservation %s was issued and never billed', r.id) FROM reservation r
    WHERE r.state = 'issued'
      AND NOT EXISTS (SELECT FROM charge c WHERE r.id = ANY(c.reservations) AND c.reverses IS NULL)
      AND NOT EXISTS (SELECT FROM borne_cost b WHERE r.id = ANY(b.reservations) AND b.reverses IS NULL)
    ORDER BY 1
""")
BILLED_UNISSUED = text("""
    SELECT format('IM2 charge %s bills reservation %s, which was not issued', c.id, wanted) FROM charge c
    CROSS JOIN LATERAL unnest(c.reservations) AS wanted
    WHERE NOT EXISTS (SELECT FROM reservation r WHERE r.id = wanted AND r.state = 'issued') ORDER BY 1
""")
COVERED_CHARGED = text("""
    SELECT format('IM2 charge %s bills what is covered', id) FROM charge
    WHERE (terms ->> 'covered')::boolean AND gross_minor <> 0 ORDER BY 1
""")
# Double entry across the wings: the value that left the shelf is found again, in charges' costs or in borne costs.
VALUE_KEPT = text("""
    SELECT format('IM3 line %s: %s %s left stock, billing accounts for %s', line, out.minor, currency, billed.minor)
    FROM (SELECT r.reference AS line, r.currency, sum(r.value_minor - r.returned_minor - r.lost_minor) AS minor
          FROM reservation r WHERE r.state = 'issued' GROUP BY 1, 2) out
    JOIN (SELECT line, currency, sum(minor) AS minor
          FROM (SELECT line, currency, cost_minor AS minor FROM charge
                UNION ALL SELECT b.line, b.currency, b.amount_minor FROM borne_cost b
                WHERE b.kind = 'part' AND NOT EXISTS (SELECT FROM charge c WHERE c.source = b.source)) rows
          GROUP BY 1, 2) billed USING (line, currency)
    WHERE out.minor <> billed.minor
      AND NOT EXISTS (SELECT FROM reservation r WHERE r.reference = line AND r.currency <> currency) ORDER BY 1
""")
ADDS_UP = text("""
    SELECT format('IM4 charge %s: %s + %s is not %s', id, net_minor, tax_minor, gross_minor) FROM charge
    WHERE net_minor + tax_minor <> gross_minor ORDER BY 1
""")
ONE_CURRENCY = text("""
    SELECT format('IM4 credit %s in %s of a charge in %s', r.id, r.currency, c.currency)
    FROM charge r JOIN charge c ON c.id = r.reverses WHERE r.currency <> c.currency ORDER BY 1
""")
OVER_CREDITED = text("""
    SELECT format('IM5 charge %s of %s has credits of %s', c.id, c.gross_minor, -sum(r.gross_minor))
    FROM charge c JOIN charge r ON r.reverses = c.id GROUP BY c.id
    HAVING -sum(r.gross_minor) > c.gross_minor OR -sum(r.net_minor) > c.net_minor OR -sum(r.tax_minor) > c.tax_minor
    ORDER BY 1
""")
CREDIT_CHAIN = text("""
    SELECT format('IM5 credit %s is number %s with %s credited, expected %s with %s', id, credit_number, credited_minor,
                  number, running)
    FROM (SELECT *, row_number() OVER one AS number, -sum(gross_minor) OVER one AS running FROM charge
          WHERE reverses IS NOT NULL WINDOW one AS (PARTITION BY reverses ORDER BY credit_number)) credits
    WHERE credit_number <> number OR credited_minor <> running ORDER BY 1
""")
OVER_REVERSED = text("""
    SELECT format('IM5 borne cost %s of %s has %s taken back', b.id, b.amount_minor, -sum(r.amount_minor))
    FROM borne_cost b JOIN borne_cost r ON r.reverses = b.id GROUP BY b.id
    HAVING -sum(r.amount_minor) > b.amount_minor ORDER BY 1
""")
RETURNED_NETS_ZERO = text("""
    SELECT format('IM8 line %s came back or was lost whole and still has %s %s on it', line, sum(minor), currency)
    FROM (SELECT line, currency, gross_minor AS minor, reservations FROM charge
          UNION ALL SELECT line, currency, amount_minor, reservations FROM borne_cost WHERE kind = 'part') rows
    WHERE NOT EXISTS (SELECT FROM reservation r WHERE r.reference = line AND r.state = 'issued'
                      AND r.returned + r.lost < r.quantity)
    GROUP BY line, currency HAVING sum(minor) <> 0 ORDER BY 1
""")
BOOKED_AFTER_CLOSING = text("""
    SELECT format('IM7 entry %s was booked into %s after it was closed', id, to_char(period, 'YYYY-MM'))
    FROM (SELECT id, period, recorded_at FROM charge UNION ALL SELECT id, period, recorded_at FROM borne_cost) entry
    JOIN billing_period b USING (period) WHERE recorded_at > b.closed_at ORDER BY 1
""")
CHECKS: tuple[TextClause, ...] = (
    TWICE,
    ISSUED_UNBILLED,
    BILLED_UNISSUED,
    COVERED_CHARGED,
    VALUE_KEPT,
    ADDS_UP,
    ONE_CURRENCY,
    OVER_CREDITED,
    CREDIT_CHAIN,
    OVER_REVERSED,
    RETURNED_NETS_ZERO,
    BOOKED_AFTER_CLOSING,
)
MADE = text("SELECT * FROM charge WHERE reverses IS NULL ORDER BY id").columns(*Charge.__table__.columns)


async def faults(db: AsyncConnection) -> list[str]:
    """Every broken invariant of billing as one sentence that names its rows; empty when all is well.

    For one consistent picture run it in a transaction of REPEATABLE READ.
    """
    found: list[str] = []
    for check in CHECKS:
        found += [row[0] for row in await db.execute(check)]
    for row in await db.execute(MADE):
        found += _not_replayed(row)
    return found


def _not_replayed(row: Any) -> list[str]:
    """IM6: the price recomputed from the stored terms and pieces is the charge."""
    terms = msgspec.convert(row.terms, PriceTerms)
    price = price_by(terms, msgspec.convert(row.pieces, list[Cost]))
    if isinstance(price, NoRate):
        return [f"IM6 charge {row.id}: no rate from {price.cost_currency} to {price.currency} in its snapshot"]
    if (price.net.minor, price.tax.minor, price.gross.currency) != (row.net_minor, row.tax_minor, row.currency):
        return [f"IM6 charge {row.id}: {row.net_minor} + {row.tax_minor}, its snapshot gives {price.net} + {price.tax}"]
    return []
