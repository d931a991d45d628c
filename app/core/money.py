"""Money as whole minor units of a currency (ISO 4217 exponents). No floats, no lost cents."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

EXPONENTS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "OMR": 3, "JOD": 3, "TND": 3}


def exponent(currency: str) -> int:
    """Decimal places of a currency's minor unit: 2 for CNY, 0 for JPY."""
    return EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (fen for CNY) of one currency. Adding two currencies is a ValueError."""

    minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added")
        return Money(self.minor + other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    @property
    def amount(self) -> str:
        """The decimal text of the wire: `1280.00`."""
        return f"{Decimal(self.minor).scaleb(-exponent(self.currency)):.{exponent(self.currency)}f}"


def zero(currency: str) -> Money:
    return Money(0, currency)


def of_amount(amount: str | Decimal, currency: str) -> Money:
    """Parse a decimal amount exactly; more places than the currency has, or NaN, is a ValueError."""
    value = Decimal(amount)
    if not value.is_finite():
        raise ValueError("not a finite amount")
    minor = value.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"{currency} has {exponent(currency)} decimal places")
    return Money(int(minor), currency)


def rounded(minor: Decimal) -> int:
    """Half-up to whole minor units (P5)."""
    return int(minor.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def tax_on(net: Money, rate: Decimal) -> Money:
    """Tax on a net line amount, rounded half-up at the line (P2, P5)."""
    return Money(rounded(Decimal(net.minor) * rate), net.currency)


def share(total_minor: int, quantity: int, taken: int) -> int:
    """What `taken` of `quantity` pieces carry of a layer's total value; the last piece carries the rest (P5).

    Rounds half-up; taking all gives exactly the total, so that shares never lose a minor unit.
    """
    if not 0 < taken <= quantity:
        raise ValueError("0 < taken <= quantity")
    return total_minor if taken == quantity else rounded(Decimal(total_minor) * taken / quantity)
