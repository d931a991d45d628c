"""Tables of benchmark lines: `python -m bench.routing.table NAME=FILE.jsonl ...` prints mean gaps by set as Markdown.

The gap is to the best known cost, or to the best cost in any of the given files where none is known.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

SETS = (
    ("MDVRPTW up to 96 customers", ("pr01", "pr02", "pr07", "pr11", "pr12", "pr17", "md48", "md96")),
    ("MDVRPTW 144-288", ("pr03", "pr04", "pr05", "pr06", "pr08", "pr09", "pr10", "pr13", "pr14", "pr15", "pr16", "pr18",
                         "pr19", "pr20", "md144", "md216", "md288")),
    ("Solomon 100", ("R1", "R2", "RC", "C1", "C2", "r1", "r2", "rc", "c1")),
    ("real road times", ("liechtenstein",)),
)  # fmt: skip


def main() -> int:
    """Each column is a file; a line with faults is counted apart."""
    columns = dict(argument.split("=", 1) for argument in sys.argv[1:])
    lines = {name: [json.loads(row) for row in Path(file).read_text().splitlines()] for name, file in columns.items()}
    best: dict[str, float] = {}
    for each in (line for rows in lines.values() for line in rows if not line.get("faults")):
        known = each["gap_percent"]
        cost = each["cost"] if known is None else each["cost"] / (1 + known / 100)
        best[each["instance"]] = min(cost, best.get(each["instance"], cost))
    print(f"| set | instance | {' | '.join(columns)} |")
    print(f"|---|---|{'---|' * len(columns)}")
    for title, names in SETS:
        here = [name for name in sorted(best) if name.startswith(names)]
        gaps = {column: _gaps(rows, best) for column, rows in lines.items()}
        for name in here:
            cells = [_cell(gaps[column].get(name, [])) for column in columns]
            print(f"| | {name} | {' | '.join(cells)} |")
        means = [_mean([gaps[column][name] for name in here if gaps[column].get(name)]) for column in columns]
        print(f"| **{title}** | mean | {' | '.join(means)} |")
    return 0


def _gaps(rows: list[dict[str, Any]], best: dict[str, float]) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = defaultdict(list)
    for row in rows:
        found[row["instance"]].append(None if row.get("faults") else 100 * (row["cost"] / best[row["instance"]] - 1))
    return found


def _cell(gaps: list[float | None]) -> str:
    return " / ".join("faulty" if gap is None else f"{gap:.2f}" for gap in gaps)


def _mean(groups: list[list[float | None]]) -> str:
    """The mean over instances of each one's mean over seeds; empty where a plan is faulty or nothing was run."""
    if not groups or any(gap is None for group in groups for gap in group):
        return ""
    means = [sum(gap for gap in group if gap is not None) / len(group) for group in groups]
    return f"**{sum(means) / len(means):.2f}**"


if __name__ == "__main__":
    sys.exit(main())
