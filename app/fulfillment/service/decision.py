"""The decision behind a promise: verdict, commitment, source, way and price of each line, from facts alone."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.billing.rules.pricing import Cost, NoRate, Payer, Price, PriceTerms, price_by
from app.core.errors import Reason
from app.fulfillment.queries.gather import Facts, LineFacts
from app.fulfillment.rules import commitments
from app.fulfillment.rules.commitments import Demand, LocalStock, Promise, decide_commitment
from app.fulfillment.service.candidates import Way, Ways, candidate_of, ways_of
from app.fulfillment.service.refusals import CurrencyMismatch
from app.routing.rules.sourcing import Alternative, Ask, Choice, Pick, Shortage, choose_sources
from app.stock.queries.offers import Offer
from app.warranty.rules.inputs import VerdictInputs
from app.warranty.rules.verdict import Covered, NotCovered
from app.warranty.service import judge

Verdict = Covered | NotCovered


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the asker states about how the request is to be served."""

    tier: int
    received_at: datetime
    appointment_at: datetime | None
    accept_substitutes: bool
    allow_split: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDecision:
    """One line as it would be made: part of an asked line, from one source, under one commitment."""

    asked: LineFacts
    quantity: int
    promise: Promise
    offer: Offer
    way: Way
    price: Price
    price_terms: PriceTerms
    cost_minor: int
    cost_currency: str
    provisional: bool
    lot: str | None
    serial: str | None
    inputs: VerdictInputs
    verdict: Verdict
    reasons: tuple[Reason, ...]
    alternatives: tuple[Alternative, ...]

    @property
    def covered(self) -> bool:
        return isinstance(self.verdict, Covered)

    @property
    def payer(self) -> Payer | None:
        return Payer(self.verdict.payer) if isinstance(self.verdict, Covered) else None

    @property
    def awaits_consent(self) -> bool:
        """Billable only if the customer was told the price and agreed (W7, P5)."""
        return not self.price.free


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A promise in full. `lines` are in the order asked; a split line is several. `asks` and `choice` are what the
    sources were chosen from and how: where the choice is not proven, a longer search may find a better one."""

    lines: tuple[LineDecision, ...]
    reasons: tuple[Reason, ...]
    asks: tuple[Ask, ...]
    choice: Choice


def decide(facts: Facts, wishes: Wishes, *, now: datetime, choice: Choice | None = None) -> Decision | Shortage:
    """Decide every line, all or none. Which source keeps which commitment is one search over all lines (R1, R2), unless
    the `choice` was made from the same facts and wishes already."""
    verdicts = [judge(line.failure.inputs) for line in facts.lines]
    opened = any(isinstance(one, Covered) and one.opened_box for one in verdicts)
    ways = ways_of(facts, now=now, tier=0 if opened else wishes.tier, appointment_at=wishes.appointment_at)
    promised = _promised(facts, wishes, verdicts)
    asks, found = [], {}
    for number, (index, promise) in enumerate(promised):
        ask, by_shelf = _ask(facts, wishes, facts.lines[index], promise, ways, str(number))
        asks.append(ask)
        found[ask.line] = by_shelf
    chosen, asks = (choice, asks) if choice is not None else _sources(asks)
    if isinstance(chosen, Shortage):
        return replace(chosen, line=str(promised[int(chosen.line)][0]))
    taken: Counter[tuple[str, str]] = Counter()
    lines = []
    for pick in chosen.picks:
        index, promise = promised[int(pick.line)]
        offer, way = found[pick.line][pick.candidate.shelf]
        because = tuple(one for one in chosen.reasons if one.facts.get("line") == pick.line)
        others = tuple(one for one in chosen.alternatives if one.line == pick.line)
        line = _line(facts, facts.lines[index], pick, promise, offer, way, verdicts[index], taken)
        lines.append(_explained(line, because, others))
    return Decision(lines=tuple(lines), reasons=(), asks=tuple(asks), choice=chosen)


def _sources(asks: list[Ask]) -> tuple[Choice | Shortage, list[Ask]]:
    """The choice, and from which ways: where the local pieces do not do, better late from anywhere than refused (IS10)."""
    near = [_locally(ask) for ask in asks]
    choice = choose_sources(near)
    return (choose_sources(asks), asks) if isinstance(choice, Shortage) else (choice, near)


def _promised(facts: Facts, wishes: Wishes, verdicts: list[Verdict]) -> list[tuple[int, Promise]]:
    """C1-C3 for each line; what earlier lines are promised locally is no longer free for later ones (IS8)."""
    setting = facts.setting
    left: Counter[str] = Counter()
    for offer in facts.offers:
        if offer.ours and offer.place in setting.sources:
            left[offer.part] += offer.free
    rules = commitments.Rules(
        local_hours=setting.terms["local_hours"],
        national_hours=setting.terms["national_hours"],
        assortment=setting.assortment,
        accept_substitutes=wishes.accept_substitutes,
        allow_split=wishes.allow_split,
    )
    promised = []
    for index, (line, verdict) in enumerate(zip(facts.lines, verdicts, strict=True)):
        ended = isinstance(verdict, NotCovered) and verdict.price_rule == "P2"
        made = decide_commitment(
            Demand(line.part_number, line.quantity),
            local=LocalStock(setting.area, dict(left)),
            substitutes=line.substitutes,
            rules=rules,
            received_at=wishes.received_at,
            best_effort=ended and not setting.terms["commit_after_warranty"],
        )
        for promise in made:
            promised.append((index, promise))
            if promise.kind == "local":
                _take(left, (line.part_number, *line.substitutes), promise.quantity)
    return promised


def _take(left: Counter[str], parts: tuple[str, ...], quantity: int) -> None:
    """Take pieces of the asked part first, then of its substitutes in P4's order."""
    for part in parts:
        pieces = min(quantity, left[part])
        left[part] -= pieces
        quantity -= pieces


def _locally(ask: Ask) -> Ask:
    """A local promise is kept from local stock where there is some: distance or closed doors never weaken it (C1)."""
    near = tuple(one for one in ask.candidates if one.local)
    return replace(ask, candidates=near) if ask.kind == "local" and near else ask


def _ask(
    facts: Facts, wishes: Wishes, line: LineFacts, promise: Promise, ways: Ways, name: str
) -> tuple[Ask, dict[tuple[str, str], tuple[Offer, Way]]]:
    """A promised line with every place that could serve it, and the way from each."""
    usable = {line.part_number, *line.substitutes}
    by_shelf: dict[tuple[str, str], tuple[Offer, Way]] = {}
    candidates = []
    for offer in facts.offers:
        local = offer.ours and offer.place in facts.setting.sources
        if offer.part not in usable:
            continue
        way = ways.of(offer, due_at=promise.due_at, quantity=promise.quantity, kind=promise.kind)
        by_shelf[offer.place, offer.part] = (offer, way)
        candidates.append(
            candidate_of(offer, way, asked_part=line.part_number, local=local, quantity=promise.quantity, now=ways.now)
        )
    ask = Ask(
        line=name,
        quantity=promise.quantity,
        kind=promise.kind,
        due_s=int((promise.due_at - ways.now).total_seconds()),
        tier=ways.tier,
        candidates=tuple(candidates),
        allow_split=wishes.allow_split,
    )
    return ask, by_shelf


def _line(
    facts: Facts,
    line: LineFacts,
    pick: Pick,
    promise: Promise,
    offer: Offer,
    way: Way,
    verdict: Verdict,
    taken: Counter[tuple[str, str]],
) -> LineDecision:
    """One pick with its exact price: pieces already taken from the shelf by earlier lines come before it."""
    shelf = pick.candidate.shelf
    slices = offer.slices(taken[shelf] + pick.quantity)
    before = offer.cost_minor(taken[shelf])
    cost_minor = sum(one.value_minor for one in slices) - before
    taken[shelf] += pick.quantity
    layer = slices[-1].layer
    terms = _terms(facts, line, pick, verdict)
    price = _priced(terms, offer, Cost(cost_minor, pick.quantity, layer.currency, layer.rates))
    return LineDecision(
        asked=line,
        quantity=pick.quantity,
        promise=promise,
        offer=offer,
        way=way,
        price=price,
        price_terms=terms,
        cost_minor=cost_minor,
        cost_currency=layer.currency,
        provisional=not offer.ours,
        lot=layer.lot,
        serial=layer.serial,
        inputs=line.failure.inputs,
        verdict=verdict,
        reasons=(),
        alternatives=(),
    )


def _terms(facts: Facts, line: LineFacts, pick: Pick, verdict: Verdict) -> PriceTerms:
    """What the price rests on besides the pieces; kept with the line, so that the charge is the promise (T121)."""
    latest = facts.latest.get(line.part_number)
    return PriceTerms(
        covered=isinstance(verdict, Covered),
        currency=facts.setting.currency,
        payer=Payer(verdict.payer) if isinstance(verdict, Covered) else None,
        tax_rate=facts.setting.terms["tax_rate"],
        substitute=pick.candidate.substitute,
        within_warranty=isinstance(verdict, NotCovered) and verdict.price_rule == "P3",
        asked=Cost(latest.value_minor, latest.quantity, latest.currency, latest.rates) if latest else None,
    )


def _priced(terms: PriceTerms, offer: Offer, cost: Cost) -> Price:
    price = price_by(terms, [cost], provisional=not offer.ours)
    if isinstance(price, NoRate):
        raise CurrencyMismatch(cost_currency=price.cost_currency, currency=price.currency, part_number=offer.part)
    return price


def _explained(line: LineDecision, because: tuple[Reason, ...], others: tuple[Alternative, ...]) -> LineDecision:
    unreached: tuple[Reason, ...] = ()
    if line.way.mode is None:
        unreached = (Reason("C7", "way.none", {"place": line.offer.place}),)
    elif line.way.eta is None:
        unreached = (Reason("C7", "way.overloaded", {"place": line.offer.place}),)
    asked = () if line.offer.ours else (Reason("R1", "call_off.must_confirm", {"place": line.offer.place}),)
    return replace(line, reasons=(*because, *line.price.reasons, *asked, *unreached), alternatives=others)


def plain_reasons(reasons: tuple[Reason, ...]) -> list[dict[str, Any]]:
    """Reasons as JSON values: what is stored."""
    return [{"rule": one.rule, "code": one.code, "facts": dict(one.facts)} for one in reasons]


def plain_alternatives(found: tuple[Alternative, ...], now: datetime) -> list[dict[str, Any]]:
    """Ways not taken as JSON values: what is stored. `now` is when they were weighed."""
    return [
        {
            "place": one.place,
            "part_number": one.part,
            "reason": plain_reasons((one.reason,))[0],
            "eta": None if one.eta_s is None else (now + timedelta(seconds=one.eta_s)).isoformat(),
            "late_s": one.late_s,
            "cost_minor": one.cost_minor,
            "hits": one.hits,
        }
        for one in found
    ]
