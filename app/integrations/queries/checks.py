"""`check` for the integrations: deliveries can all be seen by a worker, keep their bytes and order; effects are single."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

FAULTS = tuple(
    (words, text(statement))
    for words, statement in (
        (
            "IO2: a delivery waits at an endpoint that gets nothing",
            """SELECT d.id FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint
               WHERE d.state = 'pending' AND e.state <> 'active'""",
        ),
        (
            "IO2: delivered without a try that was answered 2xx",
            """SELECT d.id FROM webhook_delivery d WHERE d.state = 'delivered' AND NOT EXISTS (
                 SELECT FROM webhook_attempt a WHERE a.delivery = d.id AND a.status BETWEEN 200 AND 299
                   AND a.failure IS NULL)""",
        ),
        (
            "IO3: the frozen bytes changed",
            """SELECT d.id FROM webhook_delivery d
               WHERE d.body IS NOT NULL AND encode(sha256(d.body), 'hex') <> d.body_hash""",
        ),
        (
            "IO3: a try was made with other bytes",
            """SELECT a.delivery FROM webhook_attempt a JOIN webhook_delivery d ON d.id = a.delivery
               WHERE a.body_hash <> d.body_hash""",
        ),
        (
            "IO3: a subject's sequence has a hole",
            """SELECT endpoint || ' ' || subject FROM webhook_delivery
               GROUP BY endpoint, subject HAVING min(sequence) <> 1 OR max(sequence) <> count(*)""",
        ),
        (
            "IO5: a ticket's request is not the ticket's",
            """SELECT t.connection || ' ' || t.number FROM ticket t JOIN part_request r ON r.id = t.request
               WHERE r.ticket_number IS DISTINCT FROM t.number OR r.ticket_system IS DISTINCT FROM t.connection""",
        ),
        (
            "IO5: a draft was completed with a request of another ticket",
            """SELECT d.id FROM ticket_draft d JOIN part_request r ON r.id = d.request
               WHERE r.ticket_number IS DISTINCT FROM d.number""",
        ),
    )
)


async def faults(db: AsyncConnection) -> list[str]:
    """Every difference, named."""
    return [f"{words}: {one}" for words, statement in FAULTS for one in (await db.execute(statement)).scalars()]
