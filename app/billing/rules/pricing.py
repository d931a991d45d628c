"""What a line costs (P1-P6): nothing when covered, else what the company paid for the very pieces supplied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from app.core.errors import Fact, Reason
from app.core.money import Money, exponent, rounded, tax_on, zero

CONSENT_LASTS = timedelta(hours=24)


class Payer(StrEnum):
    OEM = "oem"
    OEM_SERVICE = "oem_service"
    VENDOR = "vendor"


class CostKind(StrEnum):
    PART = "part"
    TRANSPORT = "transport"
    INSURANCE = "insurance"
    INSTALLATION = "installation"
    TESTING = "testing"
    LABOR = "labor"


@dataclass(frozen=True, slots=True)
class Cost:
    """What `quantity` pieces cost the company: `value_minor` minor units of `currency`, net of recoverable tax.

    `rates` are the receipt's stored rates: target currency → units of it for one unit of `currency`, as decimal text.
    """

    value_minor: int
    quantity: int
    currency: str
    rates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTerms:
    """What a line's price rests on besides the pieces; stored with a promise, so that the charge is the promise (T121).

    `asked` is the latest cost of the asked part, for substitutes; `before` the pieces of the line that were billed
    earlier, so that a line picked piece by piece costs what it was quoted, rounded once. Plain JSON values.
    """

    covered: bool
    currency: str
    payer: Payer | None = None
    tax_rate: str = "0"
    substitute: bool = False
    within_warranty: bool = False
    asked: Cost | None = None
    before: tuple[Cost, ...] = ()


@dataclass(frozen=True, slots=True)
class NoRate:
    """A foreign cost without a stored rate has no price: the currencies do not match."""

    cost_currency: str
    currency: str


@dataclass(frozen=True, slots=True)
class Price:
    """A line's price to the customer, exact in minor units; `provisional` until reported stock is confirmed (P5)."""

    net: Money
    tax: Money
    gross: Money
    reasons: tuple[Reason, ...]
    provisional: bool = False

    @property
    def free(self) -> bool:
        return self.gross.minor == 0


def converted(cost: Cost, currency: str) -> Money | NoRate:
    """A cost in another currency by the rate stored with its receipt, rounded half-up (P2)."""
    if cost.currency == currency:
        return Money(cost.value_minor, currency)
    if currency not in cost.rates:
        return NoRate(cost.currency, currency)
    places = exponent(currency) - exponent(cost.currency)
    return Money(rounded(Decimal(cost.value_minor).scaleb(places) * Decimal(cost.rates[currency])), currency)


def total_cost(costs: Sequence[Cost], currency: str) -> Money | NoRate:
    """What all the pieces cost together; each layer converts by its own rate, then they add up."""
    total = zero(currency)
    for cost in costs:
        money = converted(cost, currency)
        if isinstance(money, NoRate):
            return money
        total += money
    return total


def price_line(
    *,
    covered: bool,
    supplied: Sequence[Cost],
    currency: str,
    tax_rate: Decimal = Decimal(0),
    asked: Cost | None = None,
    substitute: bool = False,
    within_warranty: bool = False,
    provisional: bool = False,
) -> Price | NoRate:
    """The customer's price for the pieces of one line.

    `supplied` are the costs of the very lots, serials or layers bound (one each); `asked` is the latest cost of the
    asked part, None when it was never bought (P4). `within_warranty`: not covered for its cause (P3).
    """
    if covered:
        reasons = [Reason("P1", "price.covered")]
        if substitute:
            reasons.append(Reason("P4", "price.free_upgrade"))
        return Price(zero(currency), zero(currency), zero(currency), tuple(reasons))
    cost = total_cost(supplied, currency)
    if isinstance(cost, NoRate):
        return cost
    net, because = cost, []
    if substitute:
        lower = _substitute_price(cost, asked, sum(piece.quantity for piece in supplied))
        if isinstance(lower, NoRate):
            return lower
        net, chosen = lower
        because = [chosen]
    reasons = [_cost_reason(net, within_warranty=within_warranty), *because]
    tax = tax_on(net, tax_rate)
    if tax_rate:
        reasons.append(Reason("P2", "price.tax", {"rate": str(tax_rate), "tax": tax.amount, "currency": currency}))
    if provisional:
        reasons.append(Reason("P5", "price.provisional"))
    return Price(net, tax, net + tax, tuple(reasons), provisional)


def price_by(terms: PriceTerms, supplied: Sequence[Cost], *, provisional: bool = False) -> Price | NoRate:
    """The price of pieces under stored terms; recomputing it later gives the same (IM6).

    After pieces billed `before` it is the difference of two line prices, so that the bills of a line add up to its quote.
    """
    whole = _line_price(terms, [*terms.before, *supplied], provisional)
    if not terms.before or isinstance(whole, NoRate):
        return whole
    earlier = _line_price(terms, terms.before, provisional)
    if isinstance(earlier, NoRate):
        return earlier
    net, tax = whole.net + -earlier.net, whole.tax + -earlier.tax
    here = {"price": net.amount, "tax": tax.amount}
    reasons = tuple(
        replace(reason, facts={name: here.get(name, fact) for name, fact in reason.facts.items()})
        for reason in whole.reasons
    )
    return Price(net, tax, net + tax, reasons, provisional)


def _line_price(terms: PriceTerms, supplied: Sequence[Cost], provisional: bool) -> Price | NoRate:
    return price_line(
        covered=terms.covered,
        supplied=supplied,
        currency=terms.currency,
        tax_rate=Decimal(terms.tax_rate),
        asked=terms.asked,
        substitute=terms.substitute,
        within_warranty=terms.within_warranty,
        provisional=provisional,
    )


def _cost_reason(cost: Money, *, within_warranty: bool) -> Reason:
    facts = {"price": cost.amount, "currency": cost.currency}
    return Reason("P3", "price.cause_cost_only", facts) if within_warranty else Reason("P2", "price.cost_only", facts)


def _substitute_price(supplied: Money, asked: Cost | None, quantity: int) -> tuple[Money, Reason] | NoRate:
    """P4, not covered: the lower of the supplied pieces' cost and the latest cost of the asked part."""
    if asked is None:
        return supplied, Reason("P4", "price.asked_never_bought")
    pieces = rounded(Decimal(asked.value_minor) * quantity / asked.quantity)
    usual = converted(Cost(pieces, quantity, asked.currency, asked.rates), supplied.currency)
    if isinstance(usual, NoRate):
        return usual
    lower = min(supplied, usual)
    facts: dict[str, Fact] = {"price": lower.amount, "currency": lower.currency, "asked_is_lower": usual < supplied}
    return lower, Reason("P4", "price.lower_of_two", facts)


def consent_expires(*, awaiting_consent: bool, now: datetime) -> datetime | None:
    """Only a hold that awaits consent runs out, after 24 h (P5); any other lasts until issued or released."""
    return now + CONSENT_LASTS if awaiting_consent else None


@dataclass(frozen=True, slots=True)
class Borne:
    """What the company bears itself or for a payer (P1)."""

    amount: Money
    payer: Payer


def borne_part(*, covered: bool, payer: Payer, cost: Money, charged_net: Money) -> Borne | None:
    """The part's cost that no customer pays: all of it on its payer when covered, else what P4 gave away, on us."""
    if covered:
        return Borne(cost, payer) if cost.minor else None
    given = cost + -charged_net
    return Borne(given, Payer.VENDOR) if given.minor > 0 else None


def bearer(*, covered: bool, payer: Payer | None) -> Payer:
    """Who bears transport, insurance, installation, testing, labor: the cover's payer, else we (P1, P2)."""
    return payer if covered and payer else Payer.VENDOR


@dataclass(frozen=True, slots=True)
class Creditable:
    """A credit that still fits into its charge, net and tax each in minor units."""

    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class TooMuch:
    """Credits would exceed the charge; what is still open is named (gross)."""

    open: Money


def credit(
    *, net: Money, tax: Money, credited_net: Money, credited_tax: Money, gross: Money | None
) -> Creditable | TooMuch:
    """Split a credit (None: all that is left) into net and tax; the last one takes the rest and nets to zero."""
    left_net, left_tax = net + -credited_net, tax + -credited_tax
    if gross is not None and gross.minor == 0:  # pieces come back whose price was given back before
        return Creditable(zero(net.currency), zero(net.currency))
    left = left_net + left_tax
    if left.minor <= 0 or (gross is not None and gross > left):
        return TooMuch(left)
    if gross is None or gross == left:
        return Creditable(left_net, left_tax)
    part_tax = Money(rounded(Decimal(left_tax.minor) * gross.minor / left.minor), net.currency)
    return Creditable(gross + -part_tax, part_tax)
