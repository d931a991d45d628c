"""Which pieces serve a demand: expiry, then age, never price; and what a scan proves."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.stock.rules.availability import (
    Chosen,
    Held,
    Matched,
    Mismatch,
    Short,
    choose_layers,
    match_scans,
    picking_order,
)
from app.stock.rules.ledger import Key, Layer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def layer(
    id: int,
    quantity: int = 1,
    value: int = 100,
    *,
    expires: date | None = None,
    age: int = 0,
    serial: str | None = None,
    lot: str | None = None,
    reserved: int = 0,
) -> Layer:
    received = NOON - timedelta(days=age)
    bound = value * reserved // quantity
    return Layer(id, Key("WH", "PSU"), quantity, value, "CNY", received, reserved, bound, lot, serial, expires)


def test_P2_earliest_expiry_then_oldest_then_as_received_never_by_price() -> None:
    young_cheap = layer(1, value=1)
    old_dear = layer(2, value=900, age=9)
    expiring = layer(3, value=999, expires=date(2027, 1, 1))
    expiring_later = layer(4, value=2, expires=date(2027, 2, 1), age=99)
    same_day = layer(5, age=9)
    order = picking_order([young_cheap, same_day, expiring_later, old_dear, expiring])
    assert [found.id for found in order] == [3, 4, 2, 5, 1]


def test_held_pieces_are_not_picked() -> None:
    assert [found.id for found in picking_order([layer(1, 2, reserved=2), layer(2, 2, reserved=1)])] == [2]


def test_T5_two_lines_of_one_part_are_summed() -> None:
    assert choose_layers([layer(1)], [1, 1]) == Short(available=1)


def test_a_demand_over_layers_takes_each_ones_share() -> None:
    chosen = choose_layers([layer(1, 3, 1000, age=2), layer(2, 4, 400)], [2, 3])
    assert isinstance(chosen, Chosen)
    assert [[(pick.layer.id, pick.quantity, pick.value_minor) for pick in picks] for picks in chosen.picks] == [
        [(1, 2, 667)],
        [(1, 1, 333), (2, 2, 200)],
    ]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 999)), max_size=6), st.lists(st.integers(1, 5), max_size=5))
def test_IS7_IS8_only_the_sum_decides_and_all_or_nothing(stock: list[tuple[int, int]], demands: list[int]) -> None:
    layers = [layer(number, quantity, value) for number, (quantity, value) in enumerate(stock)]
    outcome = choose_layers(layers, demands)
    free = sum(quantity for quantity, _ in stock)
    assert isinstance(outcome, Short) == (free < sum(demands))
    assert isinstance(choose_layers(layers, [sum(demands)]), type(outcome))


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 999)), min_size=1, max_size=6), st.data())
def test_P5_all_pieces_together_carry_all_the_value(stock: list[tuple[int, int]], more: st.DataObject) -> None:
    layers = [layer(number, quantity, value) for number, (quantity, value) in enumerate(stock)]
    left, demands = sum(quantity for quantity, _ in stock), []
    while left:
        demands.append(more.draw(st.integers(1, left)))
        left -= demands[-1]
    chosen = choose_layers(layers, demands)
    assert isinstance(chosen, Chosen)
    assert sum(pick.value_minor for pick in chosen.all) == sum(value for _, value in stock)
    assert [sum(pick.quantity for pick in picks) for picks in chosen.picks] == demands


def test_S6_the_bound_serials_match_in_any_order() -> None:
    first, second = layer(1, serial="S1"), layer(2, serial="S2")
    held = [Held("r1", first, 1, 100), Held("r2", second, 1, 100)]
    assert match_scans(held, ["S2", "S1"], []) == Matched({"r1": first, "r2": second})


def test_S6_an_equal_free_serial_takes_over_the_hold() -> None:
    bound, other = layer(1, serial="S1"), layer(2, serial="S2")
    assert match_scans([Held("r1", bound, 1, 100)], ["S2"], [other]) == Matched({"r1": other})


def test_P5_a_free_serial_of_another_cost_does_not() -> None:
    bound, dear = layer(1, serial="S1"), layer(2, value=101, serial="S2")
    assert match_scans([Held("r1", bound, 1, 100)], ["S2"], [dear]) == Mismatch("S2", ("S1",), "scan.other_price")


def test_S6_a_strange_code_names_what_was_expected() -> None:
    bound = layer(1, lot="L1")
    assert match_scans([Held("r1", bound, 1, 100)], ["L9"], []) == Mismatch("L9", ("L1",), "scan.unexpected")


def test_S6_a_serial_cannot_be_scanned_twice() -> None:
    held = [Held("r1", layer(1, serial="S1"), 1, 100), Held("r2", layer(2, serial="S2"), 1, 100)]
    assert match_scans(held, ["S1", "S1"], []) == Mismatch("S1", ("S1", "S2"), "scan.twice")


def test_S6_what_was_not_scanned_is_named() -> None:
    held = [Held("r1", layer(1, serial="S1"), 1, 100), Held("r2", layer(2, serial="S2"), 1, 100)]
    assert match_scans(held, ["S1"], []) == Mismatch("", ("S2",), "scan.missing")


def test_S6_an_extra_piece_is_too_many() -> None:
    held = [Held("r1", layer(1, serial="S1"), 1, 100)]
    assert match_scans(held, ["S1", "S2"], [layer(2, serial="S2")]) == Mismatch("S2", ("S1",), "scan.too_many")


def test_S6_one_scan_of_the_part_number_settles_untracked_pieces() -> None:
    one, two = layer(1, 5, 500), layer(2, 5, 500)
    held = [Held("r1", one, 5, 500), Held("r2", two, 1, 100)]
    assert match_scans(held, ["PSU"], []) == Matched({"r1": one, "r2": two})
