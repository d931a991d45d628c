"""Which place gives which part for a line (R1, R2, P4), for one line by a sorted scan, for several exactly.

Prices are minor units of one currency; times are seconds from now. No stock is held here: the caller reserves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from app.core.errors import Fact, Reason
from app.routing.rules.facts import readable

MOST_STEPS = 5_000
WORTH_TELLING = "0.05"
"""Of a later local hit at stake, from which on a choice says so."""

Key = tuple[int | str, ...]
Shelf = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One place that has a part the line may take.

    `eta_s` is when it would be fitted at the site (for a national line: when it arrives), `handover_s` when a carrier
    would have it; None where no courier, lane or open hour reaches. `piece_prices_minor` is what the first, second …
    piece taken costs the next local commitment (depletion, not decreasing); beyond its end the last price holds.
    `piece_risks` are the same in later local hits at stake, which is how the price is told.
    `ours` false is reported stock that a partner still confirms.
    """

    place: str
    part: str
    free: int
    eta_s: int | None
    handover_s: int | None = None
    substitute: bool = False
    ours: bool = True
    local: bool = False
    cost_minor: int = 0
    piece_prices_minor: tuple[int, ...] = ()
    piece_risks: tuple[float, ...] = ()

    @property
    def shelf(self) -> Shelf:
        return self.place, self.part

    def depletion_minor(self, pieces: int) -> int:
        """Shadow price of taking so many pieces, the cheapest first."""
        listed = self.piece_prices_minor[:pieces]
        return sum(listed) + (max(0, pieces - len(listed)) * self.piece_prices_minor[-1] if listed else 0)

    def hits_at_stake(self, pieces: int) -> str:
        """Later local hits that taking so many pieces is expected to cost, to two places: `0.36`."""
        return f"{sum(self.piece_risks[:pieces]):.2f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One line: so many pieces by a deadline. `kind` says which event meets it: `local` fitted (C1), `national` handed
    to a carrier (C2)."""

    line: str
    quantity: int
    kind: str
    due_s: int
    tier: int = 2
    candidates: tuple[Candidate, ...] = ()
    allow_split: bool = True


@dataclass(frozen=True, slots=True)
class Pick:
    """So many pieces of a line from one candidate, and whether they keep the commitment."""

    line: str
    candidate: Candidate
    quantity: int
    late_s: int


@dataclass(frozen=True, slots=True)
class Alternative:
    """A way not taken and why: the first thing in R2's order in which it is worse, and by how much.

    `eta_s` and `late_s` are seconds from now and past the commitment, None where nothing reaches. `cost_minor` is what
    it weighs, the price of the pieces included, `hits` the share of future local commitments that they put at stake.
    """

    line: str
    place: str
    part: str
    reason: Reason
    eta_s: int | None = None
    late_s: int | None = None
    cost_minor: int = 0
    hits: str = "0.00"


@dataclass(frozen=True, slots=True)
class Choice:
    """Where everything comes from. `proven` false: the bound on effort ended the search early."""

    picks: tuple[Pick, ...]
    reasons: tuple[Reason, ...]
    alternatives: tuple[Alternative, ...]
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Shortage:
    """Some line cannot be had whole; all lines are then without a source (all or none)."""

    line: str
    asked: int
    free: Mapping[str, int]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One way to serve a whole line."""

    picks: tuple[Pick, ...]
    key: tuple[int, ...]
    places: frozenset[str] = field(default_factory=frozenset)


def late_s(candidate: Candidate, ask: Ask) -> int | None:
    """Seconds past the commitment with this candidate, 0 if met (exactly at the due instant is met), None: never."""
    at = candidate.eta_s if ask.kind == "local" else candidate.handover_s
    return None if at is None else max(0, at - ask.due_s)


def choose_sources(asks: Sequence[Ask], *, most_steps: int = MOST_STEPS) -> Choice | Shortage:
    """Where the lines of one request come from, by R2: commitments, lateness, the asked part before a substitute (P4),
    few sources, early arrival (national), own stock, then cost with depletion.

    All lines or none. One line is a scan; several that share stock or trips are searched exactly by branch and bound,
    within `most_steps` (`Choice.proven`).
    """
    options: list[list[Option]] = []
    for ask in asks:
        found = sorted(options_of(ask), key=lambda option: option.key)
        if not found:
            return _shortage(ask)
        options.append(found)
    best, steps = _branch(asks, options, most_steps)
    if best is None:
        return _shortage(_scarcest(asks), competing=True)
    return _choice(asks, best, proven=steps < most_steps)


def choice_of(asks: Sequence[Ask], picks: Sequence[Pick], *, proven: bool) -> Choice:
    """These picks as a choice, with the reasons for each and the ways not taken."""
    best = [_option(ask, [(pick.candidate, pick.quantity) for pick in picks if pick.line == ask.line]) for ask in asks]
    return _choice(asks, best, proven=proven)


def _choice(asks: Sequence[Ask], best: Sequence[Option], *, proven: bool) -> Choice:
    picks = tuple(pick for option in best for pick in option.picks)
    reasons = tuple(readable(reason) for reason in _reasons(asks, best))
    return Choice(picks, reasons, _alternatives(asks, best), proven=proven)


def _option(ask: Ask, parts: Sequence[tuple[Candidate, int]]) -> Option:
    picks = tuple(Pick(ask.line, candidate, pieces, _late(candidate, ask)) for candidate, pieces in parts)
    places = frozenset(pick.candidate.place for pick in picks)
    return Option(picks, _key(ask, picks), places)


def _late(candidate: Candidate, ask: Ask) -> int:
    """Lateness as a number; what never arrives is later than anything that does."""
    late = late_s(candidate, ask)
    return 1 << 40 if late is None else late


def _key(ask: Ask, picks: Sequence[Pick]) -> tuple[int, ...]:
    """R2 for one line by itself: all but the number of sources adds up over lines. Tiers in front of kinds."""
    late = max(pick.late_s for pick in picks)
    missed = [int(late > 0 and ask.tier == tier) for tier in (0, 1, 2)]
    over = [late * (ask.tier == tier) for tier in (0, 1, 2)]
    candidates = [pick.candidate for pick in picks]
    arrival = max(each.eta_s or 0 for each in candidates) if ask.kind == "national" else 0
    price = sum(pick.candidate.cost_minor + pick.candidate.depletion_minor(pick.quantity) for pick in picks)
    foreign = sum(not each.ours for each in candidates)
    swapped = sum(pick.quantity for pick in picks if pick.candidate.substitute)
    soonest = max(each.eta_s or 0 for each in candidates)
    return (*missed, *over, swapped, len(picks), arrival, foreign, price, soonest)


def options_of(ask: Ask) -> Iterator[Option]:
    """Whole from one place, or, only if it may be split, from as few as possible: pairs, else a greedy filling."""
    stocked = [each for each in ask.candidates if each.free > 0]
    for candidate in stocked:
        if candidate.free >= ask.quantity:
            yield _option(ask, [(candidate, ask.quantity)])
    if not ask.allow_split or ask.quantity == 1:
        return
    for one, other in combinations(stocked, 2):
        if max(one.free, other.free) < ask.quantity <= one.free + other.free:
            for first, second in ((one, other), (other, one)):
                yield _option(ask, [(first, first.free), (second, ask.quantity - first.free)])
        elif one.free + other.free > ask.quantity and min(one.free, other.free) < ask.quantity:
            few, many = sorted((one, other), key=lambda each: each.free)
            yield _option(ask, [(few, few.free), (many, ask.quantity - few.free)])
    yield from _filled(ask, stocked)


def _filled(ask: Ask, stocked: list[Candidate]) -> Iterator[Option]:
    """Three or more places: filled in the order of each one's own key."""
    parts, left = [], ask.quantity
    for candidate in sorted(stocked, key=lambda each: _option(ask, [(each, min(each.free, ask.quantity))]).key):
        if left > 0:
            parts.append((candidate, min(candidate.free, left)))
            left -= parts[-1][1]
    if left == 0 and len(parts) > 2:
        yield _option(ask, parts)


def _branch(
    asks: Sequence[Ask], options: Sequence[Sequence[Option]], most_steps: int
) -> tuple[tuple[Option, ...] | None, int]:
    """The best combination by summed key with sources counted once per place, lines in the order given.

    The bound of a partial choice is its own sum plus the best of each open line; sources only ever grow.
    """
    floors = [tuple(min(column) for column in zip(*(each.key for each in line), strict=True)) for line in options]
    rest = [(0,) * len(floors[0])] if floors else []
    for floor in reversed(floors):
        rest.append(tuple(map(sum, zip(rest[-1], floor, strict=True))))
    rest.reverse()
    stock = {each.shelf: each.free for ask in asks for each in ask.candidates}
    free = dict(stock)
    best: tuple[tuple[int, ...], tuple[Option, ...]] | None = None
    steps = 0

    def total(key: tuple[int, ...], places: frozenset[str]) -> tuple[int, ...]:
        return (*key[:7], len(places), *key[7:])

    def go(at: int, chosen: tuple[Option, ...], key: tuple[int, ...], places: frozenset[str]) -> None:
        nonlocal best, steps
        bound = total(tuple(map(sum, zip(key, rest[at], strict=True))), places)
        if steps >= most_steps * (1 if best is not None else 20):
            return
        steps += 1
        if best is not None and bound >= best[0]:
            return
        if at == len(options):
            best = (bound, chosen)
            return
        for option in options[at]:
            if all(free[pick.candidate.shelf] >= pick.quantity for pick in option.picks):
                more = sum(
                    _emptier(pick, taken=stock[pick.candidate.shelf] - free[pick.candidate.shelf])
                    for pick in option.picks
                )
                for pick in option.picks:
                    free[pick.candidate.shelf] -= pick.quantity
                own = (*option.key[:10], option.key[10] + more, option.key[11])
                go(at + 1, (*chosen, option), tuple(map(sum, zip(key, own, strict=True))), places | option.places)
                for pick in option.picks:
                    free[pick.candidate.shelf] += pick.quantity

    if options:
        go(0, (), (0,) * len(floors[0]), frozenset())
    return (best[1] if best else None), steps


def _emptier(pick: Pick, *, taken: int) -> int:
    """What the pieces cost more because other lines took some from the shelf before."""
    if not taken:
        return 0
    price = pick.candidate.depletion_minor
    return price(taken + pick.quantity) - price(taken) - price(pick.quantity)


def _shortage(ask: Ask, *, competing: bool = False) -> Shortage:
    """What is free for the line, place by place; `competing`: its sister lines take it."""
    free: dict[str, int] = {}
    for each in ask.candidates:
        free[each.place] = free.get(each.place, 0) + each.free
    code = "routing.source_competing" if competing else "routing.source_short"
    facts: dict[str, Fact] = {"line": ask.line, "asked": ask.quantity, "free": sum(free.values())}
    return Shortage(ask.line, ask.quantity, free, (Reason("S3", code, facts),))


def _scarcest(asks: Sequence[Ask]) -> Ask:
    return min(asks, key=lambda ask: sum(each.free for each in ask.candidates) - ask.quantity)


def _reasons(asks: Sequence[Ask], best: Sequence[Option]) -> tuple[Reason, ...]:
    """Why each pick: chosen, and what is special about it."""
    reasons = []
    for ask, option in zip(asks, best, strict=True):
        for pick in option.picks:
            taken = pick.candidate
            facts: dict[str, Fact] = {
                "line": ask.line,
                "place": taken.place,
                "part": taken.part,
                "quantity": pick.quantity,
            }
            reasons.append(Reason("R1", "routing.source_chosen", facts))
            if taken.substitute:
                reasons.append(Reason("P4", "routing.source_substitute", facts))
            if _unreachable(taken, ask):
                reasons.append(Reason("C7", "routing.source_unreachable", facts))
            elif pick.late_s:
                reasons.append(Reason("C7", "routing.source_too_late", {**facts, "late_s": pick.late_s}))
            hits = taken.hits_at_stake(pick.quantity)
            if hits >= WORTH_TELLING:
                reasons.append(Reason("R2", "routing.source_at_stake", {**facts, "left": taken.free, "hits": hits}))
        if len(option.picks) > 1:
            split: dict[str, Fact] = {"line": ask.line, "places": [pick.candidate.place for pick in option.picks]}
            reasons.append(Reason("IS7", "routing.source_split", split))
    return tuple(reasons)


def _alternatives(asks: Sequence[Ask], best: Sequence[Option]) -> tuple[Alternative, ...]:
    """The runners-up of each line, the next best first."""
    found = []
    for ask, option in zip(asks, best, strict=True):
        taken = {pick.candidate.shelf for pick in option.picks}
        others = [each for each in ask.candidates if each.shelf not in taken]
        found += [_alternative(each, ask, option) for each in sorted(others, key=lambda each: _rank(each, ask))]
    return tuple(found)


def _rank(candidate: Candidate, ask: Ask) -> tuple[bool, tuple[int, ...], Shelf]:
    """Whole ones before too small ones, then by R2."""
    return candidate.free < ask.quantity, _option(ask, [(candidate, ask.quantity)]).key, candidate.shelf


def _alternative(other: Candidate, ask: Ask, chosen: Option) -> Alternative:
    return Alternative(
        ask.line,
        other.place,
        other.part,
        readable(_why_not(other, ask, chosen)),
        eta_s=other.eta_s if ask.kind == "local" or other.handover_s is None else other.handover_s,
        late_s=late_s(other, ask),
        cost_minor=other.cost_minor + other.depletion_minor(ask.quantity),
        hits=other.hits_at_stake(ask.quantity),
    )


def _unreachable(candidate: Candidate, ask: Ask) -> bool:
    return late_s(candidate, ask) is None


def _why_not(other: Candidate, ask: Ask, chosen: Option) -> Reason:
    """The first thing in R2's order in which the other way is worse (R6)."""
    if other.free < ask.quantity:
        return Reason("S3", "routing.source_short", {"line": ask.line, "asked": ask.quantity, "free": other.free})
    if _unreachable(other, ask):
        return Reason("R1", "routing.source_unreachable", {"place": other.place})
    own = _option(ask, [(other, ask.quantity)])
    at = next((index for index, pair in enumerate(zip(own.key, chosen.key, strict=True)) if pair[0] != pair[1]), None)
    if at is None or own.key < chosen.key:
        return Reason("R2", "routing.source_more_trips", {"place": other.place})
    by = own.key[at] - chosen.key[at]
    if at < 6:
        return Reason("R2", "routing.source_too_late", {"place": other.place, "late_s": own.picks[0].late_s})
    if at == 6:
        return Reason("P4", "routing.source_substitute_needless", {"place": other.place, "part": other.part})
    if at == 10:
        return _dearer(other, ask, chosen, by)
    codes = {7: "routing.source_more_trips", 9: "routing.source_unconfirmed"}
    return Reason("R2", codes.get(at, "routing.source_later"), {"place": other.place, "by_s": by})


def _dearer(other: Candidate, ask: Ask, chosen: Option, by_minor: int) -> Reason:
    """Dearer outright, or only because it would empty a shelf."""
    depletion = other.depletion_minor(ask.quantity)
    nearer = max(pick.candidate.eta_s or 0 for pick in chosen.picks) - (other.eta_s or 0)
    if depletion >= by_minor:
        facts: dict[str, Fact] = {
            "place": other.place,
            "depletion_minor": depletion,
            "by_minor": by_minor,
            "nearer_s": max(0, nearer),
            "left": other.free,
            "hits": other.hits_at_stake(ask.quantity),
        }
        return Reason("R2", "routing.source_last_piece", facts)
    return Reason("R2", "routing.source_dearer", {"place": other.place, "by_minor": by_minor})
