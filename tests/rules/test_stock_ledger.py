"""Laws of the ledger's arithmetic: nothing is lost when value is cut, held, returned or numbered."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stock.rules.ledger import Key, Layer, chain, cuts, value_between, with_free, without_free, without_held

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def layer(quantity: int = 3, value: int = 1000, *, reserved: int = 0, reserved_minor: int = 0) -> Layer:
    return Layer(1, Key("WH", "PSU"), quantity, value, "CNY", NOON, reserved, reserved_minor)


@given(st.integers(1, 10**6), st.integers(0, 10**12), st.data())
def test_P5_shares_of_a_layer_never_lose_a_minor_unit(quantity: int, value: int, more: st.DataObject) -> None:
    left, taken = layer(quantity, value), 0
    while left.quantity:
        pieces = more.draw(st.integers(max(1, left.quantity // 3), left.quantity))
        left, carried = without_free(left, pieces)
        taken += carried
        assert left.value_minor >= 0
    assert (taken, left.value_minor) == (value, 0)


@given(st.integers(2, 50), st.integers(0, 10_000), st.data())
def test_P5_pieces_cut_side_by_side_add_up(quantity: int, value: int, more: st.DataObject) -> None:
    cut = more.draw(st.integers(1, quantity - 1))
    whole = layer(quantity, value)
    assert value_between(whole, 0, cut) + value_between(whole, cut, quantity) == value


def test_P5_what_a_hold_bound_leaves_with_exactly_that() -> None:
    held = layer(3, 1000, reserved=1, reserved_minor=333)
    assert value_between(held, 0, 2) == 667
    left = without_held(held, 1, 333)
    assert (left.quantity, left.value_minor, left.reserved, left.reserved_minor) == (2, 667, 0, 0)


def test_T26_a_return_carries_the_value_it_left_with() -> None:
    left, carried = without_free(layer(3, 1000), 1)
    assert with_free(left, 1, carried) == layer(3, 1000)


@pytest.mark.parametrize(
    ("value", "pieces", "expected"),
    [(10_000, [1, 1, 1], [3333, 3334, 3333]), (1, [1, 1], [1, 0]), (0, [2, 1], [0, 0]), (999, [3], [999])],
)
def test_T123_cuts_add_up(value: int, pieces: list[int], expected: list[int]) -> None:
    assert cuts(value, sum(pieces), pieces) == expected
    assert sum(expected) == value


def test_IS4_a_chain_has_no_holes() -> None:
    assert [tuple(link) for link in chain(7, 2, [3, -5, 1])] == [(8, 5), (9, 0), (10, 1)]


def test_IS4_a_place_never_holds_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        chain(0, 1, [-2])


def test_keys_sort_in_one_order_for_locks() -> None:
    assert sorted([Key("B", "A"), Key("A", "B"), Key("A", "A", "refurbished"), Key("A", "A")]) == [
        Key("A", "A"),
        Key("A", "A", "refurbished"),
        Key("A", "B"),
        Key("B", "A"),
    ]
