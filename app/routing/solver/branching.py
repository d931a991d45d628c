"""Branch and price (Barnhart and others 1998): the best division of whole bundles, level by level of R2, with its proof.

A node opens some bundles of each order; its linear program says what every division within costs at least. Where bundles
are chosen in part, the order is split by one question: served or not, does it go to this place, does it take from this shelf.
"""

import heapq
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.routing.solver.bundles import Array, Bundles, fits
from app.routing.solver.master import NEVER, SLIP, WHOLE, Goal, Master, Open, Relaxed
from app.routing.solver.orders import LEVELS, PRICE, TIERS
from app.routing.solver.pooled import Pooled

BOUND_S = 0.3
"""More than the time that was given, for the first bound: without it nobody knows what a plan is worth."""
LATER = 0.6
"""Of the time that is left: kept for another way, when it is not known whether this one leads anywhere."""
MOST_NODES = 100
"""Looked at for a first guess."""
LOOKED, TRIED = 12, 4
"""Questions that promise most, and how many of them are tried at a node where nobody has tried them before."""
HEAVIER = 30
"""A miss weighs so much more than one of the next tier, where all are weighed together."""
HALF = 0.02
"""Parts nearer to none or whole than this are no question."""


@dataclass(frozen=True, slots=True)
class Divided:
    """The bundle of each served order, what that comes to, the levels proven, and below what the next cannot be."""

    bundles: dict[int, int]
    value: tuple[int, ...]
    proven: int
    bound: int


@dataclass(frozen=True, slots=True)
class _Question:
    """Which of an order's bundles (its stretch) are meant, and how far they are chosen."""

    key: tuple[int, int, int]
    these: Array
    part: float

    @property
    def order(self) -> int:
        return self.key[0]


def divide(bundles: Bundles, start: dict[int, int], *, pools: Pooled | None, end: float) -> Divided:
    """The best division by R2, as far as the process's own clock says before `end`; never worse than `start`.

    What the pools allow can mostly be reached: then the price alone is left. Else it is one level after the other.
    """
    if pools is not None and len(pools.least) == 2 * TIERS:
        found = _straight(bundles, start, pools, end)
        if found is not None:
            return found
    start = _guessed(bundles, start, end)
    return _stepwise(bundles, start, pools, end)


def _straight(bundles: Bundles, start: dict[int, int], pools: Pooled, end: float) -> Divided | None:
    """The cheapest division that misses no more than the pools say, or None if none was found at once."""
    master, live = Master(bundles), _all(bundles)
    for level, least in enumerate(pools.least):
        live = _kept(master, level, least, live)
    reached = bundles.worth(start)
    begin = start if reached[: 2 * TIERS] == pools.least else {}
    tree = _Tree(master, Goal.level(bundles, PRICE), begin, live, cost=reached[PRICE] if begin else _dearest(bundles))
    bound = tree.grown(end, patience=None if begin else MOST_NODES)
    if not tree.best:
        return None
    value = bundles.worth(tree.best)
    return Divided(tree.best, value, LEVELS if bound == value[PRICE] else PRICE, bound)


def _stepwise(bundles: Bundles, best: dict[int, int], pools: Pooled | None, end: float) -> Divided:
    """One level after the other; the pools' word holds as long as all before it was as they say."""
    master, live = Master(bundles), _all(bundles)
    value, least = bundles.worth(best), () if pools is None else pools.least
    for level in range(PRICE + 1):
        floor = least[level] if level < len(least) and value[:level] == least[:level] else 0
        if value[level] > floor:
            tree = _Tree(master, Goal.level(bundles, level), best, live, cost=value[level], floor=floor)
            bound = tree.grown(end)
            if tree.cost < value[level]:
                best, value = tree.best, bundles.worth(tree.best)
            if bound < value[level]:
                return Divided(best, value, level, bound)
        live = _kept(master, level, value[level], live)
    return Divided(best, value, LEVELS, value[PRICE])


def _all(bundles: Bundles) -> Open:
    return Open(np.ones(len(bundles.order), bool), np.ones(len(bundles.missing), bool))


def _kept(master: Master, level: int, most: int, live: Open) -> Open:
    """No more of this level from now on; where that is nothing at all, all that has some is closed."""
    bundles = master.bundles
    if most:
        master.keep(level, most)
        return live
    return Open(live.bundles & (bundles.levels[:, level] == 0), live.misses & (bundles.missing[:, level] == 0))


def _dearest(bundles: Bundles) -> int:
    """More than any division costs."""
    piece = max((steps[-1][1] for steps in bundles.steps if steps), default=0)
    each = bundles.levels[:, PRICE].max(initial=0) + piece * bundles.pieces.sum(1).max(initial=0)
    return 1 + int(each) * len(bundles.missing)


def _guessed(bundles: Bundles, start: dict[int, int], end: float) -> dict[int, int]:
    """Few misses and little cost weighed together, and the linear program for that rounded; if it is better than `start`."""
    each = _dearest(bundles) // len(bundles.missing)
    goal, master = Goal.blend(bundles, np.array([HEAVIER**2 * each, HEAVIER * each, each])), Master(bundles)
    master.aim(goal, int(goal.missing.sum()) + _dearest(bundles))
    master.begin(list(start.values()))
    found = master.relaxed(end)
    return start if found is None else min(start, _rounded(bundles, found), key=bundles.worth)


def _rounded(bundles: Bundles, found: Relaxed) -> dict[int, int]:
    """Tier by tier, the surest order first, each the bundle that raises the bound least of those that still fit."""
    sure = np.zeros(len(bundles.missing))
    for one, part in found.takes.items():
        sure[bundles.order[one]] = max(sure[bundles.order[one]], part)
    left = np.append(bundles.free, 0)
    chosen = {}
    tier = np.argmax(bundles.missing[:, :TIERS] > 0, axis=1)
    for at in np.lexsort((-sure, tier)).tolist():
        stretch = slice(bundles.begins[at], bundles.begins[at + 1])
        shelf, pieces = bundles.shelf[stretch], bundles.pieces[stretch]
        raises = np.where(fits(shelf, pieces, left), found.raises[stretch], np.inf)
        if len(raises) and raises.min() <= found.miss_raises[at]:
            best = int(raises.argmin())
            chosen[at] = int(bundles.begins[at]) + best
            np.subtract.at(left, shelf[best], pieces[best])
    return chosen


class _Tree:
    """One level's search: the deepest open node first until nothing below it is better, then the lowest bound."""

    def __init__(
        self, master: Master, goal: Goal, best: dict[int, int], live: Open, *, cost: int, floor: int = 0
    ) -> None:
        self.master, self.bundles, self.goal = master, master.bundles, goal
        self.best, self.cost = best, cost
        self.live, self.floor = live, floor
        self.nodes, self.end, self.unsettled = 0, 0.0, NEVER
        self.places = self.bundles.place[self.bundles.shelf]
        self.gains: dict[tuple[int, int, int], tuple[float, float]] = {}

    def grown(self, end: float, *, patience: int | None = None) -> int:
        """Search until it is proven, time is up or so many nodes had nothing (`patience`); gives the bound, which is the
        best's own worth if it is proven."""
        self.end, begun = end, self.cost
        self.master.aim(self.goal, self.cost)
        self.master.restrict(self.live)
        self.master.begin(list(self.best.values()))
        waiting: list[tuple[int, int, Open]] = [(self.floor, 0, self.live)]
        end = end + BOUND_S if self.best else end - (end - time.process_time()) * LATER
        while waiting and self.cost > self.floor:
            bound, _, node = heapq.heappop(waiting)
            if bound >= self.cost:
                break
            below: Open | None = node
            while below is not None:
                self.nodes += 1
                self.master.restrict(below)
                found = self.master.relaxed(end, below=self.cost)
                end = self.end
                bound = bound if found is None else max(bound, found.bound)
                tired = patience is not None and self.cost == begun and self.nodes > patience
                if found is None or tired or not found.whole:
                    return min([bound, self.cost, self.unsettled, *(one[0] for one in waiting)])
                below, other = self._split(below, found)
                if other is not None:
                    heapq.heappush(waiting, (bound, -self.nodes, other))
        return min(self.cost, self.unsettled)

    def _split(self, node: Open, found: Relaxed) -> tuple[Open | None, Open | None]:
        """The two sides of the best question, the likelier first; nothing where there is none or nothing better."""
        if found.bound >= self.cost:
            return None, None
        if all(part > 1 - WHOLE for part in (*found.takes.values(), *found.misses.values())):
            self._taken(found)
            if found.bound < self.cost:  # the price beside it was heavier, or an order was left open
                self.unsettled = min(self.unsettled, found.bound)
            return None, None
        room = self.cost - 1 + SLIP
        node = Open(node.bundles & (found.raises <= room), node.misses & (found.miss_raises <= room))
        return self._asked(node, found, self._questions(found))

    def _taken(self, found: Relaxed) -> None:
        """Keep a choice of whole bundles, if each order has one or is missed."""
        whole = {int(self.bundles.order[one]): one for one in found.takes}
        cost = self.goal.cost(self.bundles, whole)
        if cost < self.cost and len(whole) + len(found.misses) == len(self.bundles.missing):
            self.best, self.cost = whole, cost

    def _questions(self, found: Relaxed) -> list[_Question]:
        """Whether an order is served; if all that is settled, where it goes; then what it takes; then which bundle."""
        parts = {one: part for one, part in found.takes.items() if part < 1 - WHOLE}
        misses = [(at, part) for at, part in found.misses.items() if HALF < part < 1 - HALF]
        if misses:
            return [_Question((at, 0, 0), np.ones(self._size(at), bool), 1 - part) for at, part in misses]
        for kind, column in enumerate((self.places, self.bundles.shelf), 1):
            if asked := list(self._taking(parts, kind, column)):
                return asked
        if not parts:
            at, part = min(found.misses.items(), key=lambda item: item[1])
            return [_Question((at, 0, 0), np.ones(self._size(at), bool), 1 - part)]
        one, part = max(parts.items(), key=lambda item: item[1])
        at = int(self.bundles.order[one])
        return [_Question((at, 3, one), np.arange(self._size(at)) == one - self.bundles.begins[at], part)]

    def _size(self, order: int) -> int:
        return int(self.bundles.begins[order + 1] - self.bundles.begins[order])

    def _taking(self, parts: dict[int, float], kind: int, column: Array) -> Iterator[_Question]:
        """Whether an order takes anything from what `column` (n, picks) numbers: places, or shelves."""
        known = self.bundles
        sums: dict[tuple[int, int], float] = defaultdict(float)
        for one, part in parts.items():
            for each in set(column[one][known.pieces[one] > 0].tolist()):
                sums[int(known.order[one]), each] += part
        for (at, each), part in sums.items():
            if HALF < part < 1 - HALF:
                stretch = slice(known.begins[at], known.begins[at + 1])
                these = ((column[stretch] == each) & (known.pieces[stretch] > 0)).any(1)
                yield _Question((at, kind, each), these, part)

    def _asked(self, node: Open, found: Relaxed, questions: list[_Question]) -> tuple[Open | None, Open | None]:
        """The sides of the question whose answers raise the bound most, as far as others or a trial told."""
        if len(questions) > 1:
            self._try(node, found, questions)
        question = max(questions, key=lambda one: self._worth(one, (0.0, 0.0)))
        yes, no = self._estimate(question, (0.0, 0.0))
        sides = self._sides(node, question)
        if any(side.same_as(node) for side in sides):  # an order is left open rather than served at what it costs
            self.unsettled = min(self.unsettled, found.bound)
            return None, None
        return sides if yes <= no else sides[::-1]

    def _try(self, node: Open, found: Relaxed, questions: list[_Question]) -> None:
        """Learn what the answers to the questions that promise most would raise, where nobody knows yet."""
        usual = (1.0, 1.0)
        if self.gains:
            yes, no = np.mean(list(self.gains.values()), axis=0).tolist()
            usual = (yes, no)
        best = heapq.nlargest(LOOKED, questions, key=lambda one: self._worth(one, usual))
        for question in [one for one in best if one.key not in self.gains][:TRIED]:
            yes, no = (self._gain(side, found.value) for side in self._sides(node, question))
            self.gains[question.key] = yes / (1 - question.part), no / question.part
            if time.process_time() > self.end:
                break

    def _estimate(self, question: _Question, usual: tuple[float, float]) -> tuple[float, float]:
        yes, no = self.gains.get(question.key, usual)
        return yes * (1 - question.part), no * question.part

    def _worth(self, question: _Question, usual: tuple[float, float]) -> float:
        yes, no = self._estimate(question, usual)
        least = WHOLE * max(1, self.cost)
        return max(yes, least) * max(no, least)

    def _gain(self, side: Open, value: float) -> float:
        self.master.restrict(side)
        reached = self.master.solved()
        return max(0.0, (self.cost if reached is None else min(reached, self.cost)) - value)

    def _sides(self, node: Open, question: _Question) -> tuple[Open, Open]:
        """These bundles and not missed; none of these."""
        stretch = slice(self.bundles.begins[question.order], self.bundles.begins[question.order + 1])
        these, others, misses = node.bundles.copy(), node.bundles.copy(), node.misses.copy()
        these[stretch] &= question.these
        others[stretch] &= ~question.these
        misses[question.order] = False
        return Open(these, misses), Open(others, node.misses)
