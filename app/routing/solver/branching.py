"""Branch and price (Barnhart and others 1998): the cheapest division of whole bundles, with its proof.

A node opens some bundles of each order; its linear program says what every division within costs at least. Where bundles
are chosen in part, the order is split by one question: served or not, does it go to this place, does it take from this shelf.
"""

import heapq
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from app.routing.solver.bundles import Array, Bundles, best_of_each
from app.routing.solver.master import NEVER, SLIP, WHOLE, Master, Open, Relaxed
from app.routing.solver.orders import PRICE
from app.routing.solver.sat import solver_for

BOUND_S = 0.3
"""More than the time that was given, for the first bound: without it nobody knows what a plan is worth."""
NEAR = 10
"""Bundles of each order that CP-SAT chooses among, where the search found nothing."""
LAST = 0.35
"""Of the time: kept for that."""
PLUNGE = 0.7
"""How far what is asked first is chosen in part, as long as nothing was found: sure enough to lead somewhere soon."""
LOOKED, TRIED = 12, 4
"""Questions that promise most, and how many of them are tried at a node where nobody has tried them before."""
DIVES, SURE = (4, 16, 64, 256), 0.9
"""Nodes at which orders are settled at once, where that may find something better, and how sure those are that go first."""
HALF = 0.02
"""Parts nearer to none or whole than this are no question."""


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The bundle of each served order, what their price comes to, and below what no division's can be."""

    bundles: dict[int, int]
    price: int
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


def cheapest(bundles: Bundles, start: dict[int, int], *, end: float) -> Cheapest:
    """The cheapest division that is no worse than `start` in any level before the price, as far as the process's own clock
    says before `end`."""
    value = bundles.worth(start)
    none = [level for level in range(PRICE) if not value[level]]
    live = Open((bundles.levels[:, none] == 0).all(1), (bundles.missing[:, none] == 0).all(1))
    tree = _Tree(Master(bundles, value[:PRICE]), start, live, value[PRICE])
    bound = tree.grown(end)
    return Cheapest(tree.best, tree.price, bound)


class _Among:
    """The choice of CP-SAT among those bundles of each order that raise the bound least, and those of a division that it
    begins with."""

    def __init__(self, bundles: Bundles, found: Relaxed, start: dict[int, int]) -> None:
        some = np.flatnonzero(np.isfinite(found.raises))
        near = some[best_of_each(bundles.order[some], found.raises[some], NEAR)].tolist()
        self.bundles, self.start, self.model = bundles, start, cp_model.CpModel()
        self.takes = {one: self.model.new_bool_var("") for one in sorted({*near, *start.values()})}
        self.misses = [self.model.new_bool_var("") for _ in bundles.missing]
        self._rows()
        for one, taken in self.takes.items():
            self.model.add_hint(taken, start.get(int(bundles.order[one])) == one)
        for at, missed in enumerate(self.misses):
            self.model.add_hint(missed, at not in start)

    def _rows(self) -> None:
        known, model = self.bundles, self.model
        serving: list[list[Any]] = [[missed] for missed in self.misses]
        load: list[list[Any]] = [[] for _ in known.steps]
        terms = []
        for one, taken in self.takes.items():
            serving[int(known.order[one])].append(taken)
            terms.append(int(known.levels[one, PRICE]) * taken)
            for shelf, pieces in zip(known.shelf[one].tolist(), known.pieces[one].tolist(), strict=True):
                if pieces:
                    load[shelf].append(pieces * taken)
        for each in serving:
            model.add_exactly_one(each)
        for each, steps in zip(load, known.steps, strict=True):
            pieces = [model.new_int_var(0, width, "") for width, _ in steps]
            model.add(sum(each) <= sum(pieces))
            terms += [price * some for some, (_, price) in zip(pieces, steps, strict=True)]
        for level, most in enumerate(known.worth(self.start)[:PRICE]):
            amounts = zip(known.missing[:, level].tolist(), self.misses, strict=True)
            row = [amount * missed for amount, missed in amounts if amount]
            row += [
                int(known.levels[one, level]) * taken for one, taken in self.takes.items() if known.levels[one, level]
            ]
            model.add(sum(row) <= most)
        model.minimize(sum(terms))

    def best(self, limit_s: float) -> dict[int, int]:
        """The cheapest division found in time, no worse than the one to begin with in any level."""
        solver = solver_for(0, limit_s)
        if solver.solve(self.model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return self.start
        return {int(self.bundles.order[one]): one for one, taken in self.takes.items() if solver.boolean_value(taken)}


class _Tree:
    """The search: the deepest open node first until nothing below it is better, then the lowest bound."""

    def __init__(self, master: Master, best: dict[int, int], live: Open, price: int) -> None:
        self.master, self.bundles = master, master.bundles
        self.best, self.price, self.live = best, price, live
        self.nodes, self.end, self.unsettled, self.begun = 0, 0.0, NEVER, price
        self.places = self.bundles.place[self.bundles.shelf]
        self.gains: dict[tuple[int, int, int], tuple[float, float]] = {}

    @property
    def plunging(self) -> bool:
        """Whether nothing better than the first division was found yet."""
        return self.price == self.begun

    def grown(self, end: float) -> int:
        """Search until it is proven or time is up; gives the bound, which is the best's own price if it is proven."""
        self.end = end
        hurry = end - LAST * (end - time.process_time())
        self.master.restrict(self.live)
        self.master.begin(list(self.best.values()), self.price)
        waiting: list[tuple[int, int, Open]] = [(0, 0, self.live)]
        root: Relaxed | None = None
        while waiting:
            bound, _, node = heapq.heappop(waiting)
            if bound >= self.price:
                break
            below: Open | None = node
            while below is not None:
                self.nodes += 1
                self.master.restrict(below)
                found = self.master.relaxed(hurry + BOUND_S if root is None else end, below=self.price)
                bound = bound if found is None else max(bound, found.bound)
                root = root or found
                if found is None or not found.whole or time.process_time() > (hurry if self.plunging else end):
                    if root is not None and self.plunging:
                        self._better(_Among(self.bundles, root, self.best).best(end + BOUND_S - time.process_time()))
                    return min([bound, self.price, self.unsettled, *(one[0] for one in waiting)])
                if self.nodes in DIVES:
                    self._dive(below, found)
                plunging = self.plunging
                below, other = self._split(below, found)
                if plunging and not self.plunging:  # what was asked on the way there is no help to a proof
                    waiting, below, other = [(root.bound if root else 0, 0, self.live)], None, None
                if other is not None:
                    heapq.heappush(waiting, (bound, -self.nodes, other))
        return min(self.price, self.unsettled)

    def _dive(self, node: Open, found: Relaxed) -> None:
        """Settle the surest orders and solve again, until all are settled or nothing better is left."""
        while found.whole and found.bound < self.price and time.process_time() < self.end:
            if all(part > 1 - WHOLE for part in (*found.takes.values(), *found.misses.values())):
                self._taken(found)
                return
            node = self._settled(node, found)
            self.master.restrict(node)
            again = self.master.relaxed(self.end, below=self.price)
            if again is None:
                return
            found = again

    def _settled(self, node: Open, found: Relaxed) -> Open:
        """Bundles and misses that are chosen nearly whole, and the surest that is not, are chosen."""
        parts = [(part, int(self.bundles.order[one]), one) for one, part in found.takes.items()]
        parts += [(part, at, -1) for at, part in found.misses.items()]
        parts.sort(reverse=True)
        first = next(one for one in parts if one[0] < 1 - WHOLE)
        bundles, misses = node.bundles.copy(), node.misses.copy()
        for part, at, one in parts:
            if part < SURE and (part, at, one) != first:
                break
            bundles[self.bundles.begins[at] : self.bundles.begins[at + 1]] = False
            misses[at] = one < 0
            if one >= 0:
                bundles[one] = True
        return Open(bundles, misses)

    def _split(self, node: Open, found: Relaxed) -> tuple[Open | None, Open | None]:
        """The two sides of the best question, the likelier first; nothing where there is none or nothing better."""
        if found.bound >= self.price:
            return None, None
        if all(part > 1 - WHOLE for part in (*found.takes.values(), *found.misses.values())):
            self._taken(found)
            if found.bound < self.price:  # an order was left open rather than served at what it costs
                self.unsettled = min(self.unsettled, found.bound)
            return None, None
        room = self.price - 1 + SLIP
        node = Open(node.bundles & (found.raises <= room), node.misses & (found.miss_raises <= room))
        return self._asked(node, found, self._questions(found))

    def _taken(self, found: Relaxed) -> None:
        """Keep a choice of whole bundles, if each order has one or is missed."""
        if len(found.takes) + len(found.misses) == len(self.bundles.missing):
            self._better({int(self.bundles.order[one]): one for one in found.takes})

    def _better(self, chosen: dict[int, int]) -> None:
        price = self.bundles.worth(chosen)[PRICE]
        if price < self.price:
            self.best, self.price = chosen, price

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
        """The sides of a likely question as long as nothing was found; then of the one whose answers raise the bound most, as
        far as others or a trial told."""
        if self.plunging:
            question = min(questions, key=lambda one: abs(one.part - PLUNGE))
            sides = self._sides(node, question)
            if not any(side.same_as(node) for side in sides):
                return sides if question.part > 0.5 else sides[::-1]
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
        least = WHOLE * max(1, self.price)
        return max(yes, least) * max(no, least)

    def _gain(self, side: Open, value: float) -> float:
        self.master.restrict(side)
        reached = self.master.solved()
        return max(0.0, (self.price if reached is None else min(reached, self.price)) - value)

    def _sides(self, node: Open, question: _Question) -> tuple[Open, Open]:
        """These bundles and not missed; none of these."""
        stretch = slice(self.bundles.begins[question.order], self.bundles.begins[question.order + 1])
        these, others, misses = node.bundles.copy(), node.bundles.copy(), node.misses.copy()
        these[stretch] &= question.these
        others[stretch] &= ~question.these
        misses[question.order] = False
        return Open(these, misses), Open(others, node.misses)
