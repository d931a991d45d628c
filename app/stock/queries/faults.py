"""The ledger's invariants recomputed (IS1-IS6, IS12, IS13, IS15): every difference is named. Reads only; fixes nothing."""

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

# Each statement gives one sentence per difference and nothing when all is well.
VIRTUAL_BELOW_ZERO = text("""
    SELECT format('IS1 %s holds %s of %s', place, total, part)
    FROM (SELECT place, part, sum(quantity) AS total
          FROM (SELECT to_place AS place, part, quantity FROM stock_movement
                UNION ALL SELECT from_place, part, -quantity FROM stock_movement) side
          WHERE place IN ('@transit', '@quarantine', '@repair', '@scrap', '@lost')
          GROUP BY place, part) sums
    WHERE total < 0 ORDER BY 1
""")
BOUNDS = text("""
    SELECT format('IS2 %s/%s/%s: reserved %s of %s on hand', place, part, condition, reserved, on_hand)
    FROM stock_balance WHERE reserved < 0 OR reserved > on_hand ORDER BY 1
""")
ON_HAND_IS_HISTORY = text("""
    SELECT format('IS3 %s/%s/%s/%s: on hand %s, movements add up to %s', place, part, condition,
                  CASE WHEN genuine THEN 'genuine' ELSE 'other' END, coalesce(b.on_hand, 0), coalesce(m.total, 0))
    FROM stock_balance b
    FULL JOIN (SELECT place, part, condition, genuine, sum(delta) AS total FROM stock_movement
               WHERE place IS NOT NULL GROUP BY 1, 2, 3, 4) m USING (place, part, condition, genuine)
    WHERE coalesce(b.on_hand, 0) <> coalesce(m.total, 0) ORDER BY 1
""")
RESERVED_IS_HOLDS = text("""
    SELECT format('IS3 %s/%s/%s: reserved %s, holds add up to %s', place, part, condition, coalesce(b.reserved, 0),
                  coalesce(h.total, 0))
    FROM stock_balance b
    FULL JOIN (SELECT place, part, condition, genuine, sum(quantity) AS total FROM reservation
               WHERE state = 'held' GROUP BY 1, 2, 3, 4) h USING (place, part, condition, genuine)
    WHERE coalesce(b.reserved, 0) <> coalesce(h.total, 0) ORDER BY 1
""")
CHAIN = text("""
    SELECT format('IS4 %s/%s/%s: movement %s is number %s with %s after, expected %s with %s', place, part, condition, id,
                  ledger_number, balance_after, number, running)
    FROM (SELECT *, row_number() OVER key AS number, sum(delta) OVER key AS running
          FROM stock_movement WHERE place IS NOT NULL
          WINDOW key AS (PARTITION BY place, part, condition, genuine ORDER BY ledger_number)) chained
    WHERE ledger_number <> number OR balance_after <> running OR balance_after < 0 ORDER BY 1
""")
CHAIN_END = text("""
    SELECT format('IS4 %s/%s/%s: ledger number %s, movements end at %s', place, part, condition, b.ledger_number,
                  coalesce(m.last, 0))
    FROM stock_balance b
    LEFT JOIN (SELECT place, part, condition, genuine, max(ledger_number) AS last FROM stock_movement
               WHERE place IS NOT NULL GROUP BY 1, 2, 3, 4) m USING (place, part, condition, genuine)
    WHERE b.ledger_number <> coalesce(m.last, 0) ORDER BY 1
""")
ISSUED_ONCE = text("""
    SELECT format('IS5 reservation %s: %s, quantity %s, issued by the ledger %s', r.id, r.state, r.quantity,
                  coalesce(m.total, 0))
    FROM reservation r
    LEFT JOIN (SELECT reservation, sum(quantity) AS total FROM stock_movement WHERE why = 'issue' GROUP BY 1) m
         ON m.reservation = r.id
    WHERE coalesce(m.total, 0) <> CASE WHEN r.state = 'issued' THEN r.quantity ELSE 0 END ORDER BY 1
""")
BACK_AS_BOOKED = text("""
    SELECT format('IS5 reservation %s: returned %s and lost %s, the ledger says %s and %s', r.id, r.returned, r.lost,
                  coalesce(m.returned, 0), coalesce(m.lost, 0))
    FROM reservation r
    LEFT JOIN (SELECT reservation, sum(quantity) FILTER (WHERE why = 'return_unused') AS returned,
                      sum(quantity) FILTER (WHERE why = 'lost') AS lost
               FROM stock_movement GROUP BY 1) m ON m.reservation = r.id
    WHERE r.returned <> coalesce(m.returned, 0) OR r.lost <> coalesce(m.lost, 0) ORDER BY 1
""")
SERIAL_PLACE = text("""
    SELECT format('IS6 serial %s: registered at %s, layers at %s', serial, coalesce(s.place, 'nowhere'),
                  coalesce(l.places, 'none'))
    FROM (SELECT serial, place FROM stock_serial WHERE place NOT LIKE '@%') s
    FULL JOIN (SELECT serial, string_agg(place, ', ') AS places, count(*) AS times FROM stock_layer
               WHERE serial IS NOT NULL AND quantity > 0 GROUP BY 1) l USING (serial)
    WHERE s.place IS DISTINCT FROM l.places ORDER BY 1
""")
SERIAL_LAST = text("""
    SELECT format('IS6 serial %s: registered at %s, last moved to %s', s.serial, s.place, m.to_place)
    FROM stock_serial s
    JOIN LATERAL (SELECT to_place FROM stock_movement m WHERE m.serial = s.serial AND m.quantity > 0
                  ORDER BY m.id DESC LIMIT 1) m ON true
    WHERE m.to_place <> s.place ORDER BY 1
""")
SERIAL_HOLDS = text("""
    SELECT format('IS6 serial %s is held %s times', l.serial, count(*))
    FROM reservation r JOIN stock_layer l ON l.id = r.layer
    WHERE r.state = 'held' AND l.serial IS NOT NULL GROUP BY l.serial HAVING count(*) > 1 ORDER BY 1
""")
CORRECTIONS = text("""
    SELECT format('IS12 movement %s of %s was corrected by %s', o.id, o.quantity, c.total)
    FROM (SELECT corrects, sum(quantity) AS total, sum(value_minor) AS value FROM stock_movement
          WHERE corrects IS NOT NULL GROUP BY 1) c JOIN stock_movement o ON o.id = c.corrects
    WHERE c.total > o.quantity OR c.value > o.value_minor ORDER BY 1
""")
CORRECTS_OPPOSITE = text("""
    SELECT format('IS12 movement %s does not go back the way of %s', c.id, o.id)
    FROM stock_movement c JOIN stock_movement o ON o.id = c.corrects
    WHERE c.from_place <> o.to_place OR c.part <> o.part ORDER BY 1
""")
TRANSIT = text("""
    SELECT format('IS13 %s of %s are in transit by the transfers, %s by the ledger', coalesce(t.total, 0), part,
                  coalesce(m.total, 0))
    FROM (SELECT l.part, sum(i.quantity - i.received - i.written_off) AS total
          FROM stock_transfer_line i JOIN stock_layer l ON l.id = i.layer GROUP BY 1) t
    FULL JOIN (SELECT part, sum(CASE WHEN to_place = '@transit' THEN quantity ELSE -quantity END) AS total
               FROM stock_movement WHERE '@transit' IN (from_place, to_place) GROUP BY 1) m USING (part)
    WHERE coalesce(t.total, 0) <> coalesce(m.total, 0) ORDER BY 1
""")
LAYERS = text("""
    SELECT format('IS15 %s/%s/%s: layers hold %s (%s held), the balance %s (%s held)', place, part, condition,
                  coalesce(l.total, 0), coalesce(l.held, 0), b.on_hand, b.reserved)
    FROM stock_balance b
    LEFT JOIN (SELECT place, part, condition, genuine, sum(quantity) AS total, sum(reserved) AS held FROM stock_layer
               GROUP BY 1, 2, 3, 4) l USING (place, part, condition, genuine)
    WHERE coalesce(l.total, 0) <> b.on_hand OR coalesce(l.held, 0) <> b.reserved ORDER BY 1
""")
LAYER_VALUE = text("""
    SELECT format('IS15 layer %s: %s pieces worth %s, movements add up to %s worth %s', l.id, l.quantity, l.value_minor,
                  coalesce(m.total, 0), coalesce(m.value, 0))
    FROM stock_layer l
    LEFT JOIN (SELECT layer, place, sum(delta) AS total,
                      sum(CASE WHEN place = to_place THEN value_minor ELSE -value_minor END) AS value
               FROM stock_movement
               WHERE place IS NOT NULL GROUP BY 1, 2) m ON m.layer = l.id AND m.place = l.place
    WHERE l.quantity <> coalesce(m.total, 0) OR l.value_minor <> coalesce(m.value, 0) ORDER BY 1
""")
LAYER_HOLDS = text("""
    SELECT format('IS15 layer %s: binds %s worth %s, its holds %s worth %s', l.id, l.reserved, l.reserved_minor,
                  coalesce(h.total, 0), coalesce(h.value, 0))
    FROM stock_layer l
    LEFT JOIN (SELECT layer, sum(quantity) AS total, sum(value_minor) AS value FROM reservation
               WHERE state = 'held' GROUP BY 1) h ON h.layer = l.id
    WHERE l.reserved <> coalesce(h.total, 0) OR l.reserved_minor <> coalesce(h.value, 0) ORDER BY 1
""")
EMPTY_IS_WORTHLESS = text("""
    SELECT format('IS15 layer %s is empty and worth %s', id, value_minor)
    FROM stock_layer WHERE quantity = 0 AND value_minor <> 0 ORDER BY 1
""")
CHECKS: tuple[TextClause, ...] = (
    VIRTUAL_BELOW_ZERO,
    BOUNDS,
    ON_HAND_IS_HISTORY,
    RESERVED_IS_HOLDS,
    CHAIN,
    CHAIN_END,
    ISSUED_ONCE,
    BACK_AS_BOOKED,
    SERIAL_PLACE,
    SERIAL_LAST,
    SERIAL_HOLDS,
    CORRECTIONS,
    CORRECTS_OPPOSITE,
    TRANSIT,
    LAYERS,
    LAYER_VALUE,
    LAYER_HOLDS,
    EMPTY_IS_WORTHLESS,
)


async def faults(db: AsyncConnection) -> list[str]:
    """Every broken invariant of the ledger as one sentence that names its rows; empty when all is well.

    For one consistent picture run it in a transaction of REPEATABLE READ.
    """
    found: list[str] = []
    for check in CHECKS:
        found += [row[0] for row in await db.execute(check)]
    return found
