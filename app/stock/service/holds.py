"""Holding stock (S3): one guarded UPDATE per balance decides, in sorted order; then the layers are bound by rule.

The guard is the only thing that says yes. It comes last before the commit; holds end exactly once.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.events import By
from app.stock.queries.holds import COLUMNS, Reserved, locked_reservations, reservations
from app.stock.rules.ledger import Condition, Key
from app.stock.service.refusals import NotHeld, OutOfStock, PriceMoved

GUARD = text("""
    UPDATE stock_balance SET reserved = reserved + :quantity
    WHERE place = :place AND part = :part AND condition = :condition AND genuine = :genuine
      AND on_hand - reserved >= :quantity
""")
FREE_LOCKED = text("""
    SELECT on_hand - reserved FROM stock_balance
    WHERE place = :place AND part = :part AND condition = :condition AND genuine = :genuine FOR UPDATE
""")
# Runs under the balances' locks with a snapshot newer than they are, so the layers it sees are the present ones.
# `low` and `high` number a layer's free pieces; their value is a difference of running shares (rules.ledger).
HOLD = text("""
    WITH demand AS (
        SELECT d.*, sum(d.quantity) OVER (PARTITION BY place, part, condition, genuine ORDER BY at) AS upto
        FROM unnest(CAST(:at AS bigint[]), CAST(:references AS text[]), CAST(:places AS text[]),
                    CAST(:parts AS text[]), CAST(:conditions AS text[]), CAST(:genuines AS boolean[]),
                    CAST(:quantities AS bigint[]), CAST(:expiries AS timestamptz[]), CAST(:awaiting AS boolean[]))
             AS d(at, reference, place, part, condition, genuine, quantity, expires_at, awaiting)
    ), free AS (
        SELECT l.*, sum(l.free) OVER (PARTITION BY l.place, l.part, l.condition, l.genuine
                                      ORDER BY l.expires_on, l.received_at, l.id) AS upto
        FROM (SELECT place, part, condition, genuine, sum(quantity) AS total FROM demand GROUP BY 1, 2, 3, 4) w
        CROSS JOIN LATERAL (
            SELECT s.*, s.quantity - s.reserved AS free, s.value_minor - s.reserved_minor AS free_minor
            FROM stock_layer s
            WHERE s.place = w.place AND s.part = w.part AND s.condition = w.condition AND s.genuine = w.genuine
              AND s.quantity > s.reserved
            ORDER BY s.expires_on, s.received_at, s.id LIMIT w.total
        ) l
    ), cut AS (
        SELECT d.at, d.reference, d.place, d.part, d.condition, d.genuine, d.expires_at, d.awaiting, f.id AS layer,
               f.currency, f.lot, f.serial, f.expires_on, f.rates, f.bin, f.free, f.free_minor, f.upto,
               greatest(d.upto - d.quantity - f.upto + f.free, 0) AS low,
               least(d.upto - f.upto + f.free, f.free) AS high
        FROM demand d JOIN free f USING (place, part, condition, genuine)
        WHERE d.upto - d.quantity < f.upto AND f.upto - f.free < d.upto
    ), pick AS MATERIALIZED (
        SELECT c.*, 'rsv_' || replace(uuidv7()::text, '-', '') AS id, (high - low)::bigint AS quantity,
               (round(free_minor * high / free) - round(free_minor * low / free))::bigint AS value_minor,
               (SELECT p.stock <> 'ours' FROM place p WHERE p.code = c.place) AS provisional
        FROM cut c
    ), bound AS (
        UPDATE stock_layer l SET reserved = l.reserved + b.quantity, reserved_minor = l.reserved_minor + b.value_minor
        FROM (SELECT layer, sum(quantity)::bigint AS quantity, sum(value_minor)::bigint AS value_minor
              FROM pick GROUP BY layer) b
        WHERE l.id = b.layer
    ), held AS (
        INSERT INTO reservation (id, reference, place, part, condition, genuine, layer, quantity, value_minor, currency,
                                 provisional, awaiting_consent, expires_at, held_at, held_by)
        SELECT id, reference, place, part, condition, genuine, layer, quantity, value_minor, currency, provisional,
               awaiting, expires_at, :now, :by FROM pick
    )
    SELECT at, id, reference, place, part, condition, genuine, layer, quantity, value_minor, currency,
           'held' AS state, provisional, awaiting AS awaiting_consent, expires_at, lot, serial, expires_on, rates,
           0 AS returned, 0 AS returned_minor, 0 AS lost, 0 AS lost_minor, bin
    FROM pick ORDER BY at, upto
""")
# The same for one demand, which most requests are: plain enough for the server to plan it once and keep the plan.
HOLD_ONE = text("""
    WITH free AS (
        SELECT l.*, sum(l.free) OVER (ORDER BY l.expires_on, l.received_at, l.layer) AS upto
        FROM (SELECT s.id AS layer, s.currency, s.lot, s.serial, s.expires_on, s.rates, s.received_at, s.bin,
                     s.quantity - s.reserved AS free, s.value_minor - s.reserved_minor AS free_minor
              FROM stock_layer s
              WHERE s.place = :place AND s.part = :part AND s.condition = :condition AND s.genuine = :genuine
                AND s.quantity > s.reserved
              ORDER BY s.expires_on, s.received_at, s.id LIMIT CAST(:quantity AS bigint)) l
    ), pick AS MATERIALIZED (
        SELECT f.*, 'rsv_' || replace(uuidv7()::text, '-', '') AS id, f.taken::bigint AS quantity,
               round(free_minor * f.taken / free)::bigint AS value_minor,
               (SELECT p.stock <> 'ours' FROM place p WHERE p.code = :place) AS provisional
        FROM (SELECT *, least(free, CAST(:quantity AS bigint) - upto + free) AS taken FROM free) f WHERE f.taken > 0
    ), bound AS (
        UPDATE stock_layer l SET reserved = l.reserved + b.quantity, reserved_minor = l.reserved_minor + b.value_minor
        FROM pick b WHERE l.id = b.layer
    ), held AS (
        INSERT INTO reservation (id, reference, place, part, condition, genuine, layer, quantity, value_minor, currency,
                                 provisional, awaiting_consent, expires_at, held_at, held_by)
        SELECT id, CAST(:reference AS text), CAST(:place AS text), CAST(:part AS text), CAST(:condition AS text),
               CAST(:genuine AS boolean), layer, quantity, value_minor, currency, provisional,
               CAST(:awaiting_consent AS boolean), CAST(:expires_at AS timestamptz), :now, :by FROM pick
    )
    SELECT 0 AS at, id, CAST(:reference AS text) AS reference, CAST(:place AS text) AS place,
           CAST(:part AS text) AS part, CAST(:condition AS text) AS condition, CAST(:genuine AS boolean) AS genuine,
           layer, quantity, value_minor, currency, 'held' AS state, provisional,
           CAST(:awaiting_consent AS boolean) AS awaiting_consent, CAST(:expires_at AS timestamptz) AS expires_at,
           lot, serial, expires_on, rates, 0 AS returned, 0 AS returned_minor, 0 AS lost, 0 AS lost_minor, bin
    FROM pick ORDER BY upto
""")
END = f"""
    WITH mine AS (SELECT id FROM reservation WHERE {{which}} AND state = 'held' ORDER BY id FOR UPDATE)
    UPDATE reservation r SET state = CAST(:state AS text), closed_at = :now, closed_by = :by
    FROM mine, stock_layer l WHERE r.id = mine.id AND l.id = r.layer AND r.state = 'held' RETURNING {COLUMNS}
"""
END_BY_REFERENCE = text(END.format(which="reference = ANY(CAST(:references AS text[]))"))
END_BY_ID = text(END.format(which="id = ANY(CAST(:ids AS text[]))"))
END_DUE = text(END.format(which="expires_at <= :now"))
FREE_BALANCE = text("""
    UPDATE stock_balance SET reserved = reserved - :quantity
    WHERE place = :place AND part = :part AND condition = :condition AND genuine = :genuine
""")
FREE_LAYERS = text("""
    UPDATE stock_layer l SET reserved = l.reserved - c.quantity, reserved_minor = l.reserved_minor - c.value_minor
    FROM (SELECT layer, sum(quantity)::bigint AS quantity, sum(value_minor)::bigint AS value_minor
          FROM unnest(CAST(:layers AS bigint[]), CAST(:quantities AS bigint[]), CAST(:values AS bigint[]))
               AS n(layer, quantity, value_minor) GROUP BY layer) c
    WHERE l.id = c.layer
""")
CONSENTED = text("""
    UPDATE reservation SET awaiting_consent = false, expires_at = NULL
    WHERE reference = ANY(CAST(:references AS text[])) AND state = 'held' AND awaiting_consent RETURNING id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Pieces wanted for a reference (a request line's id) from one place.

    `expected_minor`: the value of all these pieces that the caller's decision rests on, in `currency`; None: any.
    """

    reference: str
    place: str
    part: str
    quantity: int
    condition: str = Condition.NEW
    genuine: bool = True
    expected_minor: int | None = None
    currency: str | None = None
    awaiting_consent: bool = False
    expires_at: datetime | None = None

    @property
    def key(self) -> Key:
        return Key(self.place, self.part, self.condition, self.genuine)


async def reserve(db: AsyncConnection, *, actor: By, demand: Sequence[Demand], now: datetime) -> list[Reserved]:
    """Hold all of it or nothing (IS7), the demand of one key added up first (IS8). Place it last before the commit.

    Raises OutOfStock with the free quantity seen, PriceMoved when the pieces cost other than expected.
    """
    sums: Counter[Key] = Counter()
    for one in demand:
        sums[one.key] += one.quantity
    for key in sorted(sums):
        await _guard(db, key, sums[key])
    rows = await _bind(db, demand, {"now": now, "by": actor.id})
    bound = [(row.at, Reserved.of(row)) for row in rows]
    for at, one in enumerate(demand):
        _check(one, [held for number, held in bound if number == at])
    return [held for _, held in bound]


async def _bind(db: AsyncConnection, demand: Sequence[Demand], stamp: dict[str, Any]) -> Sequence[Any]:
    """Bind the layers of balances that the guard has said yes for, in one statement."""
    if len(demand) == 1:
        (one,) = demand
        asked = one.key._asdict() | {"quantity": one.quantity, "reference": one.reference}
        asked |= {"awaiting_consent": one.awaiting_consent, "expires_at": one.expires_at}
        return (await db.execute(HOLD_ONE, asked | stamp)).all()
    columns = {
        "at": list(range(len(demand))),
        "references": [one.reference for one in demand],
        "places": [one.place for one in demand],
        "parts": [one.part for one in demand],
        "conditions": [one.condition for one in demand],
        "genuines": [one.genuine for one in demand],
        "quantities": [one.quantity for one in demand],
        "expiries": [one.expires_at for one in demand],
        "awaiting": [one.awaiting_consent for one in demand],
    }
    return (await db.execute(HOLD, columns | stamp)).all()


async def _guard(db: AsyncConnection, key: Key, quantity: int) -> None:
    """The guarded statement. A refusal names the free quantity seen under the row's lock (IS10)."""
    asked = key._asdict() | {"quantity": quantity}
    if (await db.execute(GUARD, asked)).rowcount:
        return
    free = await db.scalar(FREE_LOCKED, key._asdict()) or 0
    if free < quantity or not (await db.execute(GUARD, asked)).rowcount:
        raise OutOfStock(available=free, requested=quantity, part_number=key.part, place=key.place)


def _check(one: Demand, held: list[Reserved]) -> None:
    if sum(reserved.quantity for reserved in held) != one.quantity:
        raise RuntimeError(f"layers of {one.key} hold less than their balance says")
    value, currencies = sum(reserved.value_minor for reserved in held), {reserved.currency for reserved in held}
    if one.expected_minor is not None and (value != one.expected_minor or currencies - {one.currency}):
        raise PriceMoved(part_number=one.part, place=one.place, expected_minor=one.expected_minor, actual_minor=value)


async def release(
    db: AsyncConnection,
    *,
    actor: By,
    now: datetime,
    references: Sequence[str] = (),
    reservation_ids: Sequence[str] = (),
) -> list[Reserved]:
    """Let go of what is still held for references, or of single holds; what was issued stays issued (T16).

    Gives what this call released: an empty list when nothing was held any more (T14).
    """
    stamp = {"state": "released", "now": now, "by": actor.id}
    ended: list[Reserved] = []
    if references:
        rows = await db.execute(END_BY_REFERENCE, stamp | {"references": list(references)})
        ended += [Reserved.of(row) for row in rows]
    if reservation_ids:
        rows = await db.execute(END_BY_ID, stamp | {"ids": list(reservation_ids)})
        ended += [Reserved.of(row) for row in rows]
    await _free(db, ended)
    return ended


async def expire(db: AsyncConnection, *, actor: By, now: datetime) -> list[Reserved]:
    """End the holds whose consent did not come in time (P5); each exactly once, whoever else is at it (IS16)."""
    rows = await db.execute(END_DUE, {"state": "expired", "now": now, "by": actor.id})
    ended = [Reserved.of(row) for row in rows]
    await _free(db, ended)
    return ended


async def _free(db: AsyncConnection, ended: Iterable[Reserved]) -> None:
    gone = list(ended)
    sums: Counter[Key] = Counter()
    for one in gone:
        sums[one.key] += one.quantity
    for key in sorted(sums):
        await db.execute(FREE_BALANCE, key._asdict() | {"quantity": sums[key]})
    if gone:
        columns = {
            "layers": [one.layer for one in gone],
            "quantities": [one.quantity for one in gone],
            "values": [one.value_minor for one in gone],
        }
        await db.execute(FREE_LAYERS, columns)


async def consent(db: AsyncConnection, *, references: Sequence[str]) -> int:
    """The customer agreed: these holds no longer expire. Gives how many; NotHeld when there is nothing to keep."""
    await _need_holds(db, references)
    return len((await db.execute(CONSENTED, {"references": list(references)})).all())


async def _need_holds(db: AsyncConnection, references: Sequence[str]) -> None:
    found = await locked_reservations(db, references=references)
    if not any(one.state == "held" for one in found):
        raise NotHeld(references=list(references), state=state_of(found))


def state_of(found: Sequence[Reserved]) -> str | None:
    """The last state of a reference that holds nothing, for the refusal's text."""
    return found[-1].state if found else None


__all__ = ["Demand", "Reserved", "consent", "expire", "release", "reservations", "reserve"]
