"""The inner loop of dividing shelves among lines, as native code: shortest augmenting paths with costs that are compared
word by word (successive shortest paths; Ahuja, Magnanti, Orlin, Network Flows, 9.7), so that no level of R2 needs a weight.

A cost is WORDS whole numbers, the first the most important. Nodes are lines and shelves; a way leads from a line to a
shelf, a shelf to the sink as often as it has pieces, each at a price that does not fall, and each line to the sink
directly at what being left out costs.
"""

from typing import NamedTuple

import numpy as np

from app.routing.solver.arrays import Ints
from app.routing.solver.native import kernel

WORDS = 4
NOBODY = -1
UNSEEN, SETTLED = -1, -2
Cost = tuple[int, int, int, int]
Path = tuple[Cost, int, int]
"""Its length, its last shelf, and the line that is left out instead (one of the two is NOBODY)."""
ZERO: Cost = (0, 0, 0, 0)
ENDLESS: Cost = (1 << 62, 0, 0, 0)


class Network(NamedTuple):
    """Lines take their `turn`. The ways of line `l` are `first[l]` to `first[l + 1]`: to `shelf`, at `cost` (ways × WORDS).
    `none` (lines × WORDS) is what leaving a line out costs. The pieces of shelf `s` cost `price` (pieces × WORDS) from
    `pieces[s]` to `pieces[s + 1]`, rising."""

    turn: Ints
    first: Ints
    line: Ints
    shelf: Ints
    cost: Ints
    none: Ints
    pieces: Ints
    price: Ints


class Search(NamedTuple):
    """What is known so far: prices of nodes that keep every reduced cost at 0 or more (`of_line`, `of_shelf`), which way
    each line took (`taken`), the pieces `used` of each shelf and its lines as a chain (`head`, `after`, `before`).

    Of one search: how `far` shelves are, by which way one `came` there, their `place` in the `heap`, and which are `touched`.
    """

    of_line: Ints
    of_shelf: Ints
    taken: Ints
    used: Ints
    head: Ints
    after: Ints
    before: Ints
    far: Ints
    came: Ints
    place: Ints
    heap: Ints
    touched: Ints


@kernel
def word(costs: Ints, at: int) -> Cost:
    return (costs[at, 0], costs[at, 1], costs[at, 2], costs[at, 3])


@kernel
def put(costs: Ints, at: int, value: Cost) -> None:
    costs[at, 0], costs[at, 1], costs[at, 2], costs[at, 3] = value


@kernel
def plus(a: Cost, b: Cost) -> Cost:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])


@kernel
def minus(a: Cost, b: Cost) -> Cost:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3])


@kernel
def less(a: Cost, b: Cost) -> bool:
    for at in range(WORDS):
        if a[at] != b[at]:
            return a[at] < b[at]
    return False


@kernel
def nearer(s: Search, one: int, other: int) -> bool:
    return less(word(s.far, one), word(s.far, other))


@kernel
def rise(s: Search, at: int) -> None:
    """Move a heap's entry up to where it belongs."""
    shelf = s.heap[at]
    while at > 0:
        above = (at - 1) >> 1
        if not nearer(s, shelf, s.heap[above]):
            break
        s.heap[at] = s.heap[above]
        s.place[s.heap[at]] = at
        at = above
    s.heap[at] = shelf
    s.place[shelf] = at


@kernel
def fall(s: Search, at: int, size: int) -> None:
    """Move a heap's entry down to where it belongs."""
    shelf = s.heap[at]
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and nearer(s, s.heap[below + 1], s.heap[below]):
            below += 1
        if not nearer(s, s.heap[below], shelf):
            break
        s.heap[at] = s.heap[below]
        s.place[s.heap[at]] = at
        at = below
    s.heap[at] = shelf
    s.place[shelf] = at


@kernel
def look(n: Network, s: Search, line: int, base: Cost, best: Path, size: int, count: int) -> tuple[Path, int, int]:
    """Relax a line's ways from `base` on; what is no nearer than the best path's end is left. The best path, the heap's
    size and how many shelves were touched."""
    bound, end, out = best
    base = plus(base, word(s.of_line, line))
    found = plus(base, word(n.none, line))
    if less(found, bound):
        bound, end, out = found, NOBODY, line
    for way in range(n.first[line], n.first[line + 1]):
        shelf = n.shelf[way]
        if s.place[shelf] == SETTLED:
            continue
        toward = plus(base, word(n.cost, way))
        found = minus(toward, word(s.of_shelf, shelf))
        if not less(found, bound):
            continue
        if s.place[shelf] == UNSEEN:
            s.touched[count] = shelf
            count += 1
            s.heap[size] = shelf
            s.place[shelf] = size
            size += 1
        elif not less(found, word(s.far, shelf)):
            continue
        put(s.far, shelf, found)
        s.came[shelf] = way
        rise(s, s.place[shelf])
        piece = n.pieces[shelf] + s.used[shelf]
        if piece < n.pieces[shelf + 1]:
            found = plus(toward, word(n.price, piece))
            if less(found, bound):
                bound, end, out = found, shelf, NOBODY
    return (bound, end, out), size, count


@kernel
def leave(n: Network, s: Search, line: int) -> int:
    """Take a line off its shelf; which one that was."""
    shelf = int(n.shelf[s.taken[line]])
    if s.before[line] == NOBODY:
        s.head[shelf] = s.after[line]
    else:
        s.after[s.before[line]] = s.after[line]
    if s.after[line] != NOBODY:
        s.before[s.after[line]] = s.before[line]
    s.taken[line] = NOBODY
    return shelf


@kernel
def enter(n: Network, s: Search, line: int, way: int) -> None:
    """Put a line on the shelf of a way."""
    shelf = n.shelf[way]
    s.taken[line] = way
    s.before[line] = NOBODY
    s.after[line] = s.head[shelf]
    if s.head[shelf] != NOBODY:
        s.before[s.head[shelf]] = line
    s.head[shelf] = line


@kernel
def shift(n: Network, s: Search, line: int, shelf: int, out: int) -> None:
    """Follow the path back from its end: a piece of `shelf`, or line `out` that gets none."""
    if out == NOBODY:
        s.used[shelf] += 1
    else:
        shelf = leave(n, s, out)
    while True:
        way = s.came[shelf]
        mover = n.line[way]
        if mover == line:
            enter(n, s, line, way)
            return
        old = leave(n, s, mover)
        enter(n, s, mover, way)
        shelf = old


@kernel
def shortest(n: Network, s: Search, line: int) -> tuple[Path, int]:
    """The shortest path from a line to the sink, whose own price stays 0, and how many shelves were touched."""
    best, size, count = look(n, s, line, ZERO, (ENDLESS, NOBODY, line), 0, 0)
    while size > 0:
        shelf = s.heap[0]
        far = word(s.far, shelf)
        if not less(far, best[0]):
            break
        size -= 1
        if size > 0:
            s.heap[0] = s.heap[size]
            fall(s, 0, size)
        s.place[shelf] = SETTLED
        other = s.head[shelf]
        while other != NOBODY:
            best, size, count = look(n, s, other, far, best, size, count)
            other = s.after[other]
    return best, count


@kernel
def reprice(s: Search, line: int, bound: Cost, count: int) -> None:
    """Keep reduced costs at 0 or more: what is nearer than the sink gets cheaper by the difference; and forget the search."""
    put(s.of_line, line, minus(word(s.of_line, line), bound))
    for at in range(count):
        shelf = s.touched[at]
        far = word(s.far, shelf)
        if s.place[shelf] == SETTLED and less(far, bound):
            by = minus(far, bound)
            put(s.of_shelf, shelf, plus(word(s.of_shelf, shelf), by))
            other = s.head[shelf]
            while other != NOBODY:
                put(s.of_line, other, plus(word(s.of_line, other), by))
                other = s.after[other]
        s.place[shelf] = UNSEEN


@kernel
def divided(n: Network, s: Search) -> None:
    """Lines one after the other by the shortest path each; exact after every one."""
    for line in n.turn:
        start = minus(ZERO, word(n.none, line))
        for way in range(n.first[line], n.first[line + 1]):
            found = minus(word(s.of_shelf, n.shelf[way]), word(n.cost, way))
            if less(start, found):
                start = found
        put(s.of_line, line, start)
        (bound, end, out), count = shortest(n, s, line)
        reprice(s, line, bound, count)
        if out != line:
            shift(n, s, line, end, out)


@kernel
def shortlist(first: Ints, at: Ints, cost: Ints, kept: Ints) -> int:
    """The ways of each line that arrive first, by cost where they tie, as many as a row of `kept` is long; how many in all."""
    count, most = 0, len(kept) // max(1, len(first) - 1)
    for line in range(len(first) - 1):
        begin = count
        for way in range(first[line], first[line + 1]):
            to = count
            while to > begin and (at[way], cost[way]) < (at[kept[to - 1]], cost[kept[to - 1]]):
                to -= 1
            if to - begin >= most:
                continue
            last = min(count, begin + most - 1)
            for one in range(last, to, -1):
                kept[one] = kept[one - 1]
            kept[to] = way
            count = last + 1
    return count


def divide(network: Network) -> Ints:
    """The way each line takes, or NOBODY: word by word the least sum of costs, prices and lines left out."""
    lines, shelves = len(network.none), len(network.pieces) - 1
    search = Search(
        of_line=np.zeros((lines, WORDS), np.int64),
        of_shelf=np.zeros((shelves, WORDS), np.int64),
        taken=np.full(lines, NOBODY),
        used=np.zeros(shelves, np.int64),
        head=np.full(shelves, NOBODY),
        after=np.full(lines, NOBODY),
        before=np.full(lines, NOBODY),
        far=np.zeros((shelves, WORDS), np.int64),
        came=np.full(shelves, NOBODY),
        place=np.full(shelves, UNSEEN),
        heap=np.zeros(shelves, np.int64),
        touched=np.zeros(shelves, np.int64),
    )
    divided(network, search)
    return search.taken
