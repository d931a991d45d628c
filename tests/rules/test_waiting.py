"""Who gets what has come of those that wait: all at once by R2, and never more than there is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.fulfillment.service.waiting import divided
from app.routing.rules.sourcing import Ask, Candidate


def line(name: str, tier: int, ways: dict[str, tuple[int, int]], quantity: int = 1) -> Ask:
    """A line with (free, seconds to it) of each place."""
    candidates = tuple(
        Candidate(place=place, part="PSU", free=free, eta_s=eta, local=True) for place, (free, eta) in ways.items()
    )
    return Ask(
        line=name, quantity=quantity, kind="local", due_s=7200, tier=tier, candidates=candidates, allow_split=False
    )


def test_R2_a_general_line_takes_what_leaves_the_emergency_in_time() -> None:
    near, far = (1, 600), (1, 9000)
    found = divided([line("general", 2, {"NEAR": near, "FAR": far}), line("emergency", 0, {"NEAR": near, "FAR": far})])
    assert found == {"emergency": ("NEAR", "PSU"), "general": ("FAR", "PSU")}


def test_R2_everybody_is_served_where_one_by_one_somebody_would_not_be() -> None:
    both = {"NEAR": (1, 600), "FAR": (1, 700)}
    found = divided([line("first", 1, both), line("second", 1, {"NEAR": (1, 600)})])
    assert found == {"first": ("FAR", "PSU"), "second": ("NEAR", "PSU")}


def test_lines_of_several_pieces_take_what_is_left_the_most_urgent_first() -> None:
    ways = {"NEAR": (4, 600)}
    found = divided([line("two", 2, ways, 2), line("three", 1, ways, 3), line("one", 2, ways)])
    assert found == {"one": ("NEAR", "PSU"), "three": ("NEAR", "PSU")}


LINES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 3), st.sets(st.sampled_from("ABC"), min_size=1)), max_size=8
)


@settings(max_examples=60, deadline=None)
@given(LINES, st.tuples(*(st.integers(0, 3) for _ in range(3))))
def test_no_shelf_gives_more_than_it_has(drawn: list[tuple[int, int, set[str]]], free: tuple[int, int, int]) -> None:
    stock = dict(zip("ABC", free, strict=True))
    asks = [
        line(str(at), tier, {place: (stock[place], 600) for place in sorted(places) if stock[place]}, quantity)
        for at, (tier, quantity, places) in enumerate(drawn)
    ]
    found = divided(asks)
    for place, pieces in stock.items():
        assert sum(ask.quantity for ask in asks if found.get(ask.line, ("", ""))[0] == place) <= pieces
