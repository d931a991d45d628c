"""Sources: the price of the last piece, one line by scan, several lines against brute force, many by flow."""

import random
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing.rules.depletion import erlang_loss, last_piece_price, piece_prices, piece_risks
from app.routing.rules.sourcing import Ask, Candidate, Choice, Shortage, choose_sources, late_s
from app.routing.solver.flow import Assignment, assign_lines

PSU, FAN = "PSU-12V-5A", "FAN-80"


def own(place: str, eta_s: int | None, **other: object) -> Candidate:
    return Candidate(**{"place": place, "part": PSU, "free": 1, "eta_s": eta_s, "local": True, **other})  # type: ignore[arg-type]


def ask(*candidates: Candidate, **other: object) -> Ask:
    facts = {"line": "1", "quantity": 1, "kind": "local", "due_s": 7200, "candidates": candidates}
    return Ask(**{**facts, **other})  # type: ignore[arg-type]


def chosen(*asks: Ask) -> list[tuple[str, str, int]]:
    found = choose_sources(asks)
    assert isinstance(found, Choice)
    return [(pick.candidate.place, pick.candidate.part, pick.quantity) for pick in found.picks]


@pytest.mark.parametrize(
    ("base_stock", "load", "prices"),
    [
        (3, 1.2, [0.089776, 0.164589, 0.364090]),
        (5, 4.0, [0.199067, 0.248834, 0.323484, 0.441680, 0.640747]),
        (1, 0.5, [0.333333]),
    ],
)
def test_R2_price_of_the_last_piece(base_stock: int, load: float, prices: list[float]) -> None:
    found = [last_piece_price(base_stock, base_stock - missing, load) for missing in range(base_stock)]
    assert found == pytest.approx(prices, abs=1e-6)
    assert last_piece_price(base_stock, base_stock + 5, load) == pytest.approx(prices[0], abs=1e-6)
    assert last_piece_price(base_stock, 0, load) == pytest.approx(prices[-1], abs=1e-6)


@given(st.integers(1, 40), st.floats(0.01, 60))
def test_R2_shelf_prices_rise_with_every_piece_taken(base_stock: int, load: float) -> None:
    risks = piece_risks(base_stock, base_stock, load)
    prices = piece_prices(risks, 1_000_000)
    assert list(prices) == sorted(prices)
    assert piece_risks(base_stock, base_stock, load, most=2) == risks[:2]
    assert len(prices) == base_stock
    assert 0 <= erlang_loss(base_stock, load) <= 1


def test_R2_no_demand_or_no_plan_costs_nothing_and_nonsense_is_refused() -> None:
    assert last_piece_price(3, 1, 0.0) == last_piece_price(0, 1, 2.0) == 0.0
    with pytest.raises(ValueError):
        erlang_loss(3, -1.0)


@pytest.mark.parametrize(
    ("better", "worse", "code"),
    [
        (own("B", 7200), own("A", 7201), "routing.source_too_late"),
        (own("B", 7000), own("A", None), "routing.source_unreachable"),
        (own("B", 7000), own("A", 600, free=0), "routing.source_short"),
        (own("B", 7000), own("A", 600, part="PSU-NEW", substitute=True), "routing.source_substitute_needless"),
        (own("B", 7000), own("A", 600, ours=False), "routing.source_unconfirmed"),
        (own("B", 3000, cost_minor=10), own("A", 600, cost_minor=11), "routing.source_dearer"),
        (own("B", 3000), own("A", 2640, piece_prices_minor=(3600,)), "routing.source_last_piece"),
        (own("B", 3000), own("A", 3001), "routing.source_later"),
        (own("B", 9000), own("A", 9001), "routing.source_too_late"),
    ],
)
def test_R6_one_line_takes_the_better_and_says_why_not_the_other(
    better: Candidate, worse: Candidate, code: str
) -> None:
    for order in ([better, worse], [worse, better]):
        found = choose_sources([ask(*order)])
        assert isinstance(found, Choice)
        assert [pick.candidate for pick in found.picks] == [better]
        assert [(other.place, other.reason.code) for other in found.alternatives] == [("A", code)]


def test_R6_the_last_piece_is_told_in_minutes_and_money() -> None:
    last = own("A", 2640, piece_prices_minor=(3600,), piece_risks=(0.364090,))
    found = choose_sources([ask(own("B", 3000), last)])
    assert isinstance(found, Choice)
    facts = found.alternatives[0].reason.facts
    assert (facts["nearer_min"], facts["depletion_minor"], facts["hits"], facts["left"]) == (6, 3600, "0.36", 1)
    alone = choose_sources([ask(last)])
    assert isinstance(alone, Choice)
    assert [(one.code, one.facts.get("hits")) for one in alone.reasons] == [
        ("routing.source_chosen", None),
        ("routing.source_at_stake", "0.36"),
    ]


def test_P4_a_substitute_is_used_only_where_the_asked_part_cannot_keep_the_commitment() -> None:
    late, swap = own("A", 9000), own("B", 7000, part="PSU-NEW", substitute=True)
    assert chosen(ask(late, swap)) == [("B", "PSU-NEW", 1)]
    found = choose_sources([ask(late, swap)])
    assert isinstance(found, Choice)
    assert [reason.rule for reason in found.reasons] == ["R1", "P4"]


def test_C2_a_national_line_is_judged_by_hand_over_then_by_arrival() -> None:
    slow = own("slow", 90_000, handover_s=1_000, local=False)
    fast = own("fast", 40_000, handover_s=20_000, local=False, cost_minor=99)
    missed = own("missed", 30_000, handover_s=28_801, local=False)
    assert chosen(ask(slow, fast, missed, kind="national", due_s=28_800)) == [("fast", PSU, 1)]


def test_an_emergency_is_never_refused_for_price() -> None:
    dear = own("A", 3000, piece_prices_minor=(10**9,))
    assert chosen(ask(dear, own("B", 7300), tier=0)) == [("A", PSU, 1)]


def test_IS7_a_line_is_split_only_where_it_may_and_helps() -> None:
    two, one, other = own("A", 9000, free=2), own("B", 600), own("C", 700)
    assert chosen(ask(two, one, other, quantity=2)) == [("B", PSU, 1), ("C", PSU, 1)]
    assert chosen(ask(two, one, other, quantity=2, allow_split=False)) == [("A", PSU, 2)]
    assert chosen(ask(own("A", 6000, free=2), one, other, quantity=2)) == [("A", PSU, 2)]
    assert sorted(chosen(ask(one, other, own("D", 800), own("E", 900), quantity=4))) == [
        (place, PSU, 1) for place in "BCDE"
    ]


def test_S3_a_shortage_says_what_is_free_where() -> None:
    found = choose_sources([ask(own("A", 600), own("B", 600, free=2), quantity=4)])
    assert isinstance(found, Shortage)
    assert (found.asked, dict(found.free)) == (4, {"A": 1, "B": 2})
    shared = own("A", 600)
    both = choose_sources([ask(shared), ask(shared, line="2")])
    assert isinstance(both, Shortage)
    assert both.reasons[0].code == "routing.source_competing"
    assert isinstance(choose_sources([ask()]), Shortage)


def test_R2_lines_share_a_source_when_the_commitment_is_equal() -> None:
    psu = ask(own("A", 600), own("B", 5000))
    fan = ask(own("C", 600, part=FAN), own("B", 5000, part=FAN), line="2")
    assert chosen(psu, fan) == [("B", PSU, 1), ("B", FAN, 1)]
    late_fan = replace(fan, candidates=(own("C", 600, part=FAN), own("B", 8000, part=FAN)))
    assert chosen(psu, late_fan) == [("A", PSU, 1), ("C", FAN, 1)]


def random_asks(seed: int, lines: int, places: int) -> list[Ask]:
    rng = random.Random(seed)
    free = {(place, part): rng.randrange(3) for place in range(places) for part in (PSU, FAN)}
    found = []
    for number in range(lines):
        part = rng.choice((PSU, FAN))
        candidates = tuple(
            Candidate(
                place=f"P{place}",
                part=part,
                free=free[place, part],
                eta_s=rng.choice((None, 600, 3600, 7200, 9000, 12000)),
                substitute=rng.random() < 0.3,
                cost_minor=rng.randrange(50),
                piece_prices_minor=(1, 4, 20)[: free[place, part]],
            )
            for place in range(places)
        )
        found.append(ask(*candidates, line=str(number), tier=rng.randrange(3)))
    return found


def brute(asks: list[Ask], *, sources: bool) -> tuple[int, ...] | None:
    """The best summed value over all combinations; with `sources` every line must be served."""
    best: tuple[int, ...] | None = None
    for picked in product(*[[*line.candidates, None] for line in asks]):
        taken: dict[tuple[str, str], int] = {}
        for each in picked:
            if each is not None:
                taken[each.shelf] = taken.get(each.shelf, 0) + 1
        free = {each.shelf: each.free for line in asks for each in line.candidates}
        unreached = any(each and late_s(each, line) is None for each, line in zip(picked, asks, strict=True))
        if any(taken[shelf] > free[shelf] for shelf in taken) or (sources and None in picked):
            continue
        if not sources and unreached:
            continue
        found = value(asks, list(picked), sources=sources)
        best = found if best is None else min(best, found)
    return best


def value(asks: list[Ask], picked: list[Candidate | None], *, sources: bool) -> tuple[int, ...]:
    misses, over, swapped, price = [0, 0, 0], [0, 0, 0], 0, 0
    shelves: dict[tuple[str, str], list[Candidate]] = {}
    for line, each in zip(asks, picked, strict=True):
        late = late_s(each, line) if each else None
        late = (1 << 40 if sources else 1_000_000) if late is None else late
        misses[line.tier] += late > 0
        over[line.tier] += late
        if each:
            swapped += each.substitute
            price += each.cost_minor
            shelves.setdefault(each.shelf, []).append(each)
    if not sources:
        price += sum(each[0].depletion_minor(len(each)) for each in shelves.values())
        return (*misses, *over, swapped, price)
    return (*misses, *over, swapped, len({each.place for each in picked if each}))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4))
def test_R2_several_lines_equal_brute_force(seed: int, lines: int, places: int) -> None:
    asks = random_asks(seed, lines, places)
    found, best = choose_sources(asks), brute(asks, sources=True)
    if isinstance(found, Shortage):
        assert best is None
        return
    assert found.proven
    picked: list[Candidate | None] = [pick.candidate for pick in found.picks]
    assert value(asks, picked, sources=True) == best


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 3))
def test_R2_the_flow_equals_brute_force(seed: int, lines: int, places: int) -> None:
    asks = random_asks(seed, lines, places)
    found = assign_lines(asks)
    got = {pick.line: pick.candidate for pick in found.picks}
    assert sorted([*got, *found.unserved]) == sorted(line.line for line in asks)
    assert value(asks, [got.get(line.line) for line in asks], sources=False) == brute(asks, sources=False)


def test_R2_in_a_flow_ten_general_lines_never_outweigh_one_emergency() -> None:
    last = own("A", 600, piece_prices_minor=(10**8,), cost_minor=10**8)
    general = [ask(last, line=f"g{n}") for n in range(10)]
    found = assign_lines([*general, ask(last, line="e", tier=0)])
    assert [pick.line for pick in found.picks] == ["e"]


def test_a_flow_takes_single_pieces_and_nothing_at_all() -> None:
    with pytest.raises(ValueError):
        assign_lines([ask(own("A", 600), quantity=2)])
    assert assign_lines([]) == Assignment((), ())
    assert assign_lines([ask()]) == Assignment((), ("1",))


def test_eight_lines_at_a_dozen_places_end_within_the_bound() -> None:
    asks = [
        ask(
            *[own(f"P{place}", 600 + 10 * ((place * 7 + number) % 12), part=f"X{number}") for place in range(12)],
            line=str(number),
        )
        for number in range(8)
    ]
    found = choose_sources(asks)
    assert isinstance(found, Choice)
    assert len({pick.candidate.place for pick in found.picks}) == 1
