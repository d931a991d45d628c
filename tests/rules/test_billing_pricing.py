"""Prices at their edges (P1-P6): free when covered, else what the very pieces cost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.billing.rules.pricing import (
    Borne,
    Cost,
    Creditable,
    NoRate,
    Payer,
    Price,
    PriceTerms,
    TooMuch,
    bearer,
    borne_part,
    consent_expires,
    credit,
    price_by,
    price_line,
)
from app.core.money import Money

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def cost(minor: int, quantity: int = 1, currency: str = "CNY", **rates: str) -> Cost:
    return Cost(minor, quantity, currency, rates)


def priced(*supplied: Cost, **more: object) -> Price:
    price = price_line(**({"covered": False, "supplied": supplied, "currency": "CNY"} | more))  # type: ignore[arg-type]
    assert isinstance(price, Price)
    return price


def codes(price: Price) -> list[str]:
    return [f"{reason.rule} {reason.code}" for reason in price.reasons]


def test_P1_covered_is_free_whatever_it_cost() -> None:
    price = priced(cost(128_000), covered=True, tax_rate=Decimal("0.13"))
    assert (price.net, price.tax, price.gross) == (cny(0), cny(0), cny(0))
    assert price.free
    assert codes(price) == ["P1 price.covered"]


def test_P2_after_warranty_the_cost_of_the_very_pieces() -> None:
    price = priced(cost(128_000), cost(40_000, 2))
    assert (price.net, price.tax, price.gross) == (cny(168_000), cny(0), cny(168_000))
    assert codes(price) == ["P2 price.cost_only"]


@pytest.mark.parametrize(
    ("net", "rate", "tax"), [(12_345, "0.13", 1605), (50, "0.13", 7), (49, "0.01", 0), (50, "0.01", 1)]
)
def test_P2_tax_is_rounded_half_up_at_the_line(net: int, rate: str, tax: int) -> None:
    price = priced(cost(net), tax_rate=Decimal(rate))
    assert (price.tax, price.gross) == (cny(tax), cny(net + tax))
    assert codes(price)[-1] == "P2 price.tax"


def test_P3_the_same_price_within_warranty_when_the_cause_is_not_ours() -> None:
    price = priced(cost(128_000), within_warranty=True)
    assert price.net == cny(128_000)
    assert codes(price) == ["P3 price.cause_cost_only"]


def test_P2_foreign_cost_converts_at_the_stored_rate() -> None:
    assert priced(cost(10_000, 1, "USD", CNY="7.1234")).net == cny(71_234)
    assert priced(cost(10_000, 1, "JPY", CNY="0.0471")).net == cny(47_100)
    assert priced(cost(1, 1, "USD", CNY="0.5")).net == cny(1)


def test_P2_without_a_rate_the_currencies_do_not_match() -> None:
    foreign = cost(10_000, 1, "USD", EUR="0.9")
    assert price_line(covered=False, supplied=[cost(1), foreign], currency="CNY") == NoRate("USD", "CNY")
    assert price_line(covered=False, supplied=[cost(1)], currency="CNY", asked=foreign, substitute=True) == NoRate(
        "USD", "CNY"
    )


def test_P4_a_covered_substitute_is_a_free_upgrade() -> None:
    price = priced(cost(200_000), covered=True, substitute=True, asked=cost(1))
    assert price.free
    assert codes(price) == ["P1 price.covered", "P4 price.free_upgrade"]


@pytest.mark.parametrize(
    ("supplied", "asked", "net", "code"),
    [
        (200_000, cost(128_000), 128_000, "P4 price.lower_of_two"),
        (90_000, cost(128_000), 90_000, "P4 price.lower_of_two"),
        (90_000, cost(1000, 3), 333, "P4 price.lower_of_two"),
        (90_000, None, 90_000, "P4 price.asked_never_bought"),
    ],
)
def test_P4_else_the_lower_of_both_costs(supplied: int, asked: Cost | None, net: int, code: str) -> None:
    price = priced(cost(supplied), substitute=True, asked=asked)
    assert price.net == cny(net)
    assert codes(price)[-1] == code


def test_P4_the_asked_cost_counts_for_all_pieces() -> None:
    assert priced(cost(500, 2), substitute=True, asked=cost(1000, 10)).net == cny(200)


def test_P5_reported_stock_prices_provisionally() -> None:
    price = priced(cost(128_000), provisional=True)
    assert price.provisional
    assert codes(price)[-1] == "P5 price.provisional"
    assert not priced(cost(128_000), covered=True, provisional=True).provisional


def test_P5_only_a_hold_that_awaits_consent_runs_out() -> None:
    assert consent_expires(awaiting_consent=True, now=NOW) == NOW + timedelta(hours=24)
    assert consent_expires(awaiting_consent=False, now=NOW) is None


def test_P1_the_payer_bears_what_nobody_is_charged() -> None:
    assert borne_part(covered=True, payer=Payer.OEM, cost=cny(500), charged_net=cny(0)) == Borne(cny(500), Payer.OEM)
    assert borne_part(covered=False, payer=Payer.OEM, cost=cny(500), charged_net=cny(500)) is None
    assert borne_part(covered=False, payer=Payer.OEM, cost=cny(500), charged_net=cny(333)) == Borne(
        cny(167), Payer.VENDOR
    )


def test_P1_other_costs_follow_the_cover() -> None:
    assert bearer(covered=True, payer=Payer.OEM_SERVICE) == Payer.OEM_SERVICE
    assert bearer(covered=True, payer=None) == Payer.VENDOR
    assert bearer(covered=False, payer=Payer.OEM) == Payer.VENDOR


@given(st.integers(0, 10**9), st.integers(0, 10**8), st.lists(st.integers(1, 10**8), max_size=5))
def test_IM5_credits_never_exceed_the_charge_and_the_last_nets_to_zero(net: int, tax: int, wants: list[int]) -> None:
    back_net = back_tax = 0
    for want in [*wants, None]:
        gross = cny(want) if want else None
        outcome = credit(
            net=cny(net), tax=cny(tax), credited_net=cny(back_net), credited_tax=cny(back_tax), gross=gross
        )
        left = net + tax - back_net - back_tax
        if isinstance(outcome, TooMuch):
            assert outcome.open == cny(left)
            assert left == 0 or (want or 0) > left
        else:
            assert isinstance(outcome, Creditable)
            assert want in (None, outcome.net.minor + outcome.tax.minor)
            assert 0 <= outcome.net.minor <= net - back_net
            assert 0 <= outcome.tax.minor <= tax - back_tax
            back_net, back_tax = back_net + outcome.net.minor, back_tax + outcome.tax.minor
    assert (back_net, back_tax) == (net, tax)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=5), st.sampled_from(["0", "0.13", "0.0333"]), st.booleans())
def test_P5_a_line_billed_piece_by_piece_costs_what_it_was_quoted(costs: list[int], rate: str, upgrade: bool) -> None:
    asked = cost(2000) if upgrade else None
    terms = PriceTerms(covered=False, currency="CNY", tax_rate=rate, substitute=upgrade, asked=asked)
    quoted = price_by(terms, [cost(minor) for minor in costs])
    bills = [
        price_by(replace(terms, before=tuple(cost(minor) for minor in costs[:at])), [cost(minor)])
        for at, minor in enumerate(costs)
    ]
    assert isinstance(quoted, Price)
    assert sum(bill.net.minor for bill in bills if isinstance(bill, Price)) == quoted.net.minor
    assert sum(bill.gross.minor for bill in bills if isinstance(bill, Price)) == quoted.gross.minor
    assert min(bill.net.minor for bill in bills if isinstance(bill, Price)) >= 0


def test_IM6_stored_terms_replay() -> None:
    terms = PriceTerms(
        covered=False, currency="CNY", payer=Payer.OEM, tax_rate="0.13", asked=cost(900), before=(cost(1),)
    )
    stored = msgspec.json.encode(msgspec.to_builtins(terms))
    assert msgspec.convert(msgspec.json.decode(stored), PriceTerms) == terms
